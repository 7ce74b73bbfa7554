import { oldestFor } from "@tutti/kernel";
import type { MessageReceiver } from "../../port.ts";
import type { Store } from "../store.ts";
import { type InTurn, isGiven, noWants, type Wants } from "../turn/scope.ts";
import type { Draft } from "../turn/turn.ts";
import { sameChannel } from "./channels.ts";
import { channelId, type StoredMessage, type Unmatched, waitingOf } from "./coordination.ts";
import { deliver, type Parcel, prepareStarts, startBy } from "./publish.ts";

/** Messages looked for at the end of one turn for those who came to wait in it; the rest follows in later turns. */
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
  /** Something is kept for somebody. */
  readonly anything: boolean;
  /** How often a message is still looked for in this turn. */
  left: number;
}

/**
 * Gives what is kept to whoever came to wait in this turn, before the turn is written. So between turns nobody waits
 * for a message that is there, but those who are named for a later turn. Who could not get all of it comes behind those
 * who got nothing yet.
 */
export async function matchOpened(turn: InTurn, store: Matching["store"], load: Matching["load"]): Promise<void> {
  const { draft, scope } = turn;
  const anything = scope.channels.anythingKept(draft.now);
  const matching: Matching = { turn, store, load, queues: new Map(), anything, left: matchesPerTurnMax };
  const unfinished: Unmatched[] = [];
  for (let next = draft.exchange.nextUnmatched(); next !== undefined; next = draft.exchange.nextUnmatched()) {
    if (matching.left <= 0) nameForLater(turn, next);
    else if (!(await match(matching, next))) unfinished.push(next);
  }
  for (const each of unfinished) nameForLater(turn, each);
}

/** Nobody overtakes who is named. */
function nameForLater({ draft, scope }: InTurn, unmatched: Unmatched): void {
  scope.channels.wait(unmatched);
  draft.matches.push(unmatched);
}

/** Gives false when there may be more. */
async function match(matching: Matching, next: Unmatched): Promise<boolean> {
  const { waiting } = next;
  if (waiting === undefined) return matchStart(matching, next);
  return matching.anything ? matchWaiting(matching, next, waiting) : true;
}

async function matchWaiting(
  matching: Matching,
  next: Unmatched,
  subscription: NonNullable<Unmatched["waiting"]>,
): Promise<boolean> {
  const { scope, draft } = matching.turn;
  const { instance, key } = subscription;
  const isOpen = (): boolean =>
    scope.instances.number(instance)?.state.subscriptions.get(key) !== undefined &&
    !draft.exchange.isTaken(subscription);
  // One that stays open gets all there is, one after the other.
  while (isOpen()) {
    if (--matching.left < 0) return false;
    const message = await oldest(matching, next);
    if (message === undefined) return true;
    const receiver = deliver(matching.turn, parcelOf(message), { ...waitingOf(subscription), subscription });
    if (receiver === undefined) return true;
    noteReceiver(matching.turn, message, receiver);
  }
  return true;
}

/** A process may begin with what is kept: with a key one instance, without one an instance for each message. */
async function matchStart(matching: Matching, next: Unmatched): Promise<boolean> {
  const { scope, draft } = matching.turn;
  const { name, correlationKey, process } = next;
  // Another one was started since, in the same turn.
  if (scope.channels.held(next, draft).has(process)) return true;
  const passed = new Set<number>();
  while (matching.anything) {
    if (--matching.left < 0) return false;
    const message = await oldest(matching, next, passed);
    if (message === undefined) break;
    const wants = noWants();
    const needs = { kind: "message" as const, name, routingKey: correlationKey, variables: message.payload };
    const { numbers } = draft;
    const prepared = prepareStarts(scope, { ...needs, numbers }, wants).get(process);
    // The version that this one would get begins otherwise. Looking on costs little, and has to come to an end.
    if (prepared === undefined) matching.left++;
    await matching.load(wants);
    // Somebody chose this very id: the next number will do.
    if (prepared !== undefined && isGiven(scope, prepared.instanceId)) continue;
    if (prepared === undefined || startBy(matching.turn, parcelOf(message), prepared) !== undefined) {
      passed.add(message.number);
      continue;
    }
    noteReceiver(matching.turn, message, { process, instanceId: prepared.instanceId, started: true });
    if (correlationKey !== null) return true;
  }
  if (correlationKey !== null) draft.changes.push({ type: "holder-delete", channel: channelId(next), process });
  return true;
}

/** The oldest message for a process that it has not had, also counting what happened in this turn. */
async function oldest(
  matching: Matching,
  next: Unmatched,
  passed?: ReadonlySet<number>,
): Promise<StoredMessage | undefined> {
  const { draft } = matching.turn;
  const { name, correlationKey, process } = next;
  const { now } = draft;
  const toStart = passed !== undefined;
  const isOver = (each: StoredMessage): boolean => had(draft, each).has(process) || passed?.has(each.number) === true;
  const id = `${process} ${toStart} ${channelId(next)}`;
  const queue = matching.queues.get(id) ?? { messages: [], after: 0, exhausted: false };
  matching.queues.set(id, queue);
  for (;;) {
    // What it has had in this turn stands in front.
    while (queue.messages[0] !== undefined && isOver(queue.messages[0])) queue.messages.shift();
    const fresh = queue.exhausted ? draft.exchange.published.filter((each) => sameChannel(each, next)) : [];
    const known = [...queue.messages, ...fresh].filter((each) => !isOver(each));
    const remembered = known.map((each) => ({ ...each, had: had(draft, each) }));
    const message = oldestFor(remembered, { process, now });
    if (message !== undefined || queue.exhausted) return message;
    const wanted = { name, correlationKey, process, now, after: queue.after, limit: pageMessages, toStart };
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
