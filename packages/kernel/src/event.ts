import type { TriggerEvent } from "./bpmn-event/event-trigger.ts";
import type { Activation, Actor, Chosen, FailureInfo, ItemDefinition, Key, ParentLink, Withdrawal } from "./command.ts";
import type { TaskEvent } from "./element/task-event.ts";
import type { Json, JsonObject } from "./json.ts";
import type { ElementId, FlowId, QueueClass } from "./program.ts";
import type { CompletedWork, Undoable } from "./undoable.ts";

/**
 * Facts. What a recorded event means never changes: a new meaning is a new type (`job-created-2`) beside the old one.
 * Times are epoch ms. An event names what it touches, so that `evolve` needs neither the program nor a decision.
 */
export type Event =
  // instance
  | {
      readonly type: "instance-created";
      readonly instanceId: string;
      readonly rootId: string;
      readonly process: string;
      readonly version: string;
      readonly hash: string;
      readonly parent?: ParentLink;
      readonly businessKey?: string;
      readonly queue?: QueueClass;
      readonly priority?: number;
      readonly actor: Actor;
      readonly at: number;
      /** The event it began with; absent: it was asked to. */
      readonly start?: { readonly element: ElementId; readonly messageId?: string };
      /** The instance that it undoes. */
      readonly undoes?: string;
    }
  | {
      readonly type: "instance-paused";
      readonly stopRunning: boolean;
      readonly reason: string;
      readonly actor: Actor;
      readonly at: number;
    }
  /** The events before are those of `from`, `sequence` of them; from here on it is an instance of its own. */
  | {
      readonly type: "instance-forked";
      readonly instanceId: string;
      readonly from: string;
      readonly sequence: number;
      readonly reason: string;
      readonly actor: Actor;
      readonly at: number;
    }
  /** It goes on under another program; what was renamed is called so from now on. */
  | {
      readonly type: "instance-migrated";
      readonly process: string;
      readonly version: string;
      readonly hash: string;
      readonly elements: { readonly [element: ElementId]: ElementId };
      readonly flows: { readonly [flow: FlowId]: FlowId };
      readonly reason: string;
      readonly actor: Actor;
      readonly at: number;
    }
  | { readonly type: "instance-resumed"; readonly actor: Actor; readonly at: number }
  | {
      readonly type: "instance-failing";
      readonly error: FailureInfo;
      readonly at: number;
      /** It does not fail, but was cancelled; the error tells why. */
      readonly cancelledBy?: Actor;
    }
  | {
      readonly type: "instance-completed";
      readonly result: JsonObject;
      readonly at: number;
      /** What completed in it is handed to whoever called it; false: it is too large for that. Absent: there is nothing. */
      readonly undoable?: boolean;
    }
  | {
      readonly type: "instance-failed";
      readonly error: FailureInfo;
      readonly at: number;
      /**
       * What completed in it and is not undone, if only that it is nothing, is handed to whoever called it; false: it is
       * too large for that. Absent where nobody called it, where something could not be undone, and in older logs.
       */
      readonly undoable?: boolean;
    }
  | {
      readonly type: "instance-cancelled";
      readonly reason: string;
      /** Absent in older logs, and where a modification ended all there was: that event has it. */
      readonly actor?: Actor;
      readonly at: number;
    }
  /** What a person wanted changed; the events behind it say what came of it. */
  | {
      readonly type: "instance-modified";
      readonly activate: readonly Activation[];
      readonly terminate: readonly Key[];
      readonly withdraw?: readonly Withdrawal[];
      readonly reason: string;
      readonly actor: Actor;
      readonly at: number;
    }
  // elements; `scope` is the element instance they run in, 0 for the process
  | {
      readonly type: "element-activating";
      readonly key: Key;
      readonly element: ElementId;
      readonly scope: Key;
      readonly at: number;
    }
  | {
      readonly type: "element-activated";
      readonly key: Key;
      readonly element: ElementId;
      readonly scope: Key;
      readonly at: number;
    }
  | { readonly type: "element-completing"; readonly key: Key; readonly result: JsonObject }
  | { readonly type: "element-completed"; readonly key: Key; readonly element: ElementId; readonly at: number }
  | { readonly type: "element-terminated"; readonly key: Key; readonly element: ElementId; readonly at: number }
  /** An element that never waits was entered and left at once; `consumed` are the waiting flows a join used up. */
  | {
      readonly type: "element-passed";
      readonly element: ElementId;
      readonly scope: Key;
      readonly consumed?: readonly FlowId[];
      readonly at: number;
    }
  /**
   * The tokens that waited on these flows go on together; a flow stands there once for each of them. `key`: the element
   * instance that remembers by which flows they came.
   */
  | {
      readonly type: "tokens-joined";
      readonly element: ElementId;
      readonly scope: Key;
      readonly flows: readonly FlowId[];
      readonly at: number;
      readonly key?: Key;
    }
  /** `arrives` = "passes" is acted on in the same command, "waits" at a join, "held" until the `continue` command. */
  | {
      readonly type: "flow-taken";
      readonly flow: FlowId;
      readonly scope: Key;
      readonly arrives: "passes" | "waits" | "held";
    }
  /** A held flow goes on; it arrives in the same command. */
  | { readonly type: "flow-released"; readonly flow: FlowId; readonly scope: Key }
  /** All tokens that wait at a join on this flow, or are held on it, end with their scope. */
  | { readonly type: "flow-dropped"; readonly flow: FlowId; readonly scope: Key }
  /** The command reached its activation limit: the rest follows in a `continue` command of its own. */
  | {
      readonly type: "continuation-requested";
      /** How many `continue` commands the step has had already; absent: none. */
      readonly round?: number;
    }
  | { readonly type: "continuation-started" }
  /** An expression gave a value and was not sure of it: FEEL gives null where other languages fail. Nothing follows. */
  | {
      readonly type: "expression-doubted";
      /** The element instance whose variables it sees; 0: the process. */
      readonly scope: Key;
      readonly expression: string;
      readonly warnings: readonly string[];
      /** The condition that goes on waiting: the same is not said of it again. */
      readonly subscription?: Key;
      readonly at: number;
    }
  // variables
  | {
      readonly type: "variables-set";
      readonly scope: Key;
      readonly values: JsonObject;
      readonly actor: Actor;
      readonly reason?: string;
      readonly at: number;
    }
  // jobs, keyed by the element instance they belong to
  | {
      readonly type: "job-created";
      readonly key: Key;
      readonly element: ElementId;
      readonly jobType: string;
      readonly queue: QueueClass;
      readonly priority: number;
      readonly attemptsMax: number;
      readonly timeoutMs?: number;
      readonly input: JsonObject;
      readonly headers: JsonObject;
      readonly at: number;
    }
  | { readonly type: "job-completed"; readonly key: Key; readonly actor: Actor; readonly at: number }
  /** `retryAt` is set while attempts are left. */
  | {
      readonly type: "job-failed";
      readonly key: Key;
      readonly attempt: number;
      readonly error: FailureInfo;
      readonly retryAt?: number;
      readonly at: number;
    }
  | { readonly type: "job-error-thrown"; readonly key: Key; readonly error: FailureInfo; readonly at: number }
  | { readonly type: "job-cancelled"; readonly key: Key; readonly at: number }
  /** After an incident: tried again with fresh attempts. */
  | { readonly type: "job-retried"; readonly key: Key; readonly at: number }
  // timers
  | {
      readonly type: "timer-armed";
      readonly key: Key;
      /** The element instance that ends it when it ends. */
      readonly owner: Key;
      readonly element: ElementId;
      readonly due: number;
      readonly remaining: number | null;
      /** The evaluated value, for the next repetition. */
      readonly value: Json;
      /** Of a user task: which of its SLA rules it is for. */
      readonly rule?: number;
      readonly at: number;
      /** Which of the triggers of a multiple event, from 0. */
      readonly trigger?: number;
    }
  | { readonly type: "timer-fired"; readonly key: Key; readonly at: number }
  | { readonly type: "timer-cancelled"; readonly key: Key }
  | TriggerEvent
  | TaskEvent
  // called instances, keyed by the element instance of the call activity
  | {
      readonly type: "child-requested";
      readonly key: Key;
      readonly element: ElementId;
      readonly childId: string;
      readonly process: string;
      readonly binding: "deployment" | "latest" | { readonly version: string };
      readonly variables: JsonObject;
      readonly queue?: QueueClass;
      readonly priority?: number;
      readonly at: number;
      /** It undoes the call that is recorded under this key. */
      readonly undoes?: Key;
    }
  | {
      readonly type: "child-ended";
      readonly key: Key;
      readonly childId: string;
      readonly outcome: "completed" | "failed" | "cancelled";
      readonly at: number;
      readonly undoable?: Undoable;
    }
  /** The call activity ended first: the child is told to. */
  | { readonly type: "child-cancelled"; readonly key: Key; readonly childId: string; readonly at: number }
  /** What is around the call is undone: it goes on in `scope` until the child has undone itself. */
  | {
      readonly type: "child-undoing";
      readonly key: Key;
      readonly childId: string;
      readonly scope: Key;
      readonly at: number;
    }
  // incidents; `element` instance 0 is the process itself
  | {
      readonly type: "incident-created";
      readonly key: Key;
      readonly owner: Key;
      readonly element: ElementId | null;
      readonly kind: IncidentKind;
      readonly error: FailureInfo;
      readonly at: number;
    }
  | {
      readonly type: "incident-resolved";
      readonly key: Key;
      readonly action: "retry" | "accept" | "gone";
      readonly reason: string;
      readonly actor: Actor;
      readonly at: number;
    }
  // collections; `body` is the element instance of the multi-instance activity
  | {
      readonly type: "collection-opened";
      readonly body: Key;
      /** Name of the variable that holds the item inside. */
      readonly itemName: string;
      readonly graph: boolean;
      readonly maxParallel: number | null;
      readonly at: number;
    }
  | {
      readonly type: "items-added";
      readonly body: Key;
      readonly items: readonly ItemDefinition[];
      readonly actor: Actor;
    }
  /** `predecessors`: what it depends on, then who completed last with each of its locks, each once, in that order. */
  | {
      readonly type: "item-activated";
      readonly body: Key;
      readonly item: string;
      readonly key: Key;
      readonly attempt: number;
      readonly predecessors: readonly string[];
      readonly at: number;
    }
  /** Ready, but `lock` is held by another item; it waits in line for it. */
  | { readonly type: "item-blocked"; readonly body: Key; readonly item: string; readonly lock: string }
  | { readonly type: "item-unblocked"; readonly body: Key; readonly item: string }
  | {
      readonly type: "item-completed";
      readonly body: Key;
      readonly item: string;
      readonly result: Json;
      readonly at: number;
    }
  | {
      readonly type: "item-failed";
      readonly body: Key;
      readonly item: string;
      readonly error: FailureInfo;
      readonly retry: boolean;
      readonly at: number;
    }
  /** `cause`: the failed or skipped item it depended on. */
  | {
      readonly type: "item-skipped";
      readonly body: Key;
      readonly item: string;
      readonly cause: string;
      readonly at: number;
    }
  | { readonly type: "item-cancelled"; readonly body: Key; readonly item: string; readonly at: number }
  | {
      readonly type: "item-withdrawn";
      readonly body: Key;
      readonly item: string;
      readonly actor: Actor;
      readonly at: number;
    }
  /** Failed items and the skipped ones behind them wait again, with fresh attempts. */
  | { readonly type: "items-retried"; readonly body: Key; readonly items: readonly string[]; readonly at: number }
  | {
      readonly type: "items-accepted";
      readonly body: Key;
      readonly items: readonly string[];
      readonly by: Actor;
      readonly reason: string;
      readonly at: number;
    }
  | { readonly type: "collection-closing"; readonly body: Key; readonly reason: "completion" | "failure" | "cancel" }
  | {
      readonly type: "concurrency-adjusted";
      readonly body: Key;
      readonly maxParallel: number | null;
      readonly actor: Actor;
      readonly at: number;
    }
  // standard loops; `body` is the element instance of the activity, `key` that of a round
  | { readonly type: "loop-opened"; readonly body: Key; readonly at: number }
  | {
      readonly type: "loop-iterated";
      readonly body: Key;
      /** Which round it is, from 1. */
      readonly counter: number;
      readonly key: Key;
      readonly at: number;
    }
  // ad-hoc sub-processes; `body` is the element instance
  | { readonly type: "ad-hoc-opened"; readonly body: Key; readonly at: number }
  /** To be activated, in this order; `done`: nothing else will be. */
  | {
      readonly type: "ad-hoc-chosen";
      readonly body: Key;
      readonly elements: readonly Chosen[];
      readonly done: boolean;
      readonly actor: Actor;
      readonly at: number;
    }
  /** The first of the chosen is started. */
  | { readonly type: "ad-hoc-activated"; readonly body: Key; readonly element: ElementId; readonly at: number }
  /** An activity in it completed. */
  | {
      readonly type: "ad-hoc-ended";
      readonly body: Key;
      readonly element: ElementId;
      readonly result: Json;
      readonly at: number;
    }
  /** Nothing starts in it any more, not even what was chosen. */
  | { readonly type: "ad-hoc-closing"; readonly body: Key }
  // compensation
  | {
      readonly type: "compensation-recorded";
      readonly scope: Key;
      readonly key: Key;
      readonly element: ElementId;
      readonly handler: ElementId | null;
      readonly variables: JsonObject;
      /** What completed inside is kept for the handler, an event sub-process, to have undone. */
      readonly keepsContent?: true;
    }
  /** What another instance completed is to be undone here, `whole` by the event sub-process of the process that does so. */
  | {
      readonly type: "compensation-restored";
      readonly work: CompletedWork;
      readonly whole?: { readonly key: Key; readonly handler: ElementId };
    }
  | {
      readonly type: "compensation-started";
      readonly owner: Key;
      readonly scope: Key;
      readonly targets: readonly Key[];
      readonly at: number;
    }
  | { readonly type: "compensation-taken"; readonly owner: Key; readonly target: Key; readonly key: Key }
  | {
      readonly type: "compensation-failed";
      readonly owner: Key;
      readonly target: Key;
      readonly error: FailureInfo;
      readonly at: number;
    }
  | { readonly type: "compensation-finished"; readonly owner: Key; readonly at: number };

export type EventType = Event["type"];

/** What failed, and so what a retry re-issues. */
export type IncidentKind =
  | "activation"
  | "job"
  | "completion"
  | "flow"
  | "route"
  | "timer"
  /** What an event waits for could not be worked out, or its condition fails. */
  | "trigger"
  | "call"
  | "error"
  | "collection"
  | "loop"
  | "choice"
  /** It was continued again and again, and never came to rest. */
  | "endless"
  | "items-failed";
