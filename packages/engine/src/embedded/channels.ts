import { type ChannelName, expiresAt, forgottenAt, type Waiting } from "@tutti/kernel";
import {
  type ChannelRows,
  channelId,
  kindAndChannel,
  type MessageCounts,
  type OpenSubscription,
  type StoredMessage,
  waitingOf,
} from "./coordination.ts";
import type { Instances } from "./instances.ts";
import type { Draft } from "./turn.ts";

/** A subscription that may get a message, as the rules see it. */
export interface Candidate extends Waiting {
  readonly subscription: OpenSubscription;
}

/** What a turn knows of one channel: what was read before it began, and what it did since. */
interface TurnChannel {
  readonly rows: ChannelRows;
  /** More of a process may be in the store when so many are here. */
  readonly limit: number;
  /** By id and by number. */
  readonly remembered: Map<string | number, StoredMessage>;
}

/** Messages that this process has numbered, of one opening of the store. */
const numbersPerEpoch = 4_294_967_296;

/** What is known of messages: a little of all of them, and during a turn all of the channels it touches. */
export class Channels {
  readonly #channels: Map<string, TurnChannel> = new Map();
  /** Channels with somebody who waits, whose turn comes later: nothing may overtake what is kept for them. */
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
      this.#channels.set(id, { rows: each, limit: wanted.get(id)?.limit ?? 0, remembered });
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

  wait(channel: ChannelName): void {
    const id = channelId(channel);
    this.#behind.set(id, (this.#behind.get(id) ?? 0) + 1);
  }

  waited(channel: ChannelName): void {
    const id = channelId(channel);
    const left = (this.#behind.get(id) ?? 0) - 1;
    if (left > 0) this.#behind.set(id, left);
    else this.#behind.delete(id);
  }

  isBehind(channel: ChannelName): boolean {
    return this.#behind.has(channelId(channel));
  }

  /** Who waits there at this point of the turn; of instances that cannot be used, nobody. */
  candidates(channel: ChannelName, draft: Draft, instances: Instances): Candidate[] {
    const rows = this.#messages(channel)?.rows.waiting ?? [];
    const opened = draft.exchange.opened.filter((each) => each.kind === "message" && sameChannel(each, channel));
    return [...rows, ...opened].flatMap((subscription) => {
      const { instance, key } = subscription;
      const open = instances.number(instance)?.state.subscriptions.get(key);
      if (open === undefined) return [];
      const taken = subscription.taken || draft.exchange.isTaken(subscription);
      return [{ ...waitingOf(subscription), taken, subscription }];
    });
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
    const id = channelId(channel);
    const held = new Set(this.#messages(channel)?.rows.held);
    for (const each of draft.exchange.holders) {
      if (each.channel !== id) continue;
      if (each.held) held.add(each.process);
      else held.delete(each.process);
    }
    return held;
  }

  #messages(channel: ChannelName): TurnChannel | undefined {
    return this.#channels.get(kindAndChannel("message", channel));
  }
}

export function sameChannel(a: ChannelName, b: ChannelName): boolean {
  return a.name === b.name && a.correlationKey === b.correlationKey;
}
