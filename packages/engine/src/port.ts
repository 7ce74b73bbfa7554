import type {
  Command,
  Event,
  InstanceView,
  JobHandler,
  Json,
  JsonObject,
  ProgramDocument,
  QueueClass,
  Rejection,
} from "@tutti/kernel";

/** What a caller may send to an instance: the engine adds `at`, and keeps for itself what only it can know. */
type External<C> = C extends Command ? Omit<C, "at"> : never;
export type InstanceCommand = External<
  Exclude<Command, { type: "create-instance" | "fire-timer" | "end-child" | "continue" }>
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
  /** Absent: what was deployed last. */
  readonly version?: string;
  /** Absent: made by the engine. */
  readonly instanceId?: string;
  readonly businessKey?: string;
  readonly variables: JsonObject;
  readonly priority?: number;
  readonly queue?: QueueClass;
  readonly actor: string;
}

/** `position` is the log row of the command; the answer came after it was durable. */
export type Outcome =
  | { readonly ok: true; readonly position: number }
  | { readonly ok: false; readonly rejection: Rejection };

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
    filter: { readonly instanceId?: string; readonly rootId?: string; readonly assignee?: string };
    row: TaskRow;
  };
  incidents: { filter: { readonly instanceId?: string; readonly rootId?: string }; row: IncidentRow };
  queues: { filter: Record<never, never>; row: QueueRow };
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
  command(instanceId: string, command: InstanceCommand): Promise<Outcome>;
  instance(instanceId: string): Promise<InstanceView>;
  query<V extends keyof Views>(
    view: V,
    filter?: Views[V]["filter"],
    page?: { readonly after?: string; readonly limit?: number },
  ): Promise<Page<Views[V]["row"]>>;
  history(request?: HistoryRequest): AsyncIterable<RecordedEvent>;
  /** One handler per job type; a second is refused. Jobs without a handler wait. */
  work(jobType: string, handler: JobHandler, options?: WorkOptions): Stop;
  /** Slots of a queue class; takes effect at once, running jobs are not ended. */
  adjustQueue(queue: QueueClass, slots: number): Promise<void>;
  /** Ends handlers within `graceMs` (default 5 000) and releases the store. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}
