import { oldestFor } from "@tutti/kernel";
import type { MessageReceiver } from "../../port.ts";
import type { Store } from "../store.ts";
import { type InTurn, isGiven, noWants, type Wants } from "../turn/scope.ts";
import type { Draft } from "../turn/turn.ts";
import { sameChannel } from "./channels.ts";
import { channelId, type StoredMessage, type Unmatched, waitingOf } from "./coordination.ts";
import { deliver, type Parcel, prepareStarts, startBy } from "./publish.ts";

/** Messages given at the end of one turn to those who came to wait in it; the rest follows in later turns. */
const matchesPerTurnMax = 1_000;
const pageMessages = 64;

/** What is kept for one process on one channel, as far as it was read. */
interface Queue {
  readonly messages: StoredMessage[];
  /** The last number that was read. */
  after: number;
  exhausted: boolean;
}

interface Matching {
  readonly turn: InTurn;
  readonly store: Pick<Store, "queued">;
  readonly load: (wants: Wants) => Promise<void>;
  readonly queues: Map<string, Queue>;
}

/**
 * Gives what is kept to whoever came to wait in this turn, before the turn is written. So between turns nobody waits
 * for a message that is there, but those who are named for a later turn.
 */
export async function matchOpened(turn: InTurn, store: Matching["store"], load: Matching["load"]): Promise<void> {
  const { draft, scope } = turn;
  const matching: Matching = { turn, store, load, queues: new Map() };
  const anything = scope.channels.anythingKept(draft.now);
  for (let count = 0; ; count++) {
    const next = draft.exchange.nextUnmatched();
    if (next === undefined) return;
    if (anything && count >= matchesPerTurnMax) {
      scope.channels.wait(next);
      draft.matches.push(next);
    } else if (next.waiting !== undefined) {
      if (anything) await matchWaiting(matching, next, next.waiting);
    } else {
      await matchStart(matching, next, anything);
    }
  }
}

async function matchWaiting(
  matching: Matching,
  next: Unmatched,
  subscription: NonNullable<Unmatched["waiting"]>,
): Promise<void> {
  const { scope, draft } = matching.turn;
  const { instance, key } = subscription;
  const isOpen = (): boolean =>
    scope.instances.number(instance)?.state.subscriptions.get(key) !== undefined &&
    !draft.exchange.isTaken(subscription);
  // One that stays open gets all there is, one after the other.
  while (isOpen()) {
    const message = await oldest(matching, next);
    if (message === undefined) return;
    const receiver = deliver(matching.turn, parcelOf(message), { ...waitingOf(subscription), subscription });
    if (receiver === undefined) return;
    noteReceiver(matching.turn, message, receiver);
  }
}

/** The instance that a channel started has ended: the next message may start one. */
async function matchStart(matching: Matching, next: Unmatched, anything: boolean): Promise<void> {
  const { scope, draft } = matching.turn;
  const { name, correlationKey, process } = next;
  // Another one was started since, in the same turn.
  if (scope.channels.held(next, draft).has(process)) return;
  const passed: number[] = [];
  for (;;) {
    const message = anything ? await oldest(matching, next, passed) : undefined;
    if (message === undefined) break;
    const wants = noWants();
    const needs = { kind: "message" as const, name, routingKey: correlationKey, variables: message.payload };
    const { numbers } = draft;
    const prepared = prepareStarts(scope, { ...needs, numbers }, wants).get(process);
    if (prepared === undefined) break;
    await matching.load(wants);
    // Somebody chose this very id: the next number will do.
    if (isGiven(scope, prepared.instanceId)) continue;
    if (startBy(matching.turn, parcelOf(message), prepared) === undefined) {
      noteReceiver(matching.turn, message, { process, instanceId: prepared.instanceId, started: true });
      return;
    }
    passed.push(message.number);
  }
  draft.changes.push({ type: "holder-delete", channel: channelId(next), process });
}

/** The oldest message for a process that it has not had, also counting what happened in this turn. */
async function oldest(
  matching: Matching,
  next: Unmatched,
  passed: readonly number[] = [],
): Promise<StoredMessage | undefined> {
  const { draft } = matching.turn;
  const { name, correlationKey, process } = next;
  const { now } = draft;
  const id = `${process} ${channelId(next)}`;
  const queue = matching.queues.get(id) ?? { messages: [], after: 0, exhausted: false };
  matching.queues.set(id, queue);
  for (;;) {
    // What it has had in this turn stands in front.
    while (queue.messages[0] !== undefined && had(draft, queue.messages[0]).has(process)) queue.messages.shift();
    const fresh = queue.exhausted ? draft.exchange.published.filter((each) => sameChannel(each, next)) : [];
    const known = [...queue.messages, ...fresh].filter((each) => !passed.includes(each.number));
    const remembered = known.map((each) => ({ ...each, had: had(draft, each) }));
    const message = oldestFor(remembered, { process, now });
    if (message !== undefined || queue.exhausted) return message;
    const wanted = { name, correlationKey, process, now, after: queue.after, limit: pageMessages };
    const page = await matching.store.queued(wanted);
    queue.messages.push(...page);
    queue.after = page.at(-1)?.number ?? queue.after;
    queue.exhausted = page.length < pageMessages;
  }
}

function had(draft: Draft, message: StoredMessage): ReadonlySet<string> {
  const receivers = draft.exchange.receivers.get(message.number) ?? message.receivers;
  return new Set(receivers.map((each) => each.process));
}

function parcelOf(message: StoredMessage): Parcel {
  return { message, number: message.number, messageId: message.id ?? `message-${message.number}` };
}

function noteReceiver({ draft }: InTurn, message: StoredMessage, receiver: MessageReceiver): void {
  const receivers = [...(draft.exchange.receivers.get(message.number) ?? message.receivers), receiver];
  draft.exchange.receivers.set(message.number, receivers);
  draft.changes.push({ type: "message-received", number: message.number, receivers });
}
