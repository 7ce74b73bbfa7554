import { expiresAt, recipientsOf } from "@tutti/kernel";
import type { OutboxEntry } from "../store.ts";
import type { Live } from "../turn/instances.ts";
import { type InTurn, run, type Scope, type Wants, wantId } from "../turn/scope.ts";
import type { Kept } from "./coordination.ts";
import { deliver, deliveryOf, wantChannel } from "./publish.ts";

/** What was given to an instance that could not take it then. */
interface KeptEntry<K extends Kept> extends OutboxEntry {
  readonly message: K;
}
type KeptMessage = Extract<Kept, { readonly type: "deliver-message" }>;
type KeptSignal = Extract<Kept, { readonly type: "deliver-signal" }>;

export function wantKept(scope: Scope, kept: Kept, wants: Wants): void {
  wantId(scope, kept.to.instanceId, wants);
  if (kept.type === "deliver-message") wantChannel(wants, kept.message, { numbers: [kept.number] });
}

/** The instance, if it can take something now; else the entry waits for that. */
function receiverOf({ scope }: InTurn, entry: KeptEntry<Kept>): Live | undefined {
  const live = scope.instances.id(entry.message.to.instanceId);
  // In quarantine: it stays in the outbox for the release that can take it.
  if (live === undefined || live.record.status !== "paused") return live;
  scope.kept.add(live.record.number, entry);
  return undefined;
}

export function takeKeptSignal(turn: InTurn, entry: KeptEntry<KeptSignal>): void {
  const live = receiverOf(turn, entry);
  if (live === undefined) return;
  turn.draft.changes.push({ type: "outbox-delete", id: entry.id });
  const { to, name, payload } = entry.message;
  // It has come to something else meanwhile: then nobody waits for the signal any more.
  if (live.state.subscriptions.get(to.key) === undefined) return;
  run(turn, live, { type: "deliver-signal", key: to.key, name, payload, actor: "signal" });
}

/** Brings a message to whom it was given, or back to the others of the process if that one waits no longer. */
export function takeKeptMessage(turn: InTurn, entry: KeptEntry<KeptMessage>): boolean {
  const { scope, draft } = turn;
  const { message, to } = entry.message;
  // Whoever else may get it must be known, and nobody may come between.
  if (scope.channels.isBehind(message) || draft.exchange.changed(message)) return false;
  const live = receiverOf(turn, entry);
  if (live === undefined) return true;
  const { number } = live.record;
  draft.changes.push({ type: "outbox-delete", id: entry.id });
  if (live.state.subscriptions.get(to.key) !== undefined) {
    const refused = run(turn, live, deliveryOf(entry.message, to.key));
    if (refused === undefined) {
      if (live.state.subscriptions.get(to.key) !== undefined) {
        draft.changes.push({ type: "subscription-taken", instance: number, key: to.key, taken: false });
      }
      return true;
    }
  }
  giveBack(turn, entry.message);
  return true;
}

/** The next of the same process gets it; without one it waits for one as long as it counts. */
function giveBack(turn: InTurn, parcel: KeptMessage): void {
  const { scope, draft } = turn;
  const { message, number, to } = parcel;
  const candidates = scope.channels.candidates(message, draft, scope.instances);
  const waiting = candidates.filter(({ process }) => process === to.process);
  const [next] = recipientsOf({ waiting, starts: [], held: new Set() }, message, new Set());
  const receiver = next?.type === "waiting" ? deliver(turn, parcel, next.waiting) : undefined;
  const stored = scope.channels.remembered(message, number);
  if (stored === undefined) {
    if (receiver === undefined) scope.warn("a message that was kept has nobody left", { ...to, name: message.name });
    return;
  }
  const before = draft.exchange.receivers.get(number) ?? stored.receivers;
  const others = before.filter(({ process }) => process !== to.process);
  const receivers = receiver === undefined ? others : [...others, receiver];
  draft.exchange.receivers.set(number, receivers);
  draft.changes.push({ type: "message-received", number, receivers });
  if (receiver === undefined && expiresAt(message) <= draft.now) {
    scope.warn("a message that was kept has nobody left", { ...to, name: message.name });
  }
}
