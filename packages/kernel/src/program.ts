import type { Json, JsonObject } from "./json.ts";

export type ElementId = string;
export type FlowId = string;

/** Where something stands in the definition it was compiled from; lines and columns count from 1. */
export interface SourcePosition {
  readonly file?: string;
  readonly line: number;
  readonly column: number;
}

/** Text in an expression language the host evaluates; the kernel never looks inside. */
export interface Expression {
  /** `dmn`: the text is a compiled decision. */
  readonly language: "cel" | "feel" | "dmn";
  readonly text: string;
  readonly position?: SourcePosition;
}

/** Where a value comes from: fixed, a variable by name, or an expression. */
export type Source = { readonly literal: Json } | { readonly variable: string } | Expression;

export type VariableType = "any" | "integer" | "number" | "string" | "boolean" | "list" | "object";

export interface VariableDeclaration {
  readonly name: string;
  readonly type: VariableType;
  /** A new instance is refused without it. */
  readonly required?: boolean;
  readonly initial?: Json;
}

/** Writes `target` from `source`. An absent optional value writes nothing; an absent required one is an incident. */
export interface Mapping {
  readonly target: string;
  readonly source: Source;
  readonly optional?: boolean;
}

export type QueueClass = "light" | "standard" | "heavy";

/** Attempts are counted in total (3 = three tries). Delay before attempt n+1 is min(maxMs, firstMs × factor^(n-1)). */
export interface RetryPolicy {
  readonly attemptsMax: number;
  readonly backoff: { readonly firstMs: number; readonly factor: number; readonly maxMs: number };
  /** What follows the last failed attempt: wait for a person, or throw the failure's code as a BPMN error. */
  readonly exhausted: "incident" | "error";
}

export interface JobDefinition {
  readonly type: string;
  /** Gives the type as the job is offered, a text; `type` is then only what lists show of it. */
  readonly typeFrom?: Source;
  /** Absent: the class of the item the job runs in, else `standard`. */
  readonly queue?: QueueClass;
  /** 1 (first) to 5 (last). Absent: the priority of the item, else 3. */
  readonly priority?: number;
  readonly retry: RetryPolicy;
  /** The engine ends an attempt that runs longer. */
  readonly timeoutMs?: number;
  readonly headers?: JsonObject;
}

/** `date` is an instant, `duration` an ISO 8601 duration, `cycle` an ISO 8601 repetition, `cron` five or six fields. */
export interface TimerDefinition {
  readonly kind: "date" | "duration" | "cycle" | "cron";
  readonly value: Source;
  /** IANA name; only cron and local dates need it. */
  readonly timeZone?: string;
}

/** What a message is called, and which of those that wait for it is meant. */
export interface MessageDefinition {
  /** Evaluated when the subscription opens, or when it is sent. */
  readonly name: Source;
  /** A text, number or truth value; absent: the name alone decides. */
  readonly correlationKey?: Source;
  /** Sending only: how long it is kept for somebody who does not wait yet; absent: an hour. */
  readonly ttlMs?: number;
  /** Sending only: what is sent; absent: nothing. */
  readonly payload?: readonly Mapping[];
}

/** Something an element can wait for by itself, in a timer or a subscription. */
export type WaitTrigger =
  | { readonly type: "timer"; readonly timer: TimerDefinition }
  | { readonly type: "message"; readonly message: MessageDefinition }
  | { readonly type: "signal"; readonly signal: { readonly name: Source } }
  /** Triggers each time the condition comes to hold. `variables`: only changes of these count; absent: of all it can see. */
  | { readonly type: "conditional"; readonly condition: Expression; readonly variables?: readonly string[] };

/** What an event waits for. Without a code, `error` and `escalation` catch all of them. */
export type CatchTrigger =
  | WaitTrigger
  | { readonly type: "error"; readonly code?: string }
  | { readonly type: "escalation"; readonly code?: string }
  /** Start of an event sub-process only: it undoes the sub-process it stands in, once that has completed. */
  | { readonly type: "compensation" }
  /** Boundary of a transaction only. */
  | { readonly type: "cancel" }
  /** Intermediate only: where the throwing link event of the same name in the same scope goes on. */
  | { readonly type: "link"; readonly name: string }
  /** Any one of several, or all of them; all: only what can be waited for by itself. */
  | { readonly type: "multiple"; readonly parallel: boolean; readonly triggers: readonly CatchTrigger[] };

/** What an event does. The lists of the elements that throw say which of them may stand where. */
export type ThrowTrigger =
  | { readonly type: "none" }
  /** `waits: false`: the event goes on at once, while the work is undone. */
  | { readonly type: "compensation"; readonly activity?: ElementId; readonly waits?: false }
  /** With a job, a worker sends it; without, the engine does. */
  | { readonly type: "message"; readonly message: MessageDefinition; readonly job?: JobDefinition }
  | { readonly type: "signal"; readonly signal: { readonly name: Source; readonly payload?: readonly Mapping[] } }
  /** `codeFrom` gives the code as it is thrown, a text; `code` is then only what lists show of it. */
  | {
      readonly type: "escalation";
      readonly code: string;
      readonly codeFrom?: Source;
      readonly payload?: readonly Mapping[];
    };

/** What a collection may throw while it runs. */
export type ItemEvent =
  | { readonly type: "message"; readonly message: MessageDefinition }
  | Extract<ThrowTrigger, { readonly type: "signal" | "escalation" }>;

export type EdgePolicy = "all-success" | "all-done" | "any-success";
export type FailurePolicy = "fail" | "continue" | "skip-dependents";

/**
 * Runs an activity once per item of a collection. Plain multi-instance is the case without keys, dependencies
 * and locks. Item fields are read from the item itself (`item.key` or `item.id`, `item.dependsOn`, …) unless a
 * source is given here, evaluated with the item in scope.
 */
export interface MultiInstance {
  readonly mode: "sequential" | "parallel" | "graph";
  readonly collection: Source;
  /** Name under which the item is visible inside. */
  readonly item: string;
  readonly fields?: {
    readonly key?: Source;
    readonly dependsOn?: Source;
    readonly locks?: Source;
    readonly queue?: Source;
    readonly priority?: Source;
    readonly onFailure?: Source;
    readonly attempts?: Source;
  };
  /** At most this many items run at once; absent: no limit but the queues'. */
  readonly maxParallel?: Source;
  /** For items that do not say; default `fail` for sequential and parallel, `skip-dependents` for graph. */
  readonly onFailure?: FailurePolicy;
  /** For edges that do not say. */
  readonly edgePolicy?: EdgePolicy;
  /** How often an item is tried before it counts as failed; default 1. */
  readonly attempts?: number;
  /** Evaluated after each finished item with `completed`, `failed`, `skipped`, `total`; true ends the rest. */
  readonly completion?: Expression;
  /** Evaluated once all items have ended and some failed, with the same names; true accepts the partial result. */
  readonly accept?: Expression;
  /** What one item yields (evaluated in the item's scope as it completes) and the variable that collects it:
   *  a list in item order, for graph an object by item key. */
  readonly output?: { readonly target: string; readonly source: Source };
  /** When an event is thrown as an item completes: with each (`none`), with the first (`one`), as conditions say
   *  (`complex`), never (`all`, the default). Boundary events on the activity can catch it. */
  readonly behavior?: "none" | "one" | "all" | "complex";
  /** What `none` and `one` throw. */
  readonly event?: ItemEvent;
  /** What `complex` throws: every one whose condition holds, with the item in scope, its result, and the counts. */
  readonly events?: readonly { readonly condition: Expression; readonly event: ItemEvent }[];
}

/** Runs an activity again and again, one round after the other; `loopCounter` is the number of the round, from 1. */
export interface StandardLoop {
  readonly mode: "standard";
  /** As long as it holds there is another round; `loopCounter` is the number of rounds so far. */
  readonly condition: Expression;
  /** Asked before the first round, too. */
  readonly testBefore: boolean;
  /** Rounds at most. */
  readonly maximum?: number;
}

interface ElementBase {
  readonly id: ElementId;
  readonly name?: string;
  /** The sub-process that contains it; null at process level. */
  readonly parent: ElementId | null;
  readonly documentation?: string;
  readonly position?: SourcePosition;
  /** What its author's format said and the kernel does not need: kept for round trips and tools. */
  readonly extension?: JsonObject;
}

interface ActivityBase extends ElementBase {
  readonly inputs?: readonly Mapping[];
  readonly outputs?: readonly Mapping[];
  readonly loop?: MultiInstance | StandardLoop;
  /** Tokens it needs to start, and those it gives to each flow it leaves by; 1 to 1 000, default 1. */
  readonly startQuantity?: number;
  readonly completionQuantity?: number;
  /** The activity that undoes this one once it has completed. */
  readonly compensation?: ElementId;
  /** This activity is such a handler: it has no incoming flow. */
  readonly forCompensation?: boolean;
  /** Taken when no condition on the other flows out of it holds. */
  readonly defaultFlow?: FlowId;
}

export interface StartEvent extends ElementBase {
  readonly kind: "start-event";
  readonly trigger: { readonly type: "none" } | CatchTrigger;
  /** Of an event sub-process: whether it ends everything else in the scope around it. Default true. */
  readonly interrupting?: boolean;
  /** From what triggered it: the message's variables, `error` {code, message, details}, `escalation` {code, …}. */
  readonly outputs?: readonly Mapping[];
}

export interface EndEvent extends ElementBase {
  readonly kind: "end-event";
  readonly trigger:
    | ThrowTrigger
    | { readonly type: "terminate" }
    /** `codeFrom` as for escalations. */
    | { readonly type: "error"; readonly code: string; readonly codeFrom?: Source; readonly message?: Source }
    /** Directly in a transaction only. */
    | { readonly type: "cancel" }
    /** All of them, in order. */
    | { readonly type: "multiple"; readonly triggers: readonly EndEvent["trigger"][] };
}

export interface IntermediateCatchEvent extends ElementBase {
  readonly kind: "intermediate-catch-event";
  readonly trigger: Exclude<CatchTrigger, { readonly type: "error" | "escalation" | "compensation" | "cancel" }>;
  readonly outputs?: readonly Mapping[];
}

export interface IntermediateThrowEvent extends ElementBase {
  readonly kind: "intermediate-throw-event";
  readonly trigger:
    | ThrowTrigger
    | { readonly type: "link"; readonly name: string }
    /** All of them, in order. */
    | { readonly type: "multiple"; readonly triggers: readonly ThrowTrigger[] };
}

export interface BoundaryEvent extends ElementBase {
  readonly kind: "boundary-event";
  readonly attachedTo: ElementId;
  readonly interrupting: boolean;
  readonly trigger: Exclude<CatchTrigger, { readonly type: "compensation" | "link" }>;
  /** From what triggered it, as for start events. */
  readonly outputs?: readonly Mapping[];
}

export interface ServiceTask extends ActivityBase {
  readonly kind: "service-task";
  readonly job: JobDefinition;
}

/** Sends a message itself, or has a worker do it. */
export interface SendTask extends ActivityBase {
  readonly kind: "send-task";
  readonly message?: MessageDefinition;
  readonly job?: JobDefinition;
}

/** Waits for one message, whose variables are visible to `outputs`. */
export interface ReceiveTask extends ActivityBase {
  readonly kind: "receive-task";
  readonly message: MessageDefinition;
  /** At process level and without an incoming flow: the message starts the process, with this task done. */
  readonly instantiate?: true;
}

export interface ScriptTask extends ActivityBase {
  readonly kind: "script-task";
  /** Each target is written from its source, in order; a later one sees what an earlier one wrote. */
  readonly assignments: readonly Mapping[];
}

/**
 * What happens when a user task is not begun, or not completed, in time. `after` counts from its creation; for
 * `not-started` anew from each release and reassignment by a person.
 */
export interface SlaRule {
  readonly on: "not-started" | "not-completed";
  readonly after: TimerDefinition;
  readonly action:
    | { readonly type: "notify"; readonly to: readonly string[]; readonly message?: Source }
    /** It is taken from whoever has it, and these are its candidates. */
    | { readonly type: "reassign"; readonly to: readonly string[] }
    /** Thrown from the task as a BPMN escalation; caught by none, it is recorded. */
    | { readonly type: "escalate"; readonly code: string };
  /** A duration comes again and again until the task is begun or completed. Cycles and cron repeat as they say. */
  readonly repeat?: boolean;
}

/** Done by somebody outside: nothing here waits for it. */
export interface ManualTask extends ActivityBase {
  readonly kind: "manual-task";
}

/** Either evaluates a decision, to which its inputs are visible, or leaves that to a job. */
export interface BusinessRuleTask extends ActivityBase {
  readonly kind: "business-rule-task";
  /** `result` names what is decided: a variable, written unless the task has `outputs`, to which it is visible. */
  readonly decision?: { readonly result: string; readonly expression: Expression };
  readonly job?: JobDefinition;
}

export interface UserTask extends ActivityBase {
  readonly kind: "user-task";
  readonly title?: Source;
  readonly assignee?: Source;
  readonly candidates?: readonly string[];
  /** Gives more of them: each a list of texts, or a text with names between commas. */
  readonly candidatesFrom?: readonly Source[];
  readonly due?: TimerDefinition;
  /** When whoever has it wants to be reminded of it; for lists only. */
  readonly followUp?: TimerDefinition;
  /** A whole number from 0 to 100, the most urgent last. Default 50. */
  readonly priority?: Source;
  readonly sla?: readonly SlaRule[];
  /** Completing it after `due`: `accept` (default) takes it, `refuse` does not, `flag` gives its outputs `late`. */
  readonly late?: "accept" | "refuse" | "flag";
  /** JSON Schema of what completing it must bring. The server and CLI check it; the kernel does not. */
  readonly form?: JsonObject;
}

export interface ExclusiveGateway extends ElementBase {
  readonly kind: "exclusive-gateway";
  readonly defaultFlow?: FlowId;
}

/** Splits to every flow whose condition holds, and joins the tokens that can still come. */
export interface InclusiveGateway extends ElementBase {
  readonly kind: "inclusive-gateway";
  readonly defaultFlow?: FlowId;
}

/** Goes on once `activation` holds, then waits for the tokens that can still come, and starts again. */
export interface ComplexGateway extends ElementBase {
  readonly kind: "complex-gateway";
  /**
   * Sees `tokens` (by incoming flow, how many wait), `activationCount` (all of them), `arrived` (flows with a token) and
   * `expected` (incoming flows).
   */
  readonly activation: Expression;
  /** Conditions on the flows out of it see `waitingForStart`: true as it is activated, false as it starts again. */
  readonly defaultFlow?: FlowId;
}

/** Waits for the events its flows lead to (catching events, receive tasks); the first one goes on, the others are off. */
export interface EventBasedGateway extends ElementBase {
  readonly kind: "event-based-gateway";
  /** Without an incoming flow, those events start the process: one of them, or each, in the instance of the first. */
  readonly instantiate?: "exclusive" | "parallel";
}

export interface ParallelGateway extends ElementBase {
  readonly kind: "parallel-gateway";
}

export interface SubProcess extends ActivityBase {
  readonly kind: "sub-process";
  readonly variables?: readonly VariableDeclaration[];
  /** An event sub-process: it starts when its start event is triggered, any time while the scope around it runs. */
  readonly triggeredByEvent?: true;
  /** A cancel end event in it undoes what completed in it, and goes on at its cancel boundary event. */
  readonly transaction?: true;
}

/**
 * Activities without a prescribed order: those without incoming flows are activated when somebody chooses them, as often
 * as they like. Its definition chooses as it starts (`activate`), or a job does, again and again, or commands do.
 */
export interface AdHocSubProcess extends ActivityBase {
  readonly kind: "ad-hoc-sub-process";
  /** `sequential`: one after the other. */
  readonly ordering: "parallel" | "sequential";
  /** Gives the list of what to activate at the start: ids, or `{element, variables}`. */
  readonly activate?: Source;
  /** Is given its inputs, `elements` to choose from and `results` so far; answers `{activate?, done?}`. */
  readonly job?: JobDefinition;
  /** Asked after each activity, with `completed`, `active` and what `output` collects; true ends it. */
  readonly completion?: Expression;
  /** Whether that ends what still runs, too. */
  readonly cancelRemaining: boolean;
  /** What each activity in it yields (evaluated in its scope as it completes) and the variable that collects them. */
  readonly output?: { readonly target: string; readonly source: Source };
  readonly variables?: readonly VariableDeclaration[];
}

export interface CallActivity extends ActivityBase {
  readonly kind: "call-activity";
  /** Id of the called process. Its variables are the inputs; its declared outputs are visible to `outputs`. */
  readonly process: string;
  /** Gives that id as it is called, a text; `process` is then only what lists show of it. */
  readonly processFrom?: Source;
  /** `deployment`: what was deployed together with this program. */
  readonly binding: "deployment" | "latest" | { readonly version: string };
}

export type Activity =
  | ServiceTask
  | SendTask
  | ReceiveTask
  | ScriptTask
  | ManualTask
  | BusinessRuleTask
  | UserTask
  | SubProcess
  | AdHocSubProcess
  | CallActivity;
/** What contains elements. */
export type Container = SubProcess | AdHocSubProcess;
export type Element =
  | Activity
  | StartEvent
  | EndEvent
  | IntermediateCatchEvent
  | IntermediateThrowEvent
  | BoundaryEvent
  | ComplexGateway
  | ExclusiveGateway
  | EventBasedGateway
  | InclusiveGateway
  | ParallelGateway;
export type ElementKind = Element["kind"];

export interface Flow {
  readonly id: FlowId;
  readonly from: ElementId;
  readonly to: ElementId;
  /** Only on flows out of exclusive, inclusive and complex gateways and out of activities; evaluated in the order of `flows`. */
  readonly condition?: Expression;
  readonly name?: string;
}

/**
 * A compiled process definition: plain JSON, immutable, named by `hash` (SHA-256 of its canonical JSON without the
 * field itself, computed by the compiler; the kernel only carries it).
 */
export interface ProgramDocument {
  readonly format: 1;
  readonly id: string;
  readonly version: string;
  readonly name: string;
  readonly hash: string;
  readonly variables: readonly VariableDeclaration[];
  /** Names of the process-level variables handed to whoever called or started the process. */
  readonly outputs: readonly string[];
  readonly elements: readonly Element[];
  readonly flows: readonly Flow[];
  /** The text it was compiled from, when that is a drawing. It is no part of the hash: moving a shape changes nothing. */
  readonly source?: { readonly format: "bpmn"; readonly text: string };
  /** What an error that nothing catches does after it ended everything: `compensate` undoes completed work first. */
  readonly onError: "fail" | "compensate";
}
