import { snapshotVariables, undoneBy } from "./activity/compensation-plan.ts";
import { endItem, itemOf } from "./activity/item.ts";
import { prepareItemEvents } from "./activity/item-event.ts";
import { armWaits, boundaryWaits, disarm, noWaits } from "./bpmn-event/wait.ts";
import type { FailureInfo, Key } from "./command.ts";
import type { Visit } from "./element/behavior.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Program } from "./load.ts";
import { must } from "./problem.ts";
import type { Activity, Element, ElementId, Flow, Mapping, Source } from "./program.ts";
import { activityKinds } from "./program-check.ts";
import { declarationIn, failure, homeOf, misfit, Names, type Result, resolve, resolveMappings } from "./scope.ts";
import type { ElementInstance, State } from "./state/state.ts";
import { someFlow } from "./token/route.ts";
import type { Turn } from "./turn.ts";

export function instanceAt(turn: Turn, key: Key): ElementInstance {
  return must(turn.state.elements.get(key), "there is no element instance", key);
}

export function visitOf(turn: Turn, key: Key): Visit {
  const instance = instanceAt(turn, key);
  return { element: turn.element(instance.element), key, scope: instance.scope };
}

/**
 * Whether an element instance in this scope runs for one item or round of its activity: that stands around it, and has
 * the boundary events and the flows.
 */
export function isInner(turn: Turn, element: ElementId, scope: Key): boolean {
  return scope !== 0 && turn.state.elements.get(scope)?.element === element;
}

/** Whether an element instance only holds those of the items or rounds of its activity. */
export function isBody(turn: Turn, key: Key): boolean {
  return turn.state.collections.get(key) !== undefined || turn.state.loops.get(key) !== undefined;
}

/** Whether an element instance only holds the job that chooses in an ad-hoc sub-process. */
export function isChoice(turn: Turn, { element, scope }: ElementInstance): boolean {
  return turn.state.adHocs.get(scope) !== undefined && isInner(turn, element, scope);
}

export function isAtWork(turn: Turn, key: Key): boolean {
  return instanceAt(turn, key).state === "active";
}

/** Whether an activity that could be passed needs an instance, because something may hang on it. */
export function needsInstance(turn: Turn, element: Activity, scope: Key): boolean {
  const isUndone = element.compensation !== undefined || turn.program.handlers.has(element.id);
  return isUndone || turn.program.choosing.has(element.id) || turn.state.adHocs.get(scope) !== undefined;
}

/** Leaves an element instance activating, with an incident that a retry starts it again from. */
export function refuseActivation(turn: Turn, visit: Visit, error: FailureInfo): void {
  const { element, key, scope } = visit;
  if (turn.state.elements.get(key) === undefined) {
    turn.emit({ type: "element-activating", key, element: element.id, scope, at: turn.at });
  }
  turn.raise({ owner: key, element: element.id, kind: "activation", error });
}

/** Starts an element instance. Also how a retried activation starts. */
export function start(turn: Turn, visit: Visit): void {
  const { element, key, scope } = visit;
  const names = new Names(turn.program, turn.state, { scope: key, within: scope });
  const prepare = must(turn.behavior(element).prepare, "no instance is ever made of", element.id);
  const begin = prepare(turn, visit, names);
  if (!begin.ok) return refuseActivation(turn, visit, begin.error);
  const waits = isInner(turn, element.id, scope) ? noWaits : boundaryWaits(turn, element, names);
  if (!waits.ok) return refuseActivation(turn, visit, waits.error);
  turn.emit({ type: "element-activated", key, element: element.id, scope, at: turn.at });
  armWaits(turn, key, waits.value);
  begin.value();
}

export function startQuantity(element: Element): number {
  return ("startQuantity" in element && element.startQuantity) || 1;
}

/** Whether tokens wait on the flows into an element until it takes them. */
export function gathersTokens(turn: Turn, element: Element, program: Program = turn.program): boolean {
  const incoming = must(program.incoming.get(element.id), "no flow leads to", element.id);
  return startQuantity(element) > 1 || (turn.behavior(element).synchronises?.(incoming.length) ?? false);
}

export function takeFlow(turn: Turn, flow: Flow, scope: Key): void {
  if (turn.isFull()) {
    turn.emit({ type: "flow-taken", flow: flow.id, scope, arrives: "held" });
    return;
  }
  turn.countActivation();
  const target = turn.element(flow.to);
  const arrives = gathersTokens(turn, target) ? "waits" : "passes";
  turn.emit({ type: "flow-taken", flow: flow.id, scope, arrives });
  turn.arrivals.push({ element: target.id, scope });
}

export function takeFlows(turn: Turn, flows: readonly Flow[], scope: Key): void {
  for (const flow of flows) takeFlow(turn, flow, scope);
  turn.touched.add(scope);
}

/** Takes flows out of an element, by each of which it may give several tokens. */
function takeFlowsFrom(
  turn: Turn,
  at: { readonly element: Element; readonly scope: Key },
  flows: readonly Flow[],
): void {
  const { element, scope } = at;
  const tokens = ("completionQuantity" in element && element.completionQuantity) || 1;
  for (let left = tokens; left > 0; left -= 1) takeFlows(turn, flows, scope);
}

export function takeOutgoing(turn: Turn, element: ElementId, scope: Key): void {
  takeFlows(turn, turn.program.outgoing.get(element) ?? [], scope);
}

/** Enters and leaves an element that never waits. */
export function pass(turn: Turn, element: Element, scope: Key): void {
  turn.emit({ type: "element-passed", element: element.id, scope, at: turn.at });
  takeFlowsFrom(turn, { element, scope }, turn.program.outgoing.get(element.id) ?? []);
}

/** Values that go to one scope. */
export interface ScopeWrites {
  readonly scope: Key;
  readonly values: { [name: string]: Json };
}

interface Writes {
  readonly byScope: readonly ScopeWrites[];
  readonly itemResult: Json;
}

/** Groups values by the scope they belong to, and checks them against the declarations there. */
export function placeWrites(turn: Turn, values: JsonObject, from: Key): Result<readonly ScopeWrites[]> {
  const byScope: ScopeWrites[] = [];
  for (const name in values) {
    const value = values[name] ?? null;
    const scope = homeOf(turn.state, name, from);
    const problem = misfit(declarationIn(turn.program, turn.state, { scope, name }), value);
    if (problem !== undefined) return failure("variable-type", problem);
    const group = byScope.find((each) => each.scope === scope);
    if (group === undefined) byScope.push({ scope, values: { [name]: value } });
    else group.values[name] = value;
  }
  return { ok: true, value: byScope };
}

/** Most elements write nothing. */
const noWrites: Result<Writes> = { ok: true, value: { byScope: [], itemResult: null } };

/** What an element writes as it completes: its outputs, and what it has collected itself. */
function outputsOf(element: Element): readonly Mapping[] | undefined {
  const outputs = "outputs" in element ? element.outputs : undefined;
  const collected = "output" in element ? element.output : undefined;
  if (collected === undefined) return outputs;
  return [...(outputs ?? []), { target: collected.target, source: { variable: collected.target } }];
}

/** What completing writes. An item's outputs stay with the item: its collection gathers what `output` names. */
function planWrites(turn: Turn, visit: Visit, result: JsonObject): Result<Writes> {
  const { element, key, scope } = visit;
  const kept = isKept(turn, visit);
  const isWriter = ("outputs" in element || "loop" in element || "output" in element) && !isBody(turn, key);
  if (!isWriter && !kept) return noWrites;
  const names = new Names(turn.program, turn.state, { scope: key, extra: result });
  const outputs = resolveMappings(turn, isWriter ? outputsOf(element) : undefined, names);
  if (!outputs.ok) return outputs;
  if (turn.state.itemOf.get(key) !== undefined) {
    const output = "loop" in element && element.loop !== undefined && "output" in element.loop && element.loop.output;
    if (!output) return noWrites;
    const yielded = { ...result, ...outputs.value };
    return gather(turn, key, { source: output.source, yielded, byScope: [] });
  }
  const placed = placeWrites(turn, outputs.value, scope);
  if (!placed.ok) return placed;
  const byScope = placed.value;
  if (!kept) return { ok: true, value: { byScope, itemResult: null } };
  const yielded = { ...result, ...outputs.value };
  const container = turn.element(instanceAt(turn, scope).element);
  const output = "output" in container ? container.output : undefined;
  if (output === undefined) return { ok: true, value: { byScope, itemResult: yielded } };
  return gather(turn, key, { source: output.source, yielded, byScope });
}

/** Works out what an element instance yields to what collects it. */
function gather(
  turn: Turn,
  key: Key,
  from: { readonly source: Source; readonly yielded: JsonObject; readonly byScope: Writes["byScope"] },
): Result<Writes> {
  const names = new Names(turn.program, turn.state, { scope: key, extra: from.yielded });
  const item = resolve(turn, from.source, names);
  return item.ok ? { ok: true, value: { byScope: from.byScope, itemResult: item.value } } : item;
}

export function writeVariables(turn: Turn, writes: readonly ScopeWrites[], actor: string): void {
  for (const { scope, values } of writes) turn.emit({ type: "variables-set", scope, values, actor, at: turn.at });
}

function recordCompensation(turn: Turn, visit: Visit): void {
  const { element, key, scope } = visit;
  const handler = isBody(turn, key) ? undefined : turn.program.handlerOf.get(element.id);
  if (handler !== undefined) {
    const variables = snapshotVariables(turn.state, key);
    const kept = "triggeredByEvent" in turn.element(handler) ? { keepsContent: true as const } : {};
    turn.emit({ type: "compensation-recorded", scope, key, element: element.id, handler, variables, ...kept });
  } else if (holdsUndoable(turn.state, key) && !turn.program.handlers.has(element.id)) {
    turn.emit({ type: "compensation-recorded", scope, key, element: element.id, handler: null, variables: {} });
  }
}

/** Whether something completed in an element instance, or in the instance that it called, that can be undone. */
export function holdsUndoable(state: State, key: Key): boolean {
  return state.compensationsIn.count(key) > 0 || state.calls.get(key)?.undoable !== undefined;
}

function stay(turn: Turn, visit: Visit, why: { readonly result: JsonObject; readonly error: FailureInfo }): void {
  const { element, key } = visit;
  turn.emit({ type: "element-completing", key, result: why.result });
  turn.raise({ owner: key, element: element.id, kind: "completion", error: why.error });
}

/** Completes an element instance with what it yielded; a result that cannot be written is an incident. */
export function complete(
  turn: Turn,
  key: Key,
  yielded: { readonly result?: JsonObject; readonly actor?: string } = {},
): void {
  const visit = visitOf(turn, key);
  const result = yielded.result ?? {};
  const writes = planWrites(turn, visit, result);
  if (!writes.ok) return stay(turn, visit, { result, error: writes.error });
  const thrown = prepareItemEvents(turn, visit, result);
  if (!thrown.ok) return stay(turn, visit, { result, error: thrown.error });
  writeVariables(turn, writes.value.byScope, yielded.actor ?? visit.element.id);
  leave(turn, visit, writes.value.itemResult);
  for (const event of thrown.value) turn.thrown.push(event);
}

/**
 * Ends an element instance that has written what it yields, and takes the flows out of it. Where the flows have
 * conditions they are asked first: when none can be taken, the instance stays, with an incident.
 */
export function leave(turn: Turn, visit: Visit, itemResult: Json): void {
  const { element, key, scope } = visit;
  const item = itemOf(turn.state, key);
  const isRound = turn.state.loops.get(scope) !== undefined;
  const flows = item === undefined && !isRound ? flowsOut(turn, element, scope) : noFlows;
  if (!flows.ok) {
    turn.emit({ type: "element-completing", key, result: { kept: itemResult } });
    turn.raise({ owner: key, element: element.id, kind: "route", error: flows.error });
    return;
  }
  recordCompensation(turn, visit);
  release(turn, key);
  turn.emit({ type: "element-completed", key, element: element.id, at: turn.at });
  if (item !== undefined) endItem(turn, item, itemResult);
  else if (isRound) turn.stirred.add(scope);
  else if (turn.program.handlers.has(element.id)) undoNext(turn, key);
  else {
    if (isKept(turn, visit)) {
      turn.emit({ type: "ad-hoc-ended", body: scope, element: element.id, result: itemResult, at: turn.at });
      turn.asked.add(scope);
      turn.stirred.add(scope);
    }
    // In an ad-hoc sub-process that is closing nothing follows; it may have been the last.
    if (turn.state.adHocs.get(scope)?.closing === true) turn.touched.add(scope);
    else takeFlowsFrom(turn, visit, flows.value);
  }
}

/** Whether what an activity yields is kept by the ad-hoc sub-process it stands in. */
function isKept(turn: Turn, { element, scope }: Visit): boolean {
  return (
    turn.state.adHocs.get(scope) !== undefined &&
    activityKinds.has(element.kind) &&
    !turn.program.handlers.has(element.id)
  );
}

const noFlows: Result<readonly Flow[]> = { ok: true, value: [] };

function flowsOut(turn: Turn, element: Element, scope: Key): Result<readonly Flow[]> {
  const { route } = turn.behavior(element);
  if (route !== undefined) return route(turn, element, scope);
  if (turn.program.choosing.has(element.id)) {
    const names = new Names(turn.program, turn.state, { scope });
    return someFlow(turn, element, { names, unconditional: "besides" });
  }
  const all = turn.program.outgoing.get(element.id);
  return all === undefined ? noFlows : { ok: true, value: all };
}

/** The instance that undid a call has completed. */
export function endUndoing(turn: Turn, key: Key): void {
  const { element } = instanceAt(turn, key);
  release(turn, key);
  undoNext(turn, key);
  turn.emit({ type: "element-completed", key, element, at: turn.at });
}

/** Whatever had it undone goes on with the next once this command has come that far. */
function undoNext(turn: Turn, handler: Key): void {
  turn.undoing.add(must(undoneBy(turn.state, handler), "nothing had it undone", handler).run.owner);
}

/** Ends an element instance from outside, with all it contains and waits for. */
export function terminate(turn: Turn, key: Key): void {
  const { state } = turn;
  const instance = instanceAt(turn, key);
  for (const child of [...state.children.of(key)]) terminate(turn, child);
  if (state.jobs.get(key) !== undefined) turn.emit({ type: "job-cancelled", key, at: turn.at });
  if (state.tasks.get(key) !== undefined) turn.emit({ type: "task-cancelled", key, at: turn.at });
  const call = state.calls.get(key);
  if (call !== undefined && !call.ended) {
    turn.emit({ type: "child-cancelled", key, childId: call.childId, at: turn.at });
  }
  release(turn, key);
  turn.emit({ type: "element-terminated", key, element: instance.element, at: turn.at });
}

/** Ends everything in a scope, tokens on their way included, but for what goes on. */
export function terminateContent(turn: Turn, scope: Key, goesOn: (key: Key) => boolean = () => false): void {
  const adHoc = turn.state.adHocs.get(scope);
  if (adHoc !== undefined && !adHoc.closing) turn.emit({ type: "ad-hoc-closing", body: scope });
  for (const child of [...turn.state.children.of(scope)]) if (!goesOn(child)) terminate(turn, child);
  dropTokens(turn, scope);
}

/** Takes away the tokens that are between the elements of a scope. */
export function dropTokens(turn: Turn, scope: Key): void {
  turn.arrivals.keep((arrival) => arrival.scope !== scope);
  for (const flow of [...turn.state.waitingIn.of(scope)]) turn.emit({ type: "flow-dropped", flow, scope });
  for (const flow of [...turn.state.heldIn.of(scope)]) turn.emit({ type: "flow-dropped", flow, scope });
}

/** What an element instance (0: the process) waits for, and its open incidents, end with it. */
export function release(turn: Turn, owner: Key): void {
  disarm(turn, owner);
  turn.dropIncidents(owner, owner === 0 ? "The process has ended." : "The element it belonged to has ended.");
}
