import type {
  ChannelName,
  Effect,
  Event,
  JsonObject,
  Key,
  ProgramDocument,
  QueueClass,
  StartTrigger,
  VersionFigures,
} from "@tutti/kernel";
import type {
  Deployment,
  IncidentRow,
  InstanceRow,
  MessageRow,
  Page,
  RefusalRow,
  SubscriptionRow,
  TaskRow,
  Views,
} from "../port.ts";
import type {
  BeginWanted,
  Broadcast,
  ChannelRows,
  ChannelWanted,
  CoordinationChange,
  Kept,
  MessageCounts,
  OpenSubscription,
  QueueWanted,
  SignalWanted,
  StoredMessage,
  StoredRollout,
  StoredSchedule,
  Unmatched,
} from "./message/coordination.ts";

/** An instance's short name inside one store: counted from 1, given by the engine, never reused. */
export type InstanceNumber = number;

/** What is known of an instance without loading it. */
export interface InstanceRecord {
  readonly number: InstanceNumber;
  readonly instanceId: string;
  readonly rootId: string;
  readonly parentId: string | null;
  process: string;
  version: string;
  /** Names the program. */
  hash: string;
  /** What its calls with `deployment` binding are bound to. */
  deployment: string;
  readonly businessKey: string | null;
  readonly requestId: string | null;
  /** The channel of the message that started it, of those with a key: `[name, correlationKey]` as JSON. */
  readonly startedBy: string | null;
  /** So many of its first events are those of the instance that it was forked from. */
  copied: number;
  /** `moved`: another engine goes on with it, and nothing of it is open here. */
  status: InstanceRow["status"] | "moved";
  /** Its jobs do not start. */
  held: boolean;
  incidents: number;
  startedAt: number;
  endedAt: number | null;
}

/** One command's events: the unit of the log. */
export interface LogRow {
  /** 1, 2, 3 … without gaps. */
  readonly position: number;
  readonly instance: InstanceNumber;
  /** Number of the first event within the instance, from 1. */
  readonly sequence: number;
  readonly at: number;
  readonly events: readonly Event[];
  /** What tells the command from others that were given at the time, where who decides may have to prove it. */
  readonly cause?: number;
}

/** A row of the log with what readers want to know of its instance. */
export interface NamedLogRow extends LogRow {
  readonly instanceId: string;
  readonly rootId: string;
  readonly copied: number;
}

/** An open job, without its input: that is in the instance's state. */
export interface OpenJob {
  readonly instance: InstanceNumber;
  readonly key: Key;
  readonly element: string;
  readonly jobType: string;
  readonly queue: QueueClass;
  readonly priority: number;
  readonly attempt: number;
  readonly notBefore: number;
  readonly since: number;
  readonly limitKey: string | null;
}

/** An open job as a list shows it. */
export interface ListedJob extends OpenJob {
  readonly instanceId: string;
  readonly rootId: string;
  readonly held: boolean;
}

export interface ArmedTimer {
  readonly due: number;
  readonly instance: InstanceNumber;
  readonly key: Key;
}

/** The effects that reach an instance: another one, or the same again. */
export type InstanceMessage = Extract<
  Effect,
  {
    readonly type:
      | "start-child"
      | "cancel-child"
      | "pause-child"
      | "resume-child"
      | "answer-parent"
      | "escalate-parent"
      | "continue";
  }
>;
/** With those that reach whoever waits, and what was given to an instance that cannot take it yet. */
export type Message =
  | InstanceMessage
  | Extract<Effect, { readonly type: "publish-message" | "broadcast-signal" }>
  | Kept
  | Broadcast;

/** What one instance still has to tell another, or itself. Deleted in the turn that does it. */
export interface OutboxEntry {
  readonly id: number;
  /** Who says it. */
  readonly from: Pick<InstanceRecord, "instanceId" | "rootId" | "deployment">;
  readonly message: Message;
}

/** What a task is that was written before there was more to say of one. */
export const taskDefaults: Pick<
  TaskRow,
  "priority" | "followUpAt" | "owner" | "startedAt" | "escalations" | "notifications"
> = { priority: 50, followUpAt: null, owner: null, startedAt: null, escalations: 0, notifications: 0 };

type OpenTask = Omit<TaskRow, "instanceId" | "rootId"> & { readonly instance: InstanceNumber };
type OpenIncident = Omit<IncidentRow, "instanceId" | "rootId"> & { readonly instance: InstanceNumber };

/** The incident that shows a quarantine: no incident of a process has this key. */
export const quarantineKey: Key = 0;

/** What a turn changes beside the log. Applied in order. */
export type Change =
  | { readonly type: "instance-put"; readonly record: InstanceRecord }
  /** Status, held, incidents and end; read from the record as it is at the commit. */
  | { readonly type: "instance-update"; readonly record: InstanceRecord }
  /** Its program is another one from now on, or more of its events are copied. */
  | { readonly type: "instance-move"; readonly record: InstanceRecord }
  | { readonly type: "job-put"; readonly job: OpenJob }
  | { readonly type: "job-move"; readonly instance: InstanceNumber; readonly key: Key; readonly element: string }
  | { readonly type: "job-delete"; readonly instance: InstanceNumber; readonly key: Key }
  | { readonly type: "timer-put"; readonly timer: ArmedTimer }
  | { readonly type: "timer-delete"; readonly instance: InstanceNumber; readonly key: Key }
  | { readonly type: "task-put"; readonly task: OpenTask }
  | { readonly type: "task-delete"; readonly instance: InstanceNumber; readonly key: Key }
  | { readonly type: "incident-put"; readonly incident: OpenIncident }
  | { readonly type: "incident-delete"; readonly instance: InstanceNumber; readonly key: Key }
  | { readonly type: "outbox-put"; readonly entry: OutboxEntry }
  | { readonly type: "outbox-delete"; readonly id: number }
  | {
      readonly type: "snapshot-put";
      readonly instance: InstanceNumber;
      /** Events in it. */
      readonly sequence: number;
      /** The last log row in it. */
      readonly position: number;
      readonly state: JsonObject;
    }
  | {
      readonly type: "deployment-put";
      readonly deployment: Deployment;
      /** Deployments are ordered by it; deploying the same again makes it the newest. */
      readonly number: number;
      readonly documents: readonly ProgramDocument[];
      /** What begins its processes from outside, by program hash. */
      readonly starts: { readonly [hash: string]: readonly StartTrigger[] };
    }
  | CoordinationChange
  | ({ readonly type: "figures-put" } & StoredFigures)
  | { readonly type: "slots-put"; readonly queue: QueueClass; readonly slots: number };

/** Everything one turn makes durable: all of it or nothing. */
export interface Turn {
  readonly rows: readonly LogRow[];
  readonly changes: readonly Change[];
}

export interface Snapshot {
  readonly sequence: number;
  readonly position: number;
  readonly state: JsonObject;
}

/** An instance as it must be rebuilt: the snapshot if there is one, then the rows after it. */
export interface StoredInstance {
  readonly record: InstanceRecord;
  readonly snapshot: Snapshot | undefined;
  readonly rows: readonly LogRow[];
}

export interface Wanted {
  readonly instanceIds: readonly string[];
  readonly numbers: readonly InstanceNumber[];
  readonly requestIds: readonly string[];
}

export interface Found {
  readonly instances: readonly StoredInstance[];
  /** Request id → instance id; those not there were never seen. */
  readonly requests: ReadonlyMap<string, string>;
}

export interface Counters {
  readonly position: number;
  readonly instance: InstanceNumber;
  readonly outbox: number;
  readonly deployment: number;
}

/** What an append depends on. */
export interface StandingWanted {
  /** Each once; of its rows those are given that begin at `sequence` or later. */
  readonly instances: readonly { readonly instanceId: string; readonly sequence: number }[];
  readonly requestIds: readonly string[];
  /** Names of programs whose figures are wanted. */
  readonly hashes: readonly string[];
}

/** What the log has at the moment of an append. What was wanted and is not there is not in it. */
export interface Standing {
  readonly counters: Omit<Counters, "outbox">;
  readonly instances: ReadonlyMap<string, { readonly record: InstanceRecord; readonly rows: readonly LogRow[] }>;
  /** Request id → instance id. */
  readonly requests: ReadonlyMap<string, string>;
  readonly figures: ReadonlyMap<string, VersionFigures>;
  /** All there are, like the schedules. */
  readonly rollouts: readonly StoredRollout[];
  readonly schedules: readonly StoredSchedule[];
}

export interface StoredDeployment {
  readonly number: number;
  readonly deployment: Deployment;
  readonly starts: { readonly [hash: string]: readonly StartTrigger[] };
}

export interface StoredFigures {
  readonly hash: string;
  readonly process: string;
  readonly figures: VersionFigures;
}

export interface RowsRequest {
  /** Rows after this position. */
  readonly after: number;
  readonly instanceId?: string;
  readonly rootId?: string;
  /** ≤ 1 000. */
  readonly limit: number;
}

export interface PageRequest {
  readonly after?: string;
  /** ≤ 1 000. */
  readonly limit: number;
}

/** What may be read without owning the store. */
export interface StoreReader {
  find(wanted: Wanted): Promise<Found>;
  rows(request: RowsRequest): Promise<readonly NamedLogRow[]>;
  program(hash: string): Promise<ProgramDocument | undefined>;
  listInstances(filter: Views["instances"]["filter"], page: PageRequest): Promise<Page<InstanceRow>>;
  listJobs(filter: Views["jobs"]["filter"], page: PageRequest): Promise<Page<ListedJob>>;
  listTasks(filter: Views["tasks"]["filter"], page: PageRequest): Promise<Page<TaskRow>>;
  listIncidents(filter: Views["incidents"]["filter"], page: PageRequest): Promise<Page<IncidentRow>>;
  listSubscriptions(filter: Views["subscriptions"]["filter"], page: PageRequest): Promise<Page<SubscriptionRow>>;
  /** Those that still count at `now`. */
  listMessages(
    filter: Views["messages"]["filter"],
    page: PageRequest & { readonly now: number },
  ): Promise<Page<MessageRow>>;
  listRefusals(filter: Views["refusals"]["filter"], page: PageRequest): Promise<Page<RefusalRow>>;
  /** Of those that had an instance. */
  versionFigures(process: string | undefined): Promise<readonly StoredFigures[]>;
  rollouts(): Promise<readonly StoredRollout[]>;
  schedules(): Promise<readonly StoredSchedule[]>;
  deployments(): Promise<readonly StoredDeployment[]>;
  /** Adjusted slots; classes not in it have their default. */
  slots(): Promise<ReadonlyMap<QueueClass, number>>;
  close(): Promise<void>;
}

/** What happens between instances: asked for by whoever brings them together. */
export interface MessageReader {
  channels(wanted: readonly ChannelWanted[]): Promise<readonly ChannelRows[]>;
  /** The oldest messages of a channel that a process has not had and that still count, oldest first. */
  queued(wanted: QueueWanted): Promise<readonly StoredMessage[]>;
  /**
   * Channels of a name with something that a process may still begin with: it counts, the process has not had it and
   * not refused it, and no instance holds the channel. Ordered by key, the one without first.
   */
  beginning(wanted: BeginWanted): Promise<readonly ChannelName[]>;
  /** Subscriptions to a signal that were open at a position of the log, by (instance, key). */
  signalled(wanted: SignalWanted): Promise<readonly OpenSubscription[]>;
  /** Who waits for a message that is there, and whose holder has ended: what a crash kept from getting on. */
  unmatched(now: number): Promise<readonly Unmatched[]>;
  messageCounts(): Promise<MessageCounts>;
  /** What the instances of these numbers are called. */
  instanceIds(numbers: readonly InstanceNumber[]): Promise<ReadonlyMap<InstanceNumber, string>>;
}

/**
 * Where the engine keeps everything. One writer. `commit` resolves once the whole turn survives a crash, and rejects
 * with nothing of it visible; after a rejection the engine calls `reopen` before anything else.
 */
export interface Store extends StoreReader, MessageReader {
  /** Durably counts this opening; fencing tokens start with it, so they grow across restarts. */
  claimEpoch(): Promise<number>;
  counters(): Promise<Counters>;
  standing(wanted: StandingWanted): Promise<Standing>;
  commit(turn: Turn): Promise<void>;
  /** Makes the store usable again after a failed commit, or rejects with `storage-failed`. */
  reopen(): Promise<void>;
  /** Open jobs after (instance, key), in that order. */
  openJobs(
    after: { readonly instance: InstanceNumber; readonly key: Key } | undefined,
    limit: number,
  ): Promise<readonly OpenJob[]>;
  /** Instances that are held, of those with open jobs. */
  heldInstances(): Promise<readonly InstanceNumber[]>;
  /** Instances that are listed as in quarantine. */
  quarantined(): Promise<readonly InstanceNumber[]>;
  /** Armed timers after the given one, by (due, instance, key). */
  timers(after: ArmedTimer | undefined, limit: number): Promise<readonly ArmedTimer[]>;
  /** All of it, oldest first. */
  outbox(): Promise<readonly OutboxEntry[]>;
  /**
   * Of a store that can be lost between two turns, as with a connection: `tell` is called once it is. After that only
   * `reopen` is of use, which rejects with `ownership-lost` when another process has taken over meanwhile.
   */
  watch?(tell: (error: Error) => void): void;
  /** Called when nothing waits: the moment for upkeep that would delay a commit. */
  idle(): void;
}

/** An instance as a list shows it: without what only the engine needs. Those that have moved away are in none. */
export function shownInstance(record: InstanceRecord): InstanceRow {
  const {
    number: _number,
    status,
    deployment: _deployment,
    requestId: _request,
    held: _held,
    startedBy: _by,
    copied: _copied,
    ...shown
  } = record;
  return { ...shown, status: status as InstanceRow["status"] };
}
