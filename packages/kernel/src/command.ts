import type { Json, JsonObject } from "./json.ts";
import type { Program } from "./load.ts";
import type { ElementId, FailurePolicy, FlowId, QueueClass } from "./program.ts";
import type { Undoable, Undoing } from "./undoable.ts";

/** Identifies an element instance, timer or incident within its process instance; counted up from 1, never reused. */
export type Key = number;

/** Who is behind a command: a person, a policy, the engine. Shown in the audit. */
export type Actor = string;

/** The call activity that started this instance; its commands are the answer. */
export interface ParentLink {
  readonly instanceId: string;
  readonly key: Key;
}

export interface FailureInfo {
  readonly code: string;
  readonly message: string;
  /** With `retryable: false` the next try would end the same way: an item is not tried again by itself. */
  readonly details?: JsonObject;
}

/** How an instance or a called child ended. */
export type InstanceOutcome =
  | { readonly type: "completed"; readonly result: JsonObject }
  | { readonly type: "failed"; readonly error: FailureInfo }
  | { readonly type: "cancelled"; readonly reason: string };

interface CommandBase {
  /** Epoch ms. The engine clamps it so that it never runs backwards within an instance. */
  readonly at: number;
}

/** The event that a process begins with, and what it brought. */
export interface ProcessStartedBy {
  /** One of the program's `processStarts`. */
  readonly element: ElementId;
  readonly payload: JsonObject;
  readonly messageId?: string;
  /** Which of the triggers of a multiple event, from 0. */
  readonly trigger?: number;
}

export interface CreateInstance extends CommandBase {
  readonly type: "create-instance";
  readonly instanceId: string;
  /** The instance at the top of the call chain: itself when nobody called. */
  readonly rootId: string;
  readonly parent?: ParentLink;
  readonly businessKey?: string;
  readonly variables: JsonObject;
  readonly queue?: QueueClass;
  readonly priority?: number;
  readonly actor: Actor;
  /** Absent: it begins at its none start event. */
  readonly start?: ProcessStartedBy;
  /** It begins nowhere, and undoes what this instance of the same program did, whose variables it gets. */
  readonly undoes?: Undoing;
}

export interface CompleteJob extends CommandBase {
  readonly type: "complete-job";
  readonly key: Key;
  readonly result: JsonObject;
  readonly actor: Actor;
}

export interface FailJob extends CommandBase {
  readonly type: "fail-job";
  readonly key: Key;
  readonly error: FailureInfo;
  readonly retryable: boolean;
}

/** A BPMN error thrown by a worker: to the nearest boundary event, never retried. */
export interface ThrowJobError extends CommandBase {
  readonly type: "throw-job-error";
  readonly key: Key;
  readonly error: FailureInfo;
}

export interface FireTimer extends CommandBase {
  readonly type: "fire-timer";
  readonly key: Key;
}

/** A message for one subscription of this instance. A second delivery of the same message to it is refused. */
export interface DeliverMessage extends CommandBase {
  readonly type: "deliver-message";
  /** The subscription. */
  readonly key: Key;
  readonly messageId: string;
  readonly name: string;
  readonly payload: JsonObject;
  readonly actor: Actor;
}

export interface DeliverSignal extends CommandBase {
  readonly type: "deliver-signal";
  readonly key: Key;
  readonly name: string;
  readonly payload: JsonObject;
  readonly actor: Actor;
}

export interface CompleteTask extends CommandBase {
  readonly type: "complete-task";
  readonly key: Key;
  readonly result: JsonObject;
  /** Why it was decided so. */
  readonly rationale?: string;
  readonly actor: Actor;
}

/** Whoever has a task ends it with a BPMN error: to the nearest event that catches its code. */
export interface ThrowTaskError extends CommandBase {
  readonly type: "throw-task-error";
  readonly key: Key;
  readonly error: FailureInfo;
  /** Why it was decided so. */
  readonly rationale?: string;
  readonly actor: Actor;
}

export interface ClaimTask extends CommandBase {
  readonly type: "claim-task";
  readonly key: Key;
  readonly actor: Actor;
}

export interface ReleaseTask extends CommandBase {
  readonly type: "release-task";
  readonly key: Key;
  readonly actor: Actor;
}

/** Work on it begins. A free task is claimed by it. */
export interface StartTask extends CommandBase {
  readonly type: "start-task";
  readonly key: Key;
  readonly actor: Actor;
}

/** Lends a task to somebody, who gives it back with `resolve-task`. Its owner alone can complete it. */
export interface DelegateTask extends CommandBase {
  readonly type: "delegate-task";
  readonly key: Key;
  readonly to: Actor;
  readonly reason?: string;
  readonly actor: Actor;
}

/** Gives a delegated task back to its owner. */
export interface ResolveTask extends CommandBase {
  readonly type: "resolve-task";
  readonly key: Key;
  readonly reason?: string;
  readonly actor: Actor;
}

/** For whoever has a task, or lent it to somebody; for everybody as long as nobody has it. */
interface TaskMove extends CommandBase {
  /** The edge says that the actor may do it, whoever has the task. */
  readonly authority?: true;
}

/** Gives a task to somebody for good, or to nobody. */
export interface ReassignTask extends TaskMove {
  readonly type: "reassign-task";
  readonly key: Key;
  readonly to: Actor | null;
  readonly reason: string;
  readonly actor: Actor;
}

/** What is named changes; null takes a date away. */
export interface TaskChanges {
  /** Epoch ms. */
  readonly dueAt?: number | null;
  readonly followUpAt?: number | null;
  /** A whole number from 0 to 100. */
  readonly priority?: number;
  readonly candidates?: readonly string[];
}

export interface UpdateTask extends TaskMove, TaskChanges {
  readonly type: "update-task";
  readonly key: Key;
  readonly reason?: string;
  readonly actor: Actor;
}

/** Hands a task upwards: to other candidates, as a BPMN escalation with a code, or both. */
export interface EscalateTask extends TaskMove {
  readonly type: "escalate-task";
  readonly key: Key;
  readonly to?: readonly string[];
  readonly code?: string;
  readonly reason: string;
  readonly actor: Actor;
}

/** The engine's answer when a called instance has ended. */
export interface EndChild extends CommandBase {
  readonly type: "end-child";
  readonly key: Key;
  readonly childId: string;
  readonly outcome: InstanceOutcome;
  /** Of one that completed and did what can be undone. */
  readonly undoable?: Undoable;
}

/** A called instance escalates; it goes on. */
export interface EscalateCall extends CommandBase {
  readonly type: "escalate-call";
  readonly key: Key;
  readonly childId: string;
  /** Those of one child count up: a second delivery is refused. */
  readonly number: number;
  readonly code: string;
  readonly payload: JsonObject;
}

export interface PauseInstance extends CommandBase {
  readonly type: "pause-instance";
  /** Also ends running jobs; they are offered again on resume. */
  readonly stopRunning: boolean;
  readonly reason: string;
  readonly actor: Actor;
}

export interface ResumeInstance extends CommandBase {
  readonly type: "resume-instance";
  readonly actor: Actor;
}

export interface CancelInstance extends CommandBase {
  readonly type: "cancel-instance";
  readonly reason: string;
  /** It undoes all it did first, also what completed in what is still open. */
  readonly undo?: true;
  readonly actor: Actor;
}

/**
 * Ends an incident. `retry` re-issues what failed (for a collection with failed items: those named, all when none is).
 * `accept` is only for such a collection: it goes on without the failed items; the reason is recorded.
 */
export interface ResolveIncident extends CommandBase {
  readonly type: "resolve-incident";
  readonly key: Key;
  readonly action: "retry" | "accept";
  readonly items?: readonly string[];
  readonly reason: string;
  readonly actor: Actor;
}

export interface SetVariables extends CommandBase {
  readonly type: "set-variables";
  /** Element instance whose scope is written; 0 is the process itself. */
  readonly scope: Key;
  readonly values: JsonObject;
  /** Refused when a variable is not at this version (0: does not exist). */
  readonly expectedVersions?: { readonly [name: string]: number };
  readonly reason: string;
  readonly actor: Actor;
}

/** One item of a collection, as declared. Ids in `dependsOn` are item keys of the same collection. */
export interface ItemDefinition {
  readonly key: string;
  readonly value: Json;
  readonly dependsOn: readonly ItemEdge[];
  readonly locks: readonly string[];
  readonly queue?: QueueClass;
  readonly priority: number;
  readonly onFailure: FailurePolicy;
  readonly attemptsMax: number;
}

export interface ItemEdge {
  readonly key: string;
  readonly policy: "all-success" | "all-done" | "any-success";
}

/** Adds items to a running collection; refused as a whole when one does not fit (duplicate, unknown id, cycle). */
export interface AddItems extends CommandBase {
  readonly type: "add-items";
  /** The multi-instance activity; the instance must have exactly one active collection of it. */
  readonly element: ElementId;
  /** Raw items, as they would stand in the collection. */
  readonly items: readonly Json[];
  readonly actor: Actor;
}

/** Withdraws items that have not started and that nothing else waits for. */
export interface WithdrawItems extends CommandBase {
  readonly type: "withdraw-items";
  readonly element: ElementId;
  readonly items: readonly string[];
  readonly actor: Actor;
}

export interface AdjustConcurrency extends CommandBase {
  readonly type: "adjust-concurrency";
  readonly element: ElementId;
  /** Null: no limit. Running items are never ended by a lower one. */
  readonly maxParallel: number | null;
  readonly actor: Actor;
}

/**
 * Goes on under another program, as the same instance: with its jobs, tasks, children, what it waits for (timers with
 * the time that is left), its items, its incidents and what can be undone. Refused as a whole, with all that is in the
 * way. Elements keep their ids unless `mapping` gives others. For the engine: a program does not come over the wire.
 */
export interface MigrateInstance extends CommandBase {
  readonly type: "migrate-instance";
  readonly to: Program;
  /**
   * Elements that are called otherwise in `to`; and flows, by their ids, whose tokens are to be on another one: where no
   * flow of `to` leads between the same elements.
   */
  readonly mapping: { readonly [id: ElementId | FlowId]: ElementId | FlowId };
  readonly reason: string;
  readonly actor: Actor;
}

/**
 * Makes an instance of its own of a state that the events of another one led to. It is called by nobody; what that one
 * had open is asked for again under the new id, called instances start anew. For the engine, which copies the events.
 */
export interface ForkInstance extends CommandBase {
  readonly type: "fork-instance";
  readonly instanceId: string;
  readonly reason: string;
  readonly actor: Actor;
}

/** One thing that keeps an instance from another program. `element` is of the old one, null for the process. */
export interface MigrationProblem {
  readonly code:
    | "instance-failing"
    | "mapping-unknown"
    | "mapping-twice"
    | "element-gone"
    | "element-differs"
    | "scope-differs"
    | "flow-gone"
    | "variable-type"
    | "variable-missing";
  readonly element: ElementId | null;
  readonly message: string;
}

/** One element to activate in an ad-hoc sub-process; the variables are local to it, which only activities can have. */
export interface Chosen {
  readonly element: ElementId;
  readonly variables?: JsonObject;
}

export interface ActivateElements extends CommandBase {
  readonly type: "activate-elements";
  /** The element instance of the ad-hoc sub-process. */
  readonly key: Key;
  readonly elements: readonly Chosen[];
  /** No more will be chosen: it completes once what is active has ended. */
  readonly complete?: boolean;
  readonly actor: Actor;
}

/** One token to put on an element. */
export interface Activation {
  readonly element: ElementId;
  /** The token comes by the flow from this element, and waits there like any that came so. Absent: it waits for none. */
  readonly from?: ElementId;
  /** The element instance of a container around it to do so in, 0 for the process; needed where there are several. */
  readonly scope?: Key;
  /** Written as the outputs of an element in that scope would be. */
  readonly variables?: JsonObject;
}

/** Tokens to take away that wait at an element until it has all it needs. */
export interface Withdrawal {
  readonly element: ElementId;
  /** Those that came from this element; absent: all. */
  readonly from?: ElementId;
  /** The element instance they wait in, 0 for the process; needed where they wait in several. */
  readonly scope?: Key;
}

/**
 * Takes away tokens that wait, puts tokens on elements, whose containers are opened as needed, and then ends element
 * instances; all or nothing. For people, who repair what went wrong.
 */
export interface ModifyInstance extends CommandBase {
  readonly type: "modify-instance";
  readonly withdraw?: readonly Withdrawal[];
  readonly activate: readonly Activation[];
  readonly terminate: readonly Key[];
  readonly reason: string;
  readonly actor: Actor;
}

/** Goes on after a command reached its activation limit. Issued by the engine on the `continue` effect. */
export interface Continue extends CommandBase {
  readonly type: "continue";
}

export type Command =
  | CreateInstance
  | CompleteJob
  | FailJob
  | ThrowJobError
  | FireTimer
  | DeliverMessage
  | DeliverSignal
  | CompleteTask
  | ThrowTaskError
  | ClaimTask
  | ReleaseTask
  | StartTask
  | DelegateTask
  | ResolveTask
  | ReassignTask
  | UpdateTask
  | EscalateTask
  | EndChild
  | EscalateCall
  | PauseInstance
  | ResumeInstance
  | CancelInstance
  | ResolveIncident
  | SetVariables
  | AddItems
  | WithdrawItems
  | AdjustConcurrency
  | MigrateInstance
  | ActivateElements
  | ForkInstance
  | ModifyInstance
  | Continue;

/** Why a command was refused. `reason` reads "Expected X, but Y". Nothing was changed. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly reason: string;
  /** Of a migration: everything that is in its way. */
  readonly problems?: readonly MigrationProblem[];
}

export type RejectionCode =
  | "instance-exists"
  | "instance-not-found"
  | "start-not-found"
  | "instance-ended"
  | "instance-paused"
  | "instance-not-paused"
  | "variable-missing"
  | "variable-type"
  | "variable-version"
  | "job-not-found"
  | "timer-not-found"
  | "timer-not-due"
  | "subscription-not-found"
  | "message-duplicate"
  | "task-not-found"
  | "task-claimed"
  | "task-delegated"
  | "task-not-delegated"
  | "task-started"
  | "task-late"
  | "task-invalid"
  | "child-not-found"
  | "incident-not-found"
  | "incident-not-acceptable"
  | "scope-not-found"
  | "collection-not-found"
  | "item-invalid"
  | "item-unknown"
  | "item-started"
  | "item-needed"
  | "ad-hoc-not-found"
  | "element-not-activatable"
  | "element-not-found"
  | "scope-ambiguous"
  | "instance-failing"
  | "limit-exceeded"
  | "migration-invalid"
  | "nothing-pending";
