import type { ChannelName } from "@tutti/kernel";
import { expiresAt, forgottenAt } from "@tutti/kernel";
import {
  type BeginWanted,
  type ChannelRows,
  type ChannelWanted,
  type CoordinationChange,
  channelId,
  channelNamed,
  kindAndChannel,
  type MessageCounts,
  type OpenSubscription,
  type QueueWanted,
  type Refusal,
  type SignalWanted,
  type StoredMessage,
  type StoredRollout,
  type StoredSchedule,
  type Unmatched,
} from "../message/coordination.ts";
import type { InstanceNumber } from "../store.ts";

type Appliers = {
  readonly [K in CoordinationChange["type"]]: (
    tables: CoordinationTables,
    change: Extract<CoordinationChange, { readonly type: K }>,
  ) => void;
};

/** At most so many messages are forgotten at once, as in the other store. */
export const forgottenMax = 10_000;

/** The tables of what happens between instances, in memory. */
export class CoordinationTables {
  /** By kind and channel, then by instance and key. */
  readonly #waiting: Map<string, Map<string, OpenSubscription>> = new Map();
  readonly #places: Map<string, string> = new Map();
  readonly messages: Map<number, StoredMessage> = new Map();
  readonly #byChannel: Map<string, Set<number>> = new Map();
  readonly #byId: Map<string, number> = new Map();
  /** By number, the oldest first. */
  readonly refusals: Map<number, Refusal> = new Map();
  #lastRefusal = 0;
  readonly holders: Map<string, Map<string, InstanceNumber>> = new Map();
  readonly schedules: Map<string, StoredSchedule> = new Map();
  readonly rollouts: Map<string, StoredRollout> = new Map();

  apply(change: CoordinationChange): void {
    // Indexing by a union loses which applier belongs to which change; the type of `appliers` has proven the pairing.
    (appliers[change.type] as (tables: CoordinationTables, change: CoordinationChange) => void)(this, change);
  }

  subscriptions(): OpenSubscription[] {
    return [...this.#waiting.values()].flatMap((each) => [...each.values()]);
  }

  subscription(instance: InstanceNumber, key: number): OpenSubscription | undefined {
    const name = nameOf({ instance, key });
    return this.#waiting.get(this.#places.get(name) ?? "")?.get(name);
  }

  putSubscription(subscription: OpenSubscription): void {
    const name = nameOf(subscription);
    const place = kindAndChannel(subscription.kind, subscription);
    this.dropSubscription(subscription.instance, subscription.key);
    let there = this.#waiting.get(place);
    if (there === undefined) {
      there = new Map();
      this.#waiting.set(place, there);
    }
    there.set(name, subscription);
    this.#places.set(name, place);
  }

  dropSubscription(instance: InstanceNumber, key: number): void {
    const name = nameOf({ instance, key });
    const place = this.#places.get(name);
    if (place === undefined) return;
    this.#places.delete(name);
    const there = this.#waiting.get(place);
    if (there?.delete(name) && there.size === 0) this.#waiting.delete(place);
  }

  putMessage(message: StoredMessage): void {
    this.messages.set(message.number, message);
    const place = kindAndChannel(message.kind, message);
    if (message.id !== null) this.#byId.set(`${place} ${message.id}`, message.number);
    const there = this.#byChannel.get(place);
    if (there === undefined) this.#byChannel.set(place, new Set([message.number]));
    else there.add(message.number);
  }

  forget(until: number): void {
    const over = [...this.messages.values()].filter((each) => forgottenAt(each) <= until);
    over.sort((a, b) => forgottenAt(a) - forgottenAt(b) || a.number - b.number);
    for (const message of over.slice(0, forgottenMax)) {
      this.messages.delete(message.number);
      const place = kindAndChannel(message.kind, message);
      this.#byId.delete(`${place} ${message.id}`);
      const there = this.#byChannel.get(place);
      if (there?.delete(message.number) && there.size === 0) this.#byChannel.delete(place);
    }
  }

  channel(wanted: ChannelWanted): ChannelRows {
    const { name, correlationKey } = wanted;
    const seen = new Map<string, number>();
    const able = this.#at("message", wanted).filter(({ taken, repeats }) => !taken || repeats);
    able.sort((a, b) => Number(a.taken) - Number(b.taken) || byAge(a, b));
    const waiting = able.filter(({ process }) => {
      const count = (seen.get(process) ?? 0) + 1;
      seen.set(process, count);
      return count <= wanted.limit;
    });
    const place = kindAndChannel(wanted.kind, wanted);
    const numbers = [...wanted.ids.map((id) => this.#byId.get(`${place} ${id}`) ?? 0), ...wanted.numbers];
    const remembered = [...new Set(numbers)].flatMap((number) => this.messages.get(number) ?? []);
    return {
      kind: wanted.kind,
      name,
      correlationKey,
      waiting: wanted.kind === "message" ? waiting : [],
      held: [...(this.holders.get(channelId(wanted))?.keys() ?? [])],
      remembered,
    };
  }

  queued({ process, now, after, limit, toStart, ...channel }: QueueWanted): StoredMessage[] {
    return this.#messagesAt("message", channel)
      .filter((each) => each.number > after && counts(each, now) && !has(each, process))
      .filter((each) => !toStart || !this.#hasRefused(process, each))
      .slice(0, limit);
  }

  beginning({ process, name, now }: BeginWanted): ChannelName[] {
    const keys = new Set<string | null>();
    for (const each of this.messages.values()) {
      const isFor = each.kind === "message" && each.name === name && counts(each, now) && !has(each, process);
      if (isFor && !this.#hasRefused(process, each)) keys.add(each.correlationKey);
    }
    const channels = [...keys].map((correlationKey) => ({ name, correlationKey }));
    const free = channels.filter((each) => this.holders.get(channelId(each))?.has(process) !== true);
    return free.sort((a, b) => ((a.correlationKey ?? "") < (b.correlationKey ?? "") ? -1 : 1));
  }

  putRefusal(refusal: Refusal): void {
    this.#lastRefusal++;
    this.refusals.set(this.#lastRefusal, refusal);
  }

  forgetRefusals(keep: number): void {
    for (const number of this.refusals.keys()) {
      if (number > this.#lastRefusal - keep) return;
      this.refusals.delete(number);
    }
  }

  retryRefusals(process: string): void {
    for (const [number, each] of this.refusals) {
      if (each.process === process) this.refusals.set(number, { ...each, message: null });
    }
  }

  #hasRefused(process: string, { number }: StoredMessage): boolean {
    for (const each of this.refusals.values()) if (each.message === number && each.process === process) return true;
    return false;
  }

  signalled({ name, openAt, after, limit }: SignalWanted): OpenSubscription[] {
    return inOrder(this.#at("signal", { name, correlationKey: null }))
      .filter((each) => each.position <= openAt && byAge(each, after) > 0)
      .slice(0, limit);
  }

  unmatched(now: number, hasEnded: (instance: InstanceNumber) => boolean): Unmatched[] {
    const found: Unmatched[] = [];
    for (const waiting of inOrder(this.subscriptions())) {
      const { name, correlationKey, process } = waiting;
      if (waiting.kind !== "message" || waiting.taken) continue;
      const queued = this.#messagesAt("message", waiting).some((each) => counts(each, now) && !has(each, process));
      if (queued) found.push({ name, correlationKey, process, waiting });
    }
    for (const [channel, processes] of this.holders) {
      for (const [process, instance] of processes) {
        if (hasEnded(instance)) found.push({ ...channelNamed(channel), process });
      }
    }
    return found;
  }

  counts(): MessageCounts {
    const all = [...this.messages.values()];
    return {
      kept: all.length,
      until: all.reduce((latest, each) => (each.kind === "message" ? Math.max(latest, expiresAt(each)) : latest), 0),
      nextForgotten:
        all.length === 0 ? null : all.reduce((next, each) => Math.min(next, forgottenAt(each)), Number.MAX_VALUE),
    };
  }

  #at(kind: "message" | "signal", channel: ChannelName): OpenSubscription[] {
    return [...(this.#waiting.get(kindAndChannel(kind, channel))?.values() ?? [])];
  }

  #messagesAt(kind: "message" | "signal", channel: ChannelName): StoredMessage[] {
    const numbers = [...(this.#byChannel.get(kindAndChannel(kind, channel)) ?? [])].sort((a, b) => a - b);
    return numbers.map((number) => this.messages.get(number) as StoredMessage);
  }
}

function scheduleId({
  process,
  element,
  trigger = 0,
}: Pick<StoredSchedule, "process" | "element" | "trigger">): string {
  return JSON.stringify([process, element, trigger]);
}

function nameOf({ instance, key }: Pick<OpenSubscription, "instance" | "key">): string {
  return `${instance}.${key}`;
}

type Aged = Pick<OpenSubscription, "instance" | "key">;

function byAge(a: Aged, b: Aged): number {
  return a.instance - b.instance || a.key - b.key;
}

function inOrder(subscriptions: OpenSubscription[]): OpenSubscription[] {
  return subscriptions.sort(byAge);
}

function counts(message: StoredMessage, now: number): boolean {
  return expiresAt(message) > now;
}

function has(message: StoredMessage, process: string): boolean {
  return message.receivers.some((each) => each.process === process);
}

const appliers: Appliers = {
  "subscription-put": (tables, { subscription }) => {
    const before = tables.subscription(subscription.instance, subscription.key);
    const { position, since, taken } = before ?? subscription;
    tables.putSubscription({ ...subscription, position, since, taken });
  },
  "subscription-taken": (tables, { instance, key, taken }) => {
    const subscription = tables.subscription(instance, key);
    if (subscription !== undefined) tables.putSubscription({ ...subscription, taken });
  },
  "subscription-delete": (tables, { instance, key }) => tables.dropSubscription(instance, key),
  "message-put": (tables, { message }) => tables.putMessage(message),
  "message-received": (tables, { number, receivers }) => {
    const message = tables.messages.get(number);
    if (message !== undefined) tables.messages.set(number, { ...message, receivers });
  },
  "messages-forget": (tables, { until }) => tables.forget(until),
  "holder-put": (tables, { channel, process, instance }) => {
    const there = tables.holders.get(channel);
    if (there === undefined) tables.holders.set(channel, new Map([[process, instance]]));
    else there.set(process, instance);
  },
  "holder-delete": (tables, { channel, process }) => {
    const there = tables.holders.get(channel);
    if (there?.delete(process) && there.size === 0) tables.holders.delete(channel);
  },
  "refusal-put": (tables, { refusal }) => tables.putRefusal(refusal),
  "refusals-forget": (tables, { keep }) => tables.forgetRefusals(keep),
  "refusals-retry": (tables, { process }) => tables.retryRefusals(process),
  "schedule-put": (tables, { schedule }) => {
    tables.schedules.set(scheduleId(schedule), schedule);
  },
  "schedule-delete": (tables, place) => {
    tables.schedules.delete(scheduleId(place));
  },
  "rollout-put": (tables, { rollout }) => {
    tables.rollouts.set(rollout.process, rollout);
  },
  "rollout-delete": (tables, { process }) => {
    tables.rollouts.delete(process);
  },
};
