import type {
  Command,
  CreateInstance,
  Event,
  FailureInfo,
  JsonObject,
  ProgramDocument,
  QueueClass,
  Rejection,
  Routing,
} from "@tutti/kernel";
import type { Change, InstanceRecord, LogRow } from "../embedded/store.ts";
import type { OwnCommand } from "../embedded/turn/inbox.ts";
import type { ForkRequest, InstanceCommand, MessageReceiver } from "../port.ts";
import type { Parcel, ParcelAnswer, PostActivities } from "./message/contract.ts";

/*
 * What goes over the border between the workflow sandbox and the rest: names and plain JSON, nothing that either side
 * could not have. Both sides import this file, so it imports types alone.
 */

/** As the kernel's, with the name of the program in the place of the program. */
export interface MigrateOrder {
  readonly type: "migrate-instance";
  readonly process: string;
  readonly hash: string;
  /** What calls with `deployment` binding are bound to from then on. */
  readonly deployment: string;
  readonly mapping: { readonly [element: string]: string };
  readonly reason: string;
  readonly actor: string;
}

type Untimed<C> = C extends Command ? Omit<C, "at"> : never;
/** The time of a command is the sandbox's. */
export type UntimedCommand = Untimed<Exclude<Command, { type: "migrate-instance" }>> | MigrateOrder;

/** What an execution begins with. Its workflow id is the instance id, its type the process. */
export interface ProcessInput {
  readonly hash: string;
  /** The program of that hash, where it is small: otherwise it is read. */
  readonly document?: ProgramDocument;
  /** Types of jobs that are short by their handlers, in the process that began this. */
  readonly shortTypes?: readonly string[];
  /** What calls with `deployment` binding are bound to. */
  readonly deployment: string;
  /** Nothing that payloads say is to be told beside them. */
  readonly secret?: true;
  /** Nothing takes payloads that are too large for the server elsewhere. */
  readonly limited?: true;
  readonly requestId: string | null;
  /** The channel of the message that starts it, of those with a key. */
  readonly startedBy?: string | null;
  /** Who has had the message with this instance, of one that is remembered. */
  readonly received?: { readonly number: number; readonly receivers: readonly MessageReceiver[] };
  /** Epoch ms at which the start was asked for. */
  readonly askedAt: number;
  readonly create: Omit<CreateInstance, "at">;
  /** Of a fork: what it begins with, in the place of `create`. */
  readonly fork?: ForkOrder;
  /** It came from another engine: the log has it already. `create` is but what it is called by. */
  readonly adopted?: true;
  /** Of an instance that goes on: what the execution before left. */
  readonly carried?: Carried;
}

export type ForkOrder = ForkRequest & Required<Pick<ForkRequest, "newId">>;

/** What a fork is in the log, with the kernel's snapshot of its state; or which fork the request had begun before. */
export type Forked =
  | { readonly ok: true; readonly state: JsonObject; readonly record: InstanceRecord }
  | { readonly ok: false; readonly rejection: Rejection }
  | { readonly ok: false; readonly instanceId: string };

/** What the log has of an instance that came from another engine, with the kernel's snapshot of its state. */
export type Adopted = Omit<Extract<Forked, { readonly ok: true }>, "ok">;

/** All that an instance is between two executions. */
export interface Carried {
  /** A snapshot of the kernel's. */
  readonly state: JsonObject;
  readonly record: InstanceRecord;
  readonly inbox: readonly UntimedCommand[];
  /** Offers of jobs so far: fencing tokens grow on. */
  readonly offers: number;
  readonly parcels?: CarriedParcels;
}

/** What brokers have brought. */
export interface CarriedParcels {
  /** Ids of the newest, with what was answered. */
  readonly answers: readonly (readonly [id: string, answer: ParcelAnswer])[];
  readonly kept: readonly Parcel[];
}

/** Why there is no such instance, or which one the request began before. */
export type Began =
  | { readonly ok: true; readonly instanceId: string }
  | { readonly ok: false; readonly rejection: Rejection };

export type CommandAnswer =
  | { readonly ok: true; readonly position: number }
  | { readonly ok: false; readonly rejection: Rejection };

/** Why an instance is not given up for another engine. */
export type ReleaseAnswer = { readonly ok: true } | { readonly ok: false; readonly rejection: Rejection };

/** With the events of the command, or those that it would have. */
export type MigrateAnswer =
  | { readonly ok: true; readonly position: number | null; readonly events: readonly Event[] }
  | { readonly ok: false; readonly rejection: Rejection };

/** Names are what people see in Temporal's own tools. */
export const names = {
  /** Update: the answer to a start. */
  begin: "begin",
  /** Update: a command of a caller. */
  command: "command",
  /** Update: going on under another program. */
  migrate: "migrate",
  /** Update: what `migrate` would do. */
  tryMigration: "tryMigration",
  /** Update: giving it up for another engine. */
  release: "release",
  /** Signal: a command of another instance. */
  tell: "tell",
} as const;

/** One command's events, and which command it was: `cause` is a hash of it. */
export type Told = Required<Pick<LogRow, "sequence" | "at" | "events" | "cause">>;

/**
 * One command's events, with what they change in the tables. The number of the instance is filled in where they are
 * written. The row that creates an instance begins with its `instance-put`.
 */
export interface ProjectedRow extends Told {
  /** The program that it was under, where it goes on under another one. */
  readonly movedFrom?: string;
  readonly changes: readonly Change[];
}

export interface Projection {
  readonly instanceId: string;
  readonly rows: readonly ProjectedRow[];
  /** What changes in the tables without an event; only as long as the instance has so many of them. */
  readonly beside?: { readonly sequence: number; readonly changes: readonly Change[] };
}

/**
 * Positions in the log, one a row; or the instance that the request or the id belongs to already; or nothing was
 * written, because the log has something else from here on.
 */
export type Projected =
  | {
      readonly ok: true;
      readonly positions: readonly number[];
      /** Types of jobs that are short by their handlers, in the process that wrote this. */
      readonly shortTypes?: readonly string[];
    }
  | { readonly ok: false; readonly instanceId: string }
  | { readonly ok: false; readonly differs: true };

/** An instance as it was after an event, and the rows that the log has from there on. */
export interface Recalled {
  /** A snapshot of the kernel's. */
  readonly state: JsonObject;
  readonly rows: readonly Told[];
}

export interface CallWanted {
  readonly process: string;
  readonly binding: "deployment" | "latest" | { readonly version: string };
  readonly deployment: string;
  readonly routing: Routing;
  /** It undoes what an instance of this very program did. */
  readonly undoneHash?: string;
}

/** What a call starts. */
export interface Resolved {
  readonly hash: string;
  readonly deployment: string;
  /** Former releases did not say. */
  readonly version?: string;
}

/** Short activities that the worker of the workflows does itself. */
export interface LocalActivities {
  program(hash: string): Promise<ProgramDocument>;
  project(projection: Projection): Promise<Projected>;
  /** Writes the rows that a fork begins with, and the end of the original that it takes the place of, in one turn. */
  fork(order: ForkOrder): Promise<Forked>;
  /** What the log has of an instance before its execution has said anything; null: it has moved on. */
  adopted(instanceId: string): Promise<Adopted | null>;
  /** What the log has of an instance, parted after event number `after`. */
  recall(wanted: { readonly instanceId: string; readonly after: number }): Promise<Recalled>;
  /** Pauses activities of an instance, or lets them go on. Those that have ended are left alone. */
  setHeld(wanted: {
    readonly instanceId: string;
    readonly activityIds: readonly string[];
    readonly held: boolean;
  }): Promise<void>;
  /** Gives those that wait for a worker, and holds them back for good; those that run go on, unless `held`. */
  holdWaiting(wanted: {
    readonly instanceId: string;
    readonly activityIds: readonly string[];
    readonly held: boolean;
  }): Promise<readonly string[]>;
  /** What the engine refuses before an instance is asked, and why; null: it does not. */
  refusedAtDoor(wanted: {
    readonly instanceId: string;
    readonly command: InstanceCommand;
  }): Promise<FailureInfo | null>;
  /** Undefined becomes null on the way. */
  resolveCall(wanted: CallWanted): Promise<Resolved | null>;
}

/** Not for jobs: what the worker of the workflows does under these names is something else. */
export const ownLocalActivities: { readonly [K in keyof (LocalActivities & PostActivities)]: true } = {
  program: true,
  project: true,
  fork: true,
  adopted: true,
  recall: true,
  setHeld: true,
  holdWaiting: true,
  refusedAtDoor: true,
  resolveCall: true,
  post: true,
};

/** A short job, done by a local activity of its type: after the rows of the turn that offers it are in the log. */
export interface ShortOrder {
  readonly order: JobOrder;
  /** Null where the rows are there already. */
  readonly projection: Projection | null;
}

export interface ShortAnswer {
  readonly projected: Projected | null;
  readonly done: ShortDone;
}

/** `unfit`: it took too long for a short one, or gave too much. Otherwise nobody could do it there and then. */
export type ShortDone =
  | { readonly ok: true; readonly answer: JobAnswer; readonly chars: number }
  | { readonly ok: false; readonly unfit: boolean };

/** The input of a job's activity, whose type is the job type. */
export interface JobOrder {
  readonly instanceId: string;
  readonly rootId: string;
  readonly key: number;
  readonly elementId: string;
  readonly queue: QueueClass;
  readonly priority: number;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly timeoutMs: number | null;
  readonly input: JsonObject;
  readonly headers: JsonObject;
  /** Counts the offers of this instance: a later lease has a greater token. */
  readonly offer: number;
}

/** What a job's activity gives. */
export type JobAnswer = OwnCommand;

/** Those who work at a place take its jobs, of whatever class. Every other job is on the task queue of its class. */
export function jobTaskQueue(taskQueue: string, { queue, headers }: Pick<JobOrder, "queue" | "headers">): string {
  const place = headers["tutti.place"];
  return typeof place === "string" ? placeTaskQueue(taskQueue, place) : classTaskQueue(taskQueue, queue);
}

export function classTaskQueue(taskQueue: string, queue: QueueClass): string {
  return `${taskQueue}-${queue}`;
}

export function placeTaskQueue(taskQueue: string, place: string): string {
  return `${taskQueue}-at-${place}`;
}
