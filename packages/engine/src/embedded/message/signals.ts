import type { ChannelName, JsonObject } from "@tutti/kernel";
import type { OutboxEntry } from "../store.ts";
import type { Item } from "../turn/inbox.ts";
import { type InTurn, run, type Scope, type Wants, wantNumber } from "../turn/scope.ts";
import { start } from "../turn/start.ts";
import type { Draft } from "../turn/turn.ts";
import type { Broadcast } from "./coordination.ts";
import { isAnyThere, isCode, type PreparedStart, prepareStarts, wantChannel } from "./publish.ts";
import { refuseStart } from "./refusal.ts";

export interface Signal {
  readonly name: string;
  readonly payload: JsonObject;
}

/** Starts what a signal starts, and sends it on its way to all who wait for it at this moment. */
export function broadcast(
  turn: InTurn,
  from: OutboxEntry["from"],
  { signal, starts }: { readonly signal: Signal; readonly starts: ReadonlyMap<string, PreparedStart> },
): void {
  const { scope, draft } = turn;
  const { name, payload } = signal;
  // Of those that it starts none waited for it.
  const openAt = draft.numbers.position;
  for (const prepared of starts.values()) startBySignal(turn, signal, prepared);
  const first = { name, openAt, after: { instance: 0, key: 0 }, limit: scope.limits.signalsPerTurnMax };
  draft.send(from, { type: "broadcast", ...first, payload });
}

type SignalItem = Extract<Item, { readonly type: "broadcast" }>;
/** A signal from outside is sent by no instance. */
const outside: OutboxEntry["from"] = { instanceId: "", rootId: "", deployment: "" };

export function wantSignal(scope: Scope, item: SignalItem, wants: Wants): void {
  const { signal, id } = item;
  const needs = { kind: "signal" as const, name: signal.name, routingKey: null, variables: signal.payload };
  item.starts = prepareStarts(scope, needs, wants);
  if (id === null) return;
  const place = { name: signal.name, correlationKey: null };
  wantChannel(wants, place, { kind: "signal", ids: [id] });
}

export function takeSignal(scope: Scope, draft: Draft, item: SignalItem): void {
  const { signal, id, starts, answer } = item;
  if (isAnyThere(scope, starts)) {
    draft.later.push(item);
    return;
  }
  const place = { name: signal.name, correlationKey: null };
  if (id === null || scope.channels.remembered(place, id, "signal") === undefined) {
    broadcast({ scope, draft }, outside, { signal, starts });
    if (id !== null) rememberId({ scope, draft }, { ...place, id });
  }
  draft.answers.push(() => answer.resolve());
}

/** Of a signal nothing is kept but that it was there. */
function rememberId({ scope, draft }: InTurn, signal: ChannelName & { readonly id: string }): void {
  const number = scope.channels.nextNumber();
  const message = {
    ...signal,
    kind: "signal" as const,
    number,
    payload: {},
    publishedAt: draft.now,
    ttlMs: 0,
    receivers: [],
  };
  draft.changes.push({ type: "message-put", message });
  scope.channels.remember(message);
}

function startBySignal(turn: InTurn, { name, payload }: Signal, prepared: PreparedStart): void {
  const { scope, draft } = turn;
  const { process, named, number, instanceId, place } = prepared;
  const refused = start(scope, draft, {
    named,
    number,
    requestId: null,
    startedBy: null,
    command: {
      type: "create-instance",
      instanceId,
      rootId: instanceId,
      variables: {},
      actor: "signal",
      start: { ...place, payload },
    },
  });
  if (refused !== undefined) refuseStart(turn, { process, named, cause: "signal", name, why: refused });
}

export function wantBroadcast(scope: Scope, message: Broadcast, wants: Wants): void {
  wants.signals.push(message);
  for (const { instance } of scope.signalled.get(message) ?? []) wantNumber(scope, instance, wants);
}

/** Brings a signal to the next of those who waited for it. */
export function takeBroadcast(turn: InTurn, { id, from }: OutboxEntry, message: Broadcast): void {
  const { scope, draft } = turn;
  const { name, payload, limit } = message;
  const waiting = scope.signalled.get(message) ?? [];
  draft.changes.push({ type: "outbox-delete", id });
  for (const { instance, key } of waiting) {
    const live = scope.instances.number(instance);
    // It has come to something else since, in this turn; or it is in quarantine, and a signal is not kept.
    if (live === undefined || live.state.subscriptions.get(key) === undefined) continue;
    const { instanceId, rootId, deployment } = live.record;
    // Who waited in the instance that sent it got it as it was sent.
    if (instanceId === from.instanceId) continue;
    const refused = run(turn, live, { type: "deliver-signal", key, name, payload, actor: "signal" });
    if (refused === undefined || !isCode(refused, "instance-paused")) continue;
    draft.send({ instanceId, rootId, deployment }, { type: "deliver-signal", to: { instanceId, key }, name, payload });
  }
  const last = waiting.at(-1);
  if (last === undefined || waiting.length < limit) return;
  draft.send(from, { ...message, after: { instance: last.instance, key: last.key } });
}
