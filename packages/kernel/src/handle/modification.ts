import { isInterrupted } from "../bpmn-event/event-sub-process.ts";
import { boundaryWaits } from "../bpmn-event/wait.ts";
import type { Activation, Key, ModifyInstance, Rejection, Withdrawal } from "../command.ts";
import { localsOf } from "../element/sub-process.ts";
import { flowKey } from "../evolve/element.ts";
import type { Json, JsonObject } from "../json.ts";
import { instanceAt, isBody, isChoice, placeWrites, start, takeFlow, writeVariables } from "../lifecycle.ts";
import { assert, must } from "../problem.ts";
import type { Container, Element, ElementId, Flow, FlowId } from "../program.ts";
import { isEventSubProcess } from "../program-check.ts";
import { misfit, Names, resolveMappings } from "../scope.ts";
import { refusal, type Turn } from "../turn.ts";
import { endByHand, endIfEmpty } from "./end-by-hand.ts";
import type { Handlers } from "./instance.ts";

/** What will be seen in containers that are still to be opened. */
class PlannedNames extends Names {
  readonly #turn: Turn;
  readonly #opened: readonly Container[];

  constructor(turn: Turn, scope: Key, planned: { readonly locals: JsonObject; readonly opened: readonly Container[] }) {
    super(turn.program, turn.state, { scope, extra: planned.locals });
    this.#turn = turn;
    this.#opened = planned.opened;
  }

  override isInteger(name: string): boolean {
    const opened = this.#opened.findLast(({ id }) => this.#turn.program.declarations.get(id)?.has(name));
    if (opened === undefined) return super.isInteger(name);
    return this.#turn.program.declarations.get(opened.id)?.get(name)?.type === "integer";
  }
}

/** Activations and terminations in one command. */
const changesMax = 1_000;

/** Where something is activated: in a scope that is there, or in containers that are opened in it first, outermost first. */
interface Place {
  readonly scope: Key;
  readonly missing: readonly Container[];
}

function refuse(code: "element-not-activatable" | "scope-not-found" | "scope-ambiguous", why: string): Rejection {
  return refusal(code, why);
}

/** Why a token cannot be put on an element at all. */
function whyNot(turn: Turn, element: Element, from: ElementId | undefined): string | undefined {
  const { kind, id } = element;
  const incoming = turn.program.incoming.get(id) ?? [];
  const isAwaited = incoming.some((flow) => turn.element(flow.from).kind === "event-based-gateway");
  if (kind === "start-event" || kind === "boundary-event") return `it is a ${kind}`;
  if (from !== undefined && flowFrom(turn, element, from) === undefined) return `no flow leads to it from '${from}'`;
  if (kind === "complex-gateway" && from === undefined)
    return "it is a complex gateway, which remembers by which flows tokens came";
  if (turn.program.handlers.has(id)) return "it undoes something else";
  if (isEventSubProcess(element)) return "an event starts it";
  return isAwaited ? "the event-based gateway before it waits for it" : undefined;
}

function flowFrom(turn: Turn, element: Element, source: ElementId): Flow | undefined {
  return turn.program.incoming.get(element.id)?.find(({ from }) => from === source);
}

/** The tokens to take away: the flows they wait on, and where. */
function findTokens(
  turn: Turn,
  { element, from, scope: wanted }: Withdrawal,
): { readonly scope: Key; readonly flows: readonly FlowId[] } | Rejection {
  const { state, program } = turn;
  const into = (program.incoming.get(element) ?? []).filter((flow) => from === undefined || flow.from === from);
  const scopes = wanted === undefined ? [0, ...[...state.elements.values()].map(({ key }) => key)] : [wanted];
  const found = scopes.flatMap((scope) => {
    const flows = into.map(({ id }) => id).filter((id) => state.waitingFlows.get(flowKey(scope, id)) !== undefined);
    return flows.length === 0 ? [] : [{ scope, flows }];
  });
  const [only] = found;
  if (only === undefined) {
    const source = from === undefined ? "" : ` from '${from}'`;
    const why = `Expected a token${source} that waits at '${element}' to withdraw, but there is none`;
    return refusal("element-not-found", why);
  }
  if (found.length === 1) return only;
  return refusal("scope-ambiguous", `Expected tokens at '${element}' in one scope, but there are ${found.length}`);
}

/** The containers around an element, outermost first. */
function containersOf(turn: Turn, element: Element): Container[] {
  const found: Container[] = [];
  for (let id = element.parent; id !== null; id = must(found[0], "one was added").parent) {
    found.unshift(turn.element(id) as Container);
  }
  return found;
}

/** The open instances of a container in a scope; those of its items and rounds, where it has some. */
function instancesIn(turn: Turn, scope: Key, container: ElementId): Key[] {
  const found = [...turn.state.children.of(scope)].filter((key) => instanceAt(turn, key).element === container);
  return found.flatMap((key) => (isBody(turn, key) ? [...turn.state.children.of(key)] : [key]));
}

function findPlace(turn: Turn, element: Element, wanted: Key | undefined): Place | Rejection {
  const containers = containersOf(turn, element);
  let scope = 0;
  if (wanted !== undefined && wanted !== 0) {
    const instance = turn.state.elements.get(wanted);
    const depth = containers.findIndex(({ id }) => id === instance?.element);
    if (instance === undefined || depth === -1 || isBody(turn, wanted) || isChoice(turn, instance)) {
      const why = `Expected ${wanted} to be an open scope around '${element.id}', but it is none`;
      return refuse("scope-not-found", why);
    }
    containers.splice(0, depth + 1);
    scope = wanted;
  }
  for (const [index, container] of containers.entries()) {
    const found = instancesIn(turn, scope, container.id);
    if (found.length > 1) {
      const why = `Expected one '${container.id}' to activate '${element.id}' in, but there are ${found.length}`;
      return refuse("scope-ambiguous", why);
    }
    const [only] = found;
    if (only === undefined) return { scope, missing: containers.slice(index) };
    scope = only;
  }
  return { scope, missing: [] };
}

/** Whether the containers that are missing can be opened, and the scope they are opened in takes anything. */
function checkPlace(turn: Turn, element: Element, place: Place): Rejection | undefined {
  const { scope, missing } = place;
  const cannot = (why: string) =>
    refuse("element-not-activatable", `Expected '${element.id}' to be one that can be activated, but ${why}`);
  if (scope !== 0 && instanceAt(turn, scope).state !== "active") return cannot(`${scope} around it is not active`);
  if (isInterrupted(turn, scope)) return cannot(`an event sub-process has interrupted the scope around it`);
  const locals: { [name: string]: Json } = {};
  for (const [index, container] of missing.entries()) {
    if (isEventSubProcess(container)) return cannot(`only an event opens '${container.id}'`);
    if (turn.program.handlers.has(container.id)) return cannot(`'${container.id}' undoes something else`);
    if (container.loop !== undefined) return cannot(`'${container.id}' runs several times, and none of them is open`);
    const names = new PlannedNames(turn, scope, { locals: { ...locals }, opened: missing.slice(0, index) });
    const inputs = resolveMappings(turn, container.inputs, names);
    const opened = inputs.ok ? localsOf(container, inputs.value) : inputs;
    const waits = opened.ok ? boundaryWaits(turn, container, names) : opened;
    if (!opened.ok || !waits.ok) {
      const { message } = must(opened.ok ? (waits.ok ? undefined : waits.error) : opened.error, "one of them failed");
      return cannot(`'${container.id}' cannot be opened: ${message}`);
    }
    Object.assign(locals, opened.value);
  }
  return undefined;
}

function checkVariables(turn: Turn, place: Place, activation: Activation): Rejection | undefined {
  for (const [name, value] of Object.entries(activation.variables ?? {})) {
    const opened = place.missing.findLast(({ id }) => turn.program.declarations.get(id)?.has(name));
    const problem =
      opened === undefined
        ? placeWrites(turn, { [name]: value }, place.scope)
        : misfit(turn.program.declarations.get(opened.id)?.get(name), value);
    if (typeof problem === "string") return refusal("variable-type", problem);
    if (problem !== undefined && !problem.ok) return refusal("variable-type", problem.error.message);
  }
  return undefined;
}

function checkActivation(turn: Turn, activation: Activation): Rejection | undefined {
  const element = turn.program.elements.get(activation.element);
  if (element === undefined) {
    const why = `Expected an element of '${turn.program.document.id}' to activate, but '${activation.element}' is none`;
    return refuse("element-not-activatable", why);
  }
  const why = whyNot(turn, element, activation.from);
  if (why !== undefined) {
    return refuse("element-not-activatable", `Expected '${element.id}' to be one that can be activated, but ${why}`);
  }
  const place = findPlace(turn, element, activation.scope);
  if ("code" in place) return place;
  return checkPlace(turn, element, place) ?? checkVariables(turn, place, activation);
}

function check(turn: Turn, { activate, terminate, withdraw = [] }: ModifyInstance): Rejection | undefined {
  if (turn.state.compensationRuns.get(0) !== undefined) {
    return refusal("instance-failing", "Expected a running instance, but all it did is being undone, and then it ends");
  }
  const count = activate.length + terminate.length + withdraw.length;
  if (count > changesMax) {
    return refusal("limit-exceeded", `Expected at most ${changesMax} changes, but there are ${count}`);
  }
  for (const withdrawal of withdraw) {
    const found = findTokens(turn, withdrawal);
    if ("code" in found) return found;
  }
  for (const key of terminate) {
    if (turn.state.elements.get(key) !== undefined) continue;
    return refusal("element-not-found", `Expected an open element instance ${key} to terminate, but there is none`);
  }
  for (const activation of activate) {
    const problem = checkActivation(turn, activation);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Opens the containers that are missing, and puts a token on the element. */
function activateOne(turn: Turn, activation: Activation, actor: string): void {
  const element = turn.element(activation.element);
  // An activation before this one may have opened some of them.
  const place = findPlace(turn, element, activation.scope);
  assert(!("code" in place), "its place was found before");
  let { scope } = place;
  for (const container of place.missing) {
    const key = turn.nextKey();
    start(turn, { element: container, key, scope, bare: true });
    scope = key;
  }
  const writes = placeWrites(turn, activation.variables ?? {}, scope);
  assert(writes.ok, "what was checked can be written");
  writeVariables(turn, writes.value, actor);
  const flow = activation.from === undefined ? undefined : flowFrom(turn, element, activation.from);
  if (flow === undefined) {
    turn.arrivals.push({ element: element.id, scope, direct: true });
    return;
  }
  askAnew(turn, scope);
  takeFlow(turn, flow, scope);
}

/** The tokens of a scope are others now: a join that was stuck may not be any more, or says so again. */
function askAnew(turn: Turn, scope: Key): void {
  turn.dropIncidents(scope, "The tokens that wait are others now.", ({ kind }) => kind === "flow");
  turn.touched.add(scope);
}

/** Gives the scope that tokens were taken out of. */
function withdrawTokens(turn: Turn, withdrawal: Withdrawal): Key | undefined {
  const found = findTokens(turn, withdrawal);
  // They may have gone with others.
  if ("code" in found) return undefined;
  const { scope, flows } = found;
  askAnew(turn, scope);
  for (const flow of flows) turn.emit({ type: "flow-dropped", flow, scope });
  return scope;
}

export const modificationHandlers: Handlers<"modify-instance"> = {
  "modify-instance": (turn, command) => {
    const problem = check(turn, command);
    if (problem !== undefined) return problem;
    const { activate, terminate, withdraw = [], reason, actor, at } = command;
    const tokens = withdraw.length === 0 ? {} : { withdraw };
    turn.emit({ type: "instance-modified", activate, terminate, ...tokens, reason, actor, at });
    const left = withdraw.flatMap((withdrawal) => withdrawTokens(turn, withdrawal) ?? []);
    for (const activation of activate) activateOne(turn, activation, actor);
    for (const key of terminate) endByHand(turn, key, reason);
    for (const scope of left) endIfEmpty(turn, scope, reason);
    return undefined;
  },
};
