import type { JsonObject } from "../json.ts";

/**
 * Which message goes where. Pure: an engine keeps subscriptions, messages and holders in its own way, brings together
 * what concerns one name and correlation key, and asks. The rules are Q10 … in SPEC-coordination.md.
 */

/** What brings messages and those who wait together: both must be equal. Null is a key of its own. */
export interface ChannelName {
  readonly name: string;
  readonly correlationKey: string | null;
}

export interface Message extends ChannelName {
  /** Null: nobody will repeat it. */
  readonly id: string | null;
  readonly payload: JsonObject;
  /** Epoch ms. */
  readonly publishedAt: number;
  /** How long it is kept for those who do not wait yet; 0: not at all. */
  readonly ttlMs: number;
}

/** An open subscription of an instance. `age` orders instances, the oldest first. */
export interface Waiting {
  readonly process: string;
  readonly age: number;
  readonly key: number;
  /** It stays open when it gets a message. */
  readonly repeats: boolean;
  /** It was given a message that has not arrived yet. */
  readonly taken: boolean;
}

/** Everything that concerns one name and key at one moment. */
export interface Channel<W extends Waiting = Waiting> {
  readonly waiting: readonly W[];
  /** Processes that begin with this name in the version that a new instance gets. */
  readonly starts: readonly string[];
  /** Processes with an open instance that this name and key started. */
  readonly held: ReadonlySet<string>;
}

export type Recipient<W extends Waiting = Waiting> =
  | { readonly type: "waiting"; readonly process: string; readonly waiting: W }
  | { readonly type: "start"; readonly process: string };

/** How long an id is known at least: whoever got no answer to a publication may repeat it. */
export const messageIdKeptMs = 3_600_000;
/** Longer waits are what message stores are for. */
export const ttlMaxMs = 31_622_400_000;

/** Epoch ms from which nobody gets it any more. */
export function expiresAt({ publishedAt, ttlMs }: Pick<Message, "publishedAt" | "ttlMs">): number {
  return publishedAt + ttlMs;
}

/** Epoch ms from which nothing is known of it any more. */
export function forgottenAt(message: Pick<Message, "id" | "publishedAt" | "ttlMs">): number {
  const expires = expiresAt(message);
  return message.id === null ? expires : Math.max(expires, message.publishedAt + messageIdKeptMs);
}

/**
 * Who gets a message now, one recipient a process, in the order of process ids. `had` are the processes that got it
 * before.
 */
export function recipientsOf<W extends Waiting>(
  channel: Channel<W>,
  message: Pick<Message, "correlationKey">,
  had: ReadonlySet<string>,
): Recipient<W>[] {
  const recipients = new Map<string, Recipient<W>>();
  for (const waiting of channel.waiting) {
    const { process } = waiting;
    if (had.has(process) || !mayTake(waiting)) continue;
    const other = recipients.get(process);
    if (other?.type === "waiting" && precedes(other.waiting, waiting)) continue;
    recipients.set(process, { type: "waiting", process, waiting });
  }
  for (const process of channel.starts) {
    if (had.has(process) || recipients.has(process)) continue;
    // Without a key nothing says that two messages mean the same, so each starts an instance of its own.
    if (message.correlationKey !== null && channel.held.has(process)) continue;
    recipients.set(process, { type: "start", process });
  }
  return [...recipients.values()].sort((a, b) => (a.process < b.process ? -1 : 1));
}

/** What was given one message and closes with it cannot be given another one. */
function mayTake({ repeats, taken }: Waiting): boolean {
  return repeats || !taken;
}

/** The oldest instance goes first, then its lowest key; of those that are free before those that repeat. */
function precedes(a: Waiting, b: Waiting): boolean {
  if (a.taken !== b.taken) return b.taken;
  return a.age < b.age || (a.age === b.age && a.key < b.key);
}

/** What is remembered of a message: what it said, and which processes have had it. `number` grows with publication. */
export interface Remembered extends Message {
  readonly number: number;
  readonly had: ReadonlySet<string>;
}

/** The message that a process gets which has just come to wait: the oldest that it has not had and that still counts. */
export function oldestFor<M extends Remembered>(
  messages: Iterable<M>,
  { process, now }: { readonly process: string; readonly now: number },
): M | undefined {
  let oldest: M | undefined;
  for (const message of messages) {
    if (now >= expiresAt(message) || message.had.has(process)) continue;
    if (oldest === undefined || message.number < oldest.number) oldest = message;
  }
  return oldest;
}
