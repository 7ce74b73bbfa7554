import { type ChannelName, expiresAt, forgottenAt, type Waiting } from "@tutti/kernel";
import type { Instances } from "../turn/instances.ts";
import type { Draft } from "../turn/turn.ts";
import {
  type ChannelRows,
  channelId,
  kindAndChannel,
  type MessageCounts,
  type OpenSubscription,
  type StoredMessage,
  waitingOf,
} from "./coordination.ts";

/** A subscription that may get a message, as the rules see it. */
export interface Candidate extends Waiting {
  readonly subscription: OpenSubscription;
}

/** What a turn knows of one channel: what was read before it began, and what it did since. */
interface TurnChannel {
  readonly rows: ChannelRows;
  /** More of a process may be in the store when so many are here. */
  readonly limit: number;
  /** By process, in the order in which they get something. Those at the front that cannot any more are taken out. */
  readonly waiting: Map<string, OpenSubscription[]>;
  /** By id and by number. */
  readonly remembered: Map<string | number, StoredMessage>;
}

/** Candidates of one process that are looked at: the first that can take a message gets it. */
const freeMax = 4;

/** Messages that this process has numbered, of one opening of the store. */
const numbersPerEpoch = 4_294_967_296;

/** What is known of messages: a little of all of them, and during a turn all of the channels it touches. */
export class Channels {
  readonly #channels: Map<string, TurnChannel> = new Map();
  /** Channels, or names with all of theirs, with somebody who waits, whose turn comes later: nothing may overtake what is kept for them. */
  readonly #behind: Map<string, number> = new Map();
  #kept = 0;
  #keptUntil = 0;
  #nextForgotten: number | undefined;
  #lastNumber = 0;

  /** Numbers grow over all openings, and none is given twice: they stand for messages without an id, too. */
  setEpoch(epoch: number): void {
    this.#lastNumber = epoch * numbersPerEpoch;
  }

  nextNumber(): number {
    return ++this.#lastNumber;
  }

  reset(counts: MessageCounts): void {
    this.recount(counts);
    this.#behind.clear();
  }

  recount({ kept, until, nextForgotten }: MessageCounts): void {
    this.#kept = kept;
    this.#keptUntil = until;
    this.#nextForgotten = nextForgotten ?? undefined;
  }

  get kept(): number {
    return this.#kept;
  }

  /** Epoch ms at which the first message can be forgotten. */
  get nextForgotten(): number | undefined {
    return this.#nextForgotten;
  }

  /** Whether anything may be there for somebody who comes to wait. */
  anythingKept(now: number): boolean {
    return now < this.#keptUntil;
  }

  begin(rows: readonly ChannelRows[], wanted: ReadonlyMap<string, { readonly limit: number }>): void {
    this.#channels.clear();
    for (const each of rows) {
      const id = kindAndChannel(each.kind, each);
      const remembered = new Map<string | number, StoredMessage>();
      for (const message of each.remembered) remembered.set(message.id ?? "", message).set(message.number, message);
      const waiting = new Map<string, OpenSubscription[]>();
      for (const subscription of each.waiting) {
        const others = waiting.get(subscription.process);
        if (others === undefined) waiting.set(subscription.process, [subscription]);
        else others.push(subscription);
      }
      this.#channels.set(id, { rows: each, waiting, limit: wanted.get(id)?.limit ?? 0, remembered });
    }
  }

  remembered(
    channel: ChannelName,
    id: string | number | null,
    kind: StoredMessage["kind"] = "message",
  ): StoredMessage | undefined {
    return id === null ? undefined : this.#channels.get(kindAndChannel(kind, channel))?.remembered.get(id);
  }

  remember(message: StoredMessage): void {
    this.#kept++;
    if (message.kind === "message") this.#keptUntil = Math.max(this.#keptUntil, expiresAt(message));
    this.#nextForgotten = Math.min(this.#nextForgotten ?? Number.MAX_SAFE_INTEGER, forgottenAt(message));
    if (message.id !== null)
      this.#channels.get(kindAndChannel(message.kind, message))?.remembered.set(message.id, message);
  }

  wait(behind: Behind): void {
    const id = behindId(behind);
    this.#behind.set(id, (this.#behind.get(id) ?? 0) + 1);
  }

  waited(behind: Behind): void {
    const id = behindId(behind);
    const left = (this.#behind.get(id) ?? 0) - 1;
    if (left > 0) this.#behind.set(id, left);
    else this.#behind.delete(id);
  }

  isBehind(channel: ChannelName): boolean {
    return this.#behind.has(channelId(channel)) || this.#behind.has(behindId(channel.name));
  }

  /** Who waits there at this point of the turn, of each process the first few; of instances that cannot be used, nobody. */
  candidates(channel: ChannelName, draft: Draft, instances: Instances): Candidate[] {
    const candidates: Candidate[] = [];
    for (const queue of this.#messages(channel)?.waiting.values() ?? []) {
      const isOpen = (subscription: OpenSubscription): boolean => isStillOpen(subscription, instances);
      while (queue[0] !== undefined && !isOpen(queue[0])) queue.shift();
      let free = 0;
      for (const subscription of queue) {
        if (free === freeMax) break;
        if (!isOpen(subscription)) continue;
        const candidate = candidateOf(subscription, draft);
        if (!candidate.taken) free++;
        candidates.push(candidate);
      }
    }
    for (const subscription of draft.exchange.news(channel).opened) {
      if (isStillOpen(subscription, instances)) candidates.push(candidateOf(subscription, draft));
    }
    return candidates;
  }

  /** Whether the store may know of somebody who goes before those that are here. */
  isCut(channel: ChannelName, candidates: readonly Candidate[]): boolean {
    const here = this.#messages(channel);
    if (here === undefined) return true;
    const free = new Set(candidates.filter(({ taken }) => !taken).map(({ process }) => process));
    const read = new Map<string, number>();
    for (const { process } of here.rows.waiting) read.set(process, (read.get(process) ?? 0) + 1);
    for (const [process, count] of read) if (count >= here.limit && !free.has(process)) return true;
    return false;
  }

  held(channel: ChannelName, draft: Draft): ReadonlySet<string> {
    const held = new Set(this.#messages(channel)?.rows.held);
    for (const [process, isHeld] of draft.exchange.news(channel).held) {
      if (isHeld) held.add(process);
      else held.delete(process);
    }
    return held;
  }

  #messages(channel: ChannelName): TurnChannel | undefined {
    return this.#channels.get(kindAndChannel("message", channel));
  }
}

/** A channel, or a name: all of its channels. */
type Behind = ChannelName | string;

function behindId(behind: Behind): string {
  return typeof behind === "string" ? JSON.stringify([behind]) : channelId(behind);
}

function isStillOpen({ instance, key }: OpenSubscription, instances: Instances): boolean {
  return instances.number(instance)?.state.subscriptions.get(key) !== undefined;
}

function candidateOf(subscription: OpenSubscription, draft: Draft): Candidate {
  const taken = subscription.taken || draft.exchange.isTaken(subscription);
  return { ...waitingOf(subscription), taken, subscription };
}

export function sameChannel(a: ChannelName, b: ChannelName): boolean {
  return a.name === b.name && a.correlationKey === b.correlationKey;
}
