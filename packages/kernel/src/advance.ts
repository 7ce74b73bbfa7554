import { askCompletion, goOn } from "./activity/ad-hoc.ts";
import { stir } from "./activity/collection.ts";
import { isRunning, undoNext } from "./activity/compensation.ts";
import { enter } from "./activity/enter.ts";
import type { ItemThrow } from "./activity/item-event.ts";
import { iterate } from "./activity/loop.ts";
import { lookAtConditions } from "./bpmn-event/condition.ts";
import { throwEscalation } from "./bpmn-event/throw.ts";
import { triggerSubscription } from "./bpmn-event/trigger.ts";
import { seeToCircle } from "./circle.ts";
import type { Key } from "./command.ts";
import { completeInstance } from "./completion.ts";
import { flowKey } from "./evolve/element.ts";
import { startQuantity, takeFlow, visitOf } from "./lifecycle.ts";
import { assert, must } from "./problem.ts";
import type { Element, FlowId } from "./program.ts";
import { broadcasts } from "./program-check.ts";
import { isEnded } from "./state/state.ts";
import { onlyRests, raiseStuckJoin } from "./token/join.ts";
import type { Arrival, Signal, Turn } from "./turn.ts";

function arrive(turn: Turn, arrival: Arrival): void {
  const { scope } = arrival;
  if (scope !== 0 && turn.state.elements.get(scope) === undefined) return;
  const element = turn.element(arrival.element);
  if (broadcasts(element) && turn.arrivals.some((other) => !broadcasts(turn.element(other.element)))) {
    // A signal is not kept: who can begin to wait for it in this very step does so first.
    turn.arrivals.push(arrival);
    return;
  }
  if (arrival.direct !== true) {
    if (startQuantity(element) > 1 && !takeTokens(turn, element, scope)) return;
  } else if (turn.behavior(element).activate !== undefined) {
    turn.behavior(element).activate?.(turn, element, scope);
    return;
  }
  const isLooped = "loop" in element && element.loop !== undefined;
  if (!isLooped && turn.behavior(element).arrive?.(turn, element, scope)) return;
  enter(turn, { element, key: turn.nextKey(), scope });
}

/** Moves every token until each of them waits. The order is fixed, so equal commands give equal events. */
export function advance(turn: Turn): void {
  while (!isEnded(turn.state)) {
    lookAtConditions(turn);
    const signal = turn.signals.take();
    if (signal !== undefined) {
      triggerOwn(turn, signal);
      continue;
    }
    const thrown = turn.thrown.take();
    if (thrown !== undefined) {
      throwFromItem(turn, thrown);
      continue;
    }
    const adHoc = turn.asked.take();
    if (adHoc !== undefined) {
      askCompletion(turn, adHoc);
      continue;
    }
    const arrival = turn.arrivals.take();
    if (arrival !== undefined) {
      arrive(turn, arrival);
      continue;
    }
    const body = turn.stirred.take();
    if (body !== undefined) {
      look(turn, body);
      continue;
    }
    const owner = turn.undoing.take();
    if (owner !== undefined) {
      undoNext(turn, owner);
      continue;
    }
    const scope = turn.touched.take();
    if (scope === undefined) return seeToCircle(turn);
    const lives = scope === 0 || turn.state.elements.get(scope) !== undefined;
    if (lives && !releaseJoin(turn, scope)) checkContent(turn, scope);
  }
}

/**
 * Who waits in the instance that broadcasts a signal gets it at once: later, whatever ends with the very next step, such
 * as the sub-process whose end event broadcasts it, would miss what was broadcast while it waited.
 */
function triggerOwn(turn: Turn, { key: sentAs, name, payload }: Signal): void {
  const waiting = [...turn.state.signalWaiters.of(name)].sort((a, b) => a - b);
  for (const key of waiting) {
    const subscription = turn.state.subscriptions.get(key);
    // The one before it may have ended what it belongs to, and a signal is not kept for what begins to wait after it.
    if (subscription === undefined || key > sentAs) continue;
    triggerSubscription(turn, subscription, { payload, actor: "signal" });
  }
}

/** One that interrupts may have ended the collection before the next is thrown. */
function throwFromItem(turn: Turn, thrown: ItemThrow): void {
  if (turn.state.elements.get(thrown.body) === undefined) return;
  if ("send" in thrown) thrown.send();
  else throwEscalation(turn, thrown.body, thrown.escalation);
}

/** Goes on with what runs several times. */
function look(turn: Turn, body: Key): void {
  if (turn.state.collections.get(body) !== undefined) stir(turn, body);
  else if (turn.state.loops.get(body) !== undefined) iterate(turn, body);
  else if (turn.state.adHocs.get(body) !== undefined) goOn(turn, body);
}

/** Uses up the tokens that an activity needs to start; false as long as there are too few. */
function takeTokens(turn: Turn, element: Element, scope: Key): boolean {
  const incoming = turn.program.incoming.get(element.id);
  // Its scope begins with it: no token comes, now or later.
  if (incoming === undefined) return true;
  const flows: FlowId[] = [];
  const needed = startQuantity(element);
  for (const { id } of incoming) {
    const waiting = turn.state.waitingFlows.get(flowKey(scope, id)) ?? 0;
    for (let left = Math.min(waiting, needed - flows.length); left > 0; left -= 1) flows.push(id);
  }
  if (flows.length < needed) return false;
  turn.emit({ type: "tokens-joined", element: element.id, scope, flows, at: turn.at });
  return true;
}

/** Looks at the joins of a scope in which something moved; one at a time, since its tokens change what can still come. */
function releaseJoin(turn: Turn, scope: Key): boolean {
  const { state, program } = turn;
  // A token that the limit holds back is on its way: what can come is known once it has arrived.
  if (program.joins.size === 0 || state.heldIn.count(scope) > 0) return false;
  const container = scope === 0 ? null : visitOf(turn, scope).element.id;
  for (const join of program.joins.get(container) ?? []) {
    const element = turn.element(join.element);
    if (must(turn.behavior(element).release, `'${element.id}' is no join`)(turn, element, { scope, join })) {
      turn.touched.add(scope);
      return true;
    }
  }
  return false;
}

/** Completes a scope once nothing in it can move or is awaited any more. */
function checkContent(turn: Turn, scope: Key): void {
  const { state } = turn;
  if (state.heldIn.count(scope) > 0 || (state.children.count(scope) > 0 && !onlyRests(state, scope))) return;
  if (state.adHocs.get(scope) !== undefined) {
    turn.stirred.add(scope);
    return;
  }
  assert(state.collections.get(scope) === undefined, "items end with their collection, never as tokens");
  // A process that is undone ends after its last handler; a sub-process that is such a handler ends like any other.
  if (scope === 0 && state.compensationRuns.get(0) !== undefined) return;
  if (state.waitingIn.count(scope) > 0) {
    raiseStuckJoin(turn, scope);
    return;
  }
  assert(state.children.count(scope) === 0, "a gateway rests only as long as a token waits somewhere");
  if (scope === 0) return completeInstance(turn);
  const visit = visitOf(turn, scope);
  must(turn.behavior(visit.element).onContentEnded, `'${visit.element.id}' contains nothing`)(turn, visit);
}

/** Goes on with what the activation limit held back: flows, items of every collection, handlers. */
export function resumeHeld(turn: Turn): void {
  turn.rounds = (turn.state.head.rounds ?? 0) + 1;
  turn.emit({ type: "continuation-started" });
  for (const { body } of turn.state.collections.values()) turn.stirred.add(body);
  for (const { body } of turn.state.loops.values()) turn.stirred.add(body);
  for (const { body } of turn.state.adHocs.values()) turn.stirred.add(body);
  for (const { key, kind } of turn.state.subscriptions.values()) if (kind === "condition") turn.lookAt(key);
  for (const run of turn.state.compensationRuns.values()) if (!isRunning(turn.state, run)) turn.undoing.add(run.owner);
  for (const held of [...turn.state.heldFlows.values()]) {
    const flow = must(turn.program.flows.get(held.flow), "the program has no flow", held.flow);
    for (let left = held.count; left > 0; left -= 1) {
      if (turn.isFull()) return;
      turn.emit({ type: "flow-released", flow: flow.id, scope: held.scope });
      turn.touched.add(held.scope);
      takeFlow(turn, flow, held.scope);
    }
  }
}
