import type {
  Command,
  ElementId,
  Event,
  InstanceView,
  JobHandler,
  Json,
  JsonObject,
  ProgramDocument,
  QueueClass,
  Rejection,
  Rollout,
  RolloutPlan,
} from "@tutti/kernel";

/** What a caller may send to an instance: the engine adds `at`, and keeps for itself what only it can know. */
type External<C> = C extends Command ? Omit<C, "at"> : never;
export type InstanceCommand = External<
  Exclude<
    Command,
    {
      type:
        | "create-instance"
        | "fire-timer"
        | "deliver-message"
        | "deliver-signal"
        | "end-child"
        | "continue"
        | "migrate-instance"
        | "fork-instance";
    }
  >
>;

/** One row of the deployment: programs deployed together are bound to each other. */
export interface Deployment {
  readonly id: string;
  readonly programs: readonly { readonly process: string; readonly version: string; readonly hash: string }[];
}

export interface StartRequest {
  /** Starting twice with one request id starts once and gives the first instance's id. ≤ 200 characters. */
  readonly requestId: string;
  readonly process: string;
  /** Absent: what its rollout says, or else what was deployed last. */
  readonly version?: string;
  /** Stays with one version while a rollout is under way. Absent: the business key, else the instance id. */
  readonly routingKey?: string;
  /** Absent: made by the engine. */
  readonly instanceId?: string;
  readonly businessKey?: string;
  /** The start event to begin at, where there are several. Absent: the first that needs no trigger. */
  readonly start?: ElementId;
  readonly variables: JsonObject;
  readonly priority?: number;
  readonly queue?: QueueClass;
  readonly actor: string;
}

export interface MigrateRequest {
  /** The process to go on under: usually another version of the same. */
  readonly process: string;
  /** Absent: what was deployed last. */
  readonly version?: string;
  /** Elements that are called otherwise there. */
  readonly mapping?: { readonly [element: string]: string };
  /** Only tells what would happen. */
  readonly dryRun?: boolean;
  readonly reason: string;
  readonly actor: string;
}

/** What a migration did, or would do, as its events; `position` is null for a dry run. */
export type Migration =
  | { readonly ok: true; readonly position: number | null; readonly events: readonly Event[] }
  | { readonly ok: false; readonly rejection: Rejection };

export interface ForkRequest {
  /** Forking twice with one request id forks once and gives the first fork's id. ≤ 200 characters. */
  readonly requestId: string;
  /** The instance to fork; it may have ended since. */
  readonly instanceId: string;
  /** The last row of the log that the fork has of it; a row of others counts for the one before. Absent: all it has. */
  readonly at?: Pick<Cursor, "position">;
  /** The fork's own id. Absent: made by the engine. */
  readonly newId?: string;
  /**
   * Rolls back: the original, if it is open, is cancelled in the same step with its jobs, timers and children, and the
   * fork takes its place: a message that would start a second one waits for it. What the original was given since is
   * not given again. A called instance is not rolled back but its caller.
   */
  readonly cancelOriginal?: boolean;
  readonly reason: string;
  readonly actor: string;
}

/** All that another engine needs to go on with an instance. Plain JSON. */
export interface MovedInstance {
  readonly instanceId: string;
  readonly businessKey: string | null;
  readonly requestId: string | null;
  /** The channel of the message that started it, of those with a key. */
  readonly startedBy: string | null;
  /** Names the program that it is under. */
  readonly hash: string;
  /** What its calls with `deployment` binding are bound to. */
  readonly deployment: Deployment;
  /** Where those are that undo what it called, as far as it was bound to others. */
  readonly undoing: readonly Deployment[];
  /** All of these deployments, and its own. */
  readonly programs: readonly ProgramDocument[];
  /** Everything that happened in it, the events of one command a row. */
  readonly rows: readonly MovedRow[];
}

export interface MovedRow {
  /** Number of the first event within the instance, from 1. */
  readonly sequence: number;
  /** Epoch ms. */
  readonly at: number;
  readonly events: readonly Event[];
}

export interface AdoptOptions {
  readonly reason: string;
  readonly actor: string;
}

export interface CommandOptions {
  /**
   * For who asks again because an answer was lost on its way from a server: the same id is the same command. An engine in
   * this process loses none, and takes no notice of it. ≤ 200 characters.
   */
  readonly requestId?: string;
}

/** `position` is the log row of the command; the answer came after it was durable. */
export type Outcome =
  | { readonly ok: true; readonly position: number }
  | { readonly ok: false; readonly rejection: Rejection };

/** Something that happened, for whoever waits for it: by its name, and by its key if it has one. */
export interface MessageRequest {
  /** 1 to 200 characters. */
  readonly name: string;
  /** 1 to 200 characters. Absent is a key of its own: it meets only those who wait without one. */
  readonly correlationKey?: string;
  /** Publishing twice with one id publishes once, for an hour at least. ≤ 200 characters. */
  readonly id?: string;
  /** How long it is kept for those who do not wait yet; at most 366 days. Absent: 0, for those alone who wait now. */
  readonly ttlMs?: number;
  readonly variables: JsonObject;
}

/** What became of a message so far. */
export interface Correlated {
  /** There was one with this id: this is what became of that. */
  readonly duplicate: boolean;
  /** Epoch ms until which those who come to wait for it get it; null when it is not kept. */
  readonly keptUntil: number | null;
  /** Who got it, at most one instance of each process. One that is paused gets it when it is resumed. */
  readonly instances: readonly MessageReceiver[];
  /** Processes that begin with it and refused to, with the reason: a required variable that it did not bring. */
  readonly refused: readonly { readonly process: string; readonly reason: string }[];
}

export interface MessageReceiver {
  readonly process: string;
  readonly instanceId: string;
  /** The message started it. */
  readonly started: boolean;
}

/** Something that happened, for everybody who waits for it at this moment. */
export interface SignalRequest {
  /** 1 to 200 characters. */
  readonly name: string;
  /** Broadcasting twice with one id within the hour broadcasts once. ≤ 200 characters. */
  readonly id?: string;
  readonly variables: JsonObject;
}

/** Where a reader of the log stands: after event `index` of row `position`. {0, 0} is the beginning. */
export interface Cursor {
  readonly position: number;
  readonly index: number;
}

export interface RecordedEvent {
  readonly cursor: Cursor;
  readonly instanceId: string;
  readonly rootId: string;
  /** Number of the event within its instance, from 1. */
  readonly sequence: number;
  /** It happened in the instance that this one was forked from, and was told there. Absent: in this one. */
  readonly copied?: true;
  /** Epoch ms. */
  readonly at: number;
  readonly event: Event;
}

export interface HistoryRequest {
  readonly after?: Cursor;
  /** Only this instance. */
  readonly instanceId?: string;
  /** Only this instance and all it called. */
  readonly rootId?: string;
  /** Stay and give new events as they become durable; ends when `signal` aborts. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** Lists, newest first unless said; each row is plain JSON. `limit` ≤ 1 000 (default 100). */
export interface Views {
  instances: {
    filter: {
      readonly status?: InstanceStatusFilter;
      readonly process?: string;
      readonly rootId?: string;
      readonly parentId?: string;
    };
    row: InstanceRow;
  };
  jobs: {
    filter: { readonly instanceId?: string; readonly rootId?: string; readonly queue?: QueueClass };
    row: JobRow;
  };
  tasks: {
    filter: {
      readonly instanceId?: string;
      readonly rootId?: string;
      readonly assignee?: string;
      /** Of the task within its instance. */
      readonly key?: number;
    };
    row: TaskRow;
  };
  incidents: { filter: { readonly instanceId?: string; readonly rootId?: string }; row: IncidentRow };
  queues: { filter: Record<never, never>; row: QueueRow };
  subscriptions: {
    filter: { readonly instanceId?: string; readonly rootId?: string; readonly name?: string };
    row: SubscriptionRow;
  };
  /** Those that are kept for somebody to come. */
  messages: { filter: { readonly name?: string }; row: MessageRow };
  /** Starts that a message, signal or schedule asked for and that were refused; the newest 10 000. */
  refusals: { filter: { readonly process?: string }; row: RefusalRow };
  /** Everything deployed, by process, the newest version first. */
  versions: { filter: { readonly process?: string }; row: VersionRow };
  /** Plans at work, by process; also one that its guard took back. */
  rollouts: { filter: { readonly process?: string }; row: Rollout };
  /** Timer start events of what is deployed: what begins by itself, the soonest first. */
  schedules: { filter: { readonly process?: string }; row: ScheduleRow };
}
export type InstanceStatusFilter = "open" | "running" | "paused" | "completed" | "failed" | "cancelled";

export interface InstanceRow {
  readonly instanceId: string;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly process: string;
  readonly version: string;
  readonly hash: string;
  readonly businessKey: string | null;
  readonly status: "running" | "paused" | "failing" | "completed" | "failed" | "cancelled";
  readonly incidents: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
}

export interface JobRow {
  readonly instanceId: string;
  readonly rootId: string;
  readonly key: number;
  readonly element: string;
  readonly jobType: string;
  readonly queue: QueueClass;
  readonly priority: number;
  readonly attempt: number;
  readonly state: "queued" | "running" | "backoff" | "held";
  /** Epoch ms. */
  readonly since: number;
  readonly progress: { readonly note?: string; readonly percent?: number; readonly data?: JsonObject } | null;
}

export interface TaskRow {
  readonly instanceId: string;
  readonly rootId: string;
  readonly key: number;
  readonly element: string;
  readonly title: string;
  readonly assignee: string | null;
  readonly candidates: readonly string[];
  readonly createdAt: number;
  readonly dueAt: number | null;
  readonly form: JsonObject | null;
  readonly input: JsonObject;
  /** 0 to 100, the most urgent last. */
  readonly priority: number;
  readonly followUpAt: number | null;
  /** Who delegated it to the assignee, and gets it back. */
  readonly owner: string | null;
  /** When work on it began. */
  readonly startedAt: number | null;
  readonly escalations: number;
  /** How often people were told about it by its SLA. */
  readonly notifications: number;
}

export interface IncidentRow {
  readonly instanceId: string;
  readonly rootId: string;
  readonly key: number;
  readonly element: string | null;
  readonly kind: string;
  readonly code: string;
  readonly message: string;
  readonly details: Json;
  readonly at: number;
}

export interface QueueRow {
  readonly queue: QueueClass;
  readonly slots: number;
  readonly running: number;
  readonly waiting: number;
}

/** What an instance waits for from outside, besides jobs, timers and people. */
export interface SubscriptionRow {
  readonly instanceId: string;
  readonly rootId: string;
  readonly key: number;
  readonly element: string;
  readonly kind: "message" | "signal";
  readonly name: string;
  readonly correlationKey: string | null;
  /** Epoch ms. */
  readonly since: number;
}

export interface MessageRow {
  readonly name: string;
  readonly correlationKey: string | null;
  readonly id: string | null;
  readonly variables: JsonObject;
  /** Epoch ms, both. */
  readonly publishedAt: number;
  readonly keptUntil: number;
  /** Who got it so far. */
  readonly instances: readonly MessageReceiver[];
}

/** An instance that should have begun and did not. Nobody waits for an answer, so it is told here. */
export interface RefusalRow {
  readonly process: string;
  readonly version: string;
  readonly cause: "message" | "signal" | "schedule";
  /** Of the message or signal; of a schedule its start event. */
  readonly name: string;
  readonly correlationKey: string | null;
  /** Of a message that has one. */
  readonly messageId: string | null;
  readonly code: string;
  readonly reason: string;
  /** Epoch ms. */
  readonly at: number;
}

/** One version of a process, with what became of its instances. */
export interface VersionRow {
  readonly process: string;
  readonly version: string;
  readonly hash: string;
  readonly latest: boolean;
  /** Its share of new instances that name no version, in percent; segments of a rollout aside. */
  readonly percent: number;
  /** The guard of a rollout took it back. */
  readonly rolledBack: Rollout["rolledBack"];
  /** Those that began under it; one that migrated since runs and ends under another. */
  readonly started: number;
  /** Open now. */
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Open incidents. */
  readonly incidents: number;
  /** Of completed instances; null without one. */
  readonly meanDurationMs: number | null;
  /** The same, within a tenth. */
  readonly medianDurationMs: number | null;
  readonly p95DurationMs: number | null;
}

/** A process begins by itself, at this element. */
export interface ScheduleRow {
  readonly process: string;
  readonly element: string;
  /** Epoch ms. */
  readonly dueAt: number;
  /** How often after that; null: for ever. */
  readonly remaining: number | null;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Give it back to continue; absent at the end. */
  readonly next?: string;
}

export interface WorkOptions {
  /** Who works, for the audit. Default: the job type. */
  readonly actor?: string;
  /** At most this many jobs of this handler at once, besides the slots of the queue classes. */
  readonly concurrency?: number;
  /** A job without a heartbeat for this long is taken away and offered again. Absent: no limit (in-process handlers). */
  readonly silenceMs?: number;
  /**
   * Its jobs end within a moment. Where a step costs a round trip (on Temporal), they are done beside the decisions of
   * their instance; one that takes longer than 2 s is offered again, as an ordinary one.
   */
  readonly short?: boolean;
  /** Others that say so, too, may work on the same type: each job goes to the one that has the fewest under way. */
  readonly shared?: boolean;
}

/** Stops taking jobs, then waits until the running ones have ended or `graceMs` have passed (those are aborted). */
export type Stop = (options?: { readonly graceMs?: number }) => Promise<void>;

/**
 * Runs process instances durably. Every method that changes something resolves after it is durable. Rejects with
 * AppError `engine-closed` after close, `storage-failed` while the store refuses to write, `program-not-found`,
 * `instance-not-found`; refusals by the rules of the process are values (`Outcome`).
 */
export interface Engine {
  /** Idempotent: the same content gives the same hashes. The newest deployment of a process id is its `latest`. */
  deploy(documents: readonly ProgramDocument[]): Promise<Deployment>;
  start(request: StartRequest): Promise<string>;
  /** Rejects with `form-misfit` when it completes a user task with a result that its form (JSON Schema) does not take. */
  command(instanceId: string, command: InstanceCommand, options?: CommandOptions): Promise<Outcome>;
  publish(message: MessageRequest): Promise<Correlated>;
  /** Resolves once it is certain that everybody who waits gets it; it may still be on its way to some. */
  broadcast(signal: SignalRequest): Promise<void>;
  /**
   * Shares new instances of a process between two of its versions, from now on; null ends that, and all get the latest
   * again. Refused with `rollout-invalid`.
   */
  rollout(process: string, plan: RolloutPlan | null): Promise<Rollout | null>;
  /** Goes on under another deployed program, as the same instance; or says everything that is in the way. */
  migrate(instanceId: string, request: MigrateRequest): Promise<Migration>;
  /**
   * A new instance whose log begins with that of another one up to some command, and which goes on from there. What was
   * open then is open in it, too: jobs run again under its id, called instances start anew. The original stays.
   * Rejects with `fork-refused` when there is nothing to go on with at that point.
   */
  fork(request: ForkRequest): Promise<string>;
  /**
   * Gives an instance up, for another engine to go on with what this gives: from then on it is not there any more, but
   * in the log. It has to be paused, with no job that somebody works on, no called instance that is open, and nothing
   * kept for it; otherwise this rejects with `move-refused`. Given up already, it is given again.
   */
  release(instanceId: string): Promise<MovedInstance>;
  /**
   * Goes on with an instance that another engine gave up, or this one: under its id, with its history, and paused. Its
   * timers keep their instants. Adopting again changes nothing. Rejects with `move-refused` where the id is another's.
   */
  adopt(moved: MovedInstance, options: AdoptOptions): Promise<void>;
  instance(instanceId: string): Promise<InstanceView>;
  query<V extends keyof Views>(
    view: V,
    filter?: Views[V]["filter"],
    page?: { readonly after?: string; readonly limit?: number },
  ): Promise<Page<Views[V]["row"]>>;
  /**
   * Every event in order, each once, from any cursor. It is also the outbox of what people are to be told: the rules of
   * a user task make `task-notified` and `task-escalated` durable with everything else, and nobody delivers them but
   * who follows. Whoever keeps the cursor with what was delivered gets each once, over crashes on both sides;
   * `instanceId` and `sequence` name it, for receivers that are told twice. Those that are `copied` were told before.
   */
  history(request?: HistoryRequest): AsyncIterable<RecordedEvent>;
  /** One handler per job type; a second is refused. Jobs without a handler wait. */
  work(jobType: string, handler: JobHandler, options?: WorkOptions): Stop;
  /** Slots of a queue class; takes effect at once, running jobs are not ended. */
  adjustQueue(queue: QueueClass, slots: number): Promise<void>;
  /** Ends handlers within `graceMs` (default 5 000) and releases the store. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}
