import { AppError, type Host, type Rejection } from "@tutti/kernel";
import type { WorkQueue } from "../job/work-queue.ts";
import type { EngineLimits } from "../limits.ts";
import type { Channels } from "../message/channels.ts";
import type { ChannelWanted, OpenSubscription, SignalWanted } from "../message/coordination.ts";
import type { InstanceNumber, InstanceRecord, StoredInstance } from "../store.ts";
import type { Schedules } from "../time/schedules.ts";
import type { Timers } from "../time/timers.ts";
import type { Figures } from "../version/figures.ts";
import type { Named, Programs } from "../version/programs.ts";
import type { Inbox, TimelessCommand } from "./inbox.ts";
import type { Instances, Live } from "./instances.ts";
import type { KeptParcels } from "./kept.ts";
import type { Draft, Numbers } from "./turn.ts";

/** What a batch needs in memory before it can be decided. */
export interface Wants {
  readonly instanceIds: Set<string>;
  readonly numbers: Set<InstanceNumber>;
  /** May have some twice: most are new. */
  readonly requestIds: string[];
  readonly hashes: Set<string>;
  /** By `kindAndChannel`. */
  readonly channels: Map<string, ChannelWanted>;
  readonly signals: SignalWanted[];
}

export function noWants(): Wants {
  return {
    instanceIds: new Set(),
    numbers: new Set(),
    requestIds: [],
    hashes: new Set(),
    channels: new Map(),
    signals: [],
  };
}

/** What items are decided with. */
export interface Scope {
  readonly instances: Instances;
  readonly programs: Programs;
  readonly inbox: Inbox;
  readonly work: WorkQueue;
  readonly timers: Timers;
  /** Request ids that are already used → their instances. */
  readonly requests: Map<string, string>;
  /** Instances that another engine goes on with, of those that this turn asks for. */
  readonly moved: Map<string, StoredInstance>;
  readonly numbers: Numbers;
  readonly host: Host;
  readonly limits: EngineLimits;
  readonly channels: Channels;
  readonly schedules: Schedules;
  /** Who waits for a signal, as asked for. */
  readonly signalled: Map<SignalWanted, readonly OpenSubscription[]>;
  /** What an instance gets once it is no longer paused, or has ended. */
  readonly kept: KeptParcels;
  readonly figures: Figures;
  /** Instances that the list of incidents shows as in quarantine. */
  readonly listed: Set<InstanceNumber>;
  /** Why an instance cannot be used, by id and by number. */
  refusal(of: { readonly instanceId?: string; readonly number?: InstanceNumber }): Error | undefined;
  /** What is in quarantine since this process: its events are there, and it cannot go on. */
  setAside(instanceId: string): InstanceRecord | undefined;
  quarantine(record: InstanceRecord, error: unknown): Error;
  readonly warn: (message: string, data: { readonly [name: string]: unknown }) => void;
}

export function wantId(scope: Scope, instanceId: string, wants: Wants): void {
  if (scope.instances.id(instanceId) === undefined) wants.instanceIds.add(instanceId);
}

export function wantNumber(scope: Scope, number: InstanceNumber, wants: Wants): void {
  if (scope.instances.number(number) === undefined) wants.numbers.add(number);
}

export function wantProgram(scope: Scope, named: Named | undefined, wants: Wants): void {
  if (named !== undefined && scope.programs.loaded(named.hash) === undefined) wants.hashes.add(named.hash);
}

/** Whether an id is given, also to an instance that cannot be used now: a second one under it could not be written. */
export function isGiven(scope: Scope, instanceId: string): boolean {
  return scope.instances.id(instanceId) !== undefined || scope.refusal({ instanceId }) !== undefined;
}

export interface InTurn {
  readonly scope: Scope;
  readonly draft: Draft;
}

/** A rejection is a value; an error means that the instance is now in quarantine. */
export function run({ scope, draft }: InTurn, live: Live, command: TimelessCommand): Rejection | Error | undefined {
  try {
    return draft.run(live, command);
  } catch (error) {
    return scope.quarantine(live.record, error);
  }
}

export function instanceNotFound(instanceId: string): AppError {
  return new AppError("instance-not-found", `Expected an instance '${instanceId}', but there is none.`);
}
