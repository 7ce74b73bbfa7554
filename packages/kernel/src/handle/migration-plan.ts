import { isUndoing } from "../activity/compensation-plan.ts";
import { triggerOf } from "../bpmn-event/wait.ts";
import type { Key, MigrateInstance, MigrationProblem } from "../command.ts";
import { variableKey } from "../evolve/variable.ts";
import { gathersTokens, isBody, isChoice, isInner } from "../lifecycle.ts";
import type { Program } from "../load.ts";
import { must } from "../problem.ts";
import type { Element, ElementId, Flow, FlowId, VariableDeclaration } from "../program.ts";
import { misfit } from "../scope.ts";
import type { Turn } from "../turn.ts";

/** From which program to which, and where what is open stands in the new one. */
export interface Move {
  readonly from: Program;
  readonly to: Program;
  /** Elements that are called otherwise in the new program, the others keep their id; and flows for tokens to be on. */
  readonly mapping: MigrateInstance["mapping"];
}

export interface MigrationPlan {
  readonly problems: readonly MigrationProblem[];
  /** Old ids to new ones, as far as they differ and something open names them. */
  readonly elements: { readonly [element: ElementId]: ElementId };
  readonly flows: { readonly [flow: FlowId]: FlowId };
  /** Events that only the old program waits for, and those that only the new one does (by their new ids). */
  readonly closed: readonly EventAt[];
  readonly opened: readonly EventAt[];
}

/** An event that waits for as long as `owner` is open (0: the process). */
export interface EventAt {
  readonly owner: Key;
  readonly element: ElementId;
}

function renamed({ mapping }: Pick<Move, "mapping">, id: ElementId): ElementId {
  return Object.hasOwn(mapping, id) ? must(mapping[id], "it is there") : id;
}

function loopLike(element: Element): string {
  const loop = "loop" in element ? element.loop : undefined;
  if (loop === undefined || loop.mode === "standard") return loop?.mode ?? "none";
  return `${loop.mode === "graph" ? "graph" : "plain"} over '${loop.item}'`;
}

function triggerLike(element: Element): string {
  const trigger = triggerOf(element);
  if (trigger?.type === "multiple") {
    return `${trigger.parallel ? "all" : "any"} of ${trigger.triggers.map(({ type }) => type).join(", ")}`;
  }
  return trigger?.type ?? ("trigger" in element ? element.trigger.type : "none");
}

function workOf(element: Element): string {
  const own = "job" in element ? element.job : undefined;
  const sent = "trigger" in element && element.trigger.type === "message" && "job" in element.trigger;
  return own !== undefined || sent ? "a job" : "none";
}

function roleOf(element: Element): string {
  if ("forCompensation" in element && element.forCompensation) return "compensation handler";
  if (element.kind !== "sub-process") return "none";
  return element.transaction ? "transaction" : element.triggeredByEvent ? "event sub-process" : "none";
}

/** What must be the same of two elements so that one can take over what waits in the other. */
const likeness: { readonly [what: string]: (element: Element) => string } = {
  kind: ({ kind }) => kind,
  loop: loopLike,
  trigger: triggerLike,
  work: workOf,
  role: roleOf,
};

function difference(a: Element, b: Element): string | undefined {
  for (const [what, of] of Object.entries(likeness)) {
    if (of(a) !== of(b)) return `the ${what} of '${a.id}' is ${of(a)}, and that of '${b.id}' is ${of(b)}`;
  }
  return undefined;
}

class Planner implements MigrationPlan {
  readonly problems: MigrationProblem[] = [];
  readonly elements: { [element: ElementId]: ElementId } = {};
  readonly flows: { [flow: FlowId]: FlowId } = {};
  readonly closed: EventAt[] = [];
  readonly opened: EventAt[] = [];
  readonly #move: Move;
  readonly #turn: Turn;
  /** Elements that were looked at, and flows. */
  readonly #placed: Set<ElementId> = new Set();
  readonly #flowOf: Map<FlowId, FlowId> = new Map();
  /** New elements, and who takes their place. */
  readonly #taken: Map<ElementId, ElementId> = new Map();

  constructor(turn: Turn, move: Move) {
    this.#turn = turn;
    this.#move = move;
  }

  refuse(code: MigrationProblem["code"], element: ElementId | null, message: string): void {
    this.problems.push({ code, element, message });
  }

  /** Only what exists can be mapped, and to what exists. */
  checkMapping(): void {
    const { from, to, mapping } = this.#move;
    for (const [old, id] of Object.entries(mapping)) {
      const isFlow = !from.elements.has(old) && from.flows.has(old);
      const [what, known] = isFlow ? ["flow ", to.flows.has(id)] : ["", to.elements.has(id)];
      if (!isFlow && !from.elements.has(old)) {
        this.refuse("mapping-unknown", old, `there is no '${old}' in the old version`);
      }
      if (!known) this.refuse("mapping-unknown", old, `there is no ${what}'${id}' in the new version`);
    }
  }

  /** Something open names an element: it must be there in the new program, in the same scope, and alike. */
  place(id: ElementId): void {
    if (this.#placed.has(id)) return;
    this.#placed.add(id);
    const { from, to } = this.#move;
    const old = must(from.elements.get(id), `there is no '${id}' in the old version`);
    const target = to.elements.get(renamed(this.#move, id));
    if (target === undefined) {
      this.refuse("element-gone", id, `'${id}' is open, and the new version has none`);
      return;
    }
    const problem = difference(old, target);
    if (problem !== undefined) this.refuse("element-differs", id, problem);
    const parent = old.parent === null ? null : renamed(this.#move, old.parent);
    if (target.parent !== parent) {
      const [is, was] = [target.parent ?? "the process", parent ?? "the process"];
      this.refuse("scope-differs", id, `'${target.id}' stands in '${is}', and what is open runs in '${was}'`);
    }
    const other = this.#taken.get(target.id);
    if (other !== undefined) {
      this.refuse("mapping-twice", id, `'${id}' and '${other}' would both become '${target.id}'`);
    }
    this.#taken.set(target.id, id);
    if (target.id !== id) this.elements[id] = target.id;
  }

  /** It has ended, and is only spoken of: by its new name, if there is one. */
  renameEnded(id: ElementId): void {
    const target = renamed(this.#move, id);
    if (target !== id) this.elements[id] = target;
  }

  /** It was chosen in an ad-hoc sub-process, and is to start there. */
  placeChosen(id: ElementId): void {
    this.place(id);
    const { from, to } = this.#move;
    const { parent } = must(from.elements.get(id), `there is no '${id}' in the old version`);
    const container = renamed(this.#move, must(parent, "what is chosen stands in an ad-hoc sub-process"));
    const target = renamed(this.#move, id);
    if (to.activatable.get(container)?.some((each) => each.id === target) || !to.elements.has(target)) return;
    this.refuse("element-differs", id, `'${id}' was chosen, and '${target}' cannot be activated by itself`);
  }

  /** An event that stays goes on waiting, with the time that is left; the others close and open. */
  checkEvents(owner: Key, element: ElementId | null, opens: boolean): void {
    const { from, to, mapping } = this.#move;
    const turn = this.#turn;
    const events = eventsOn(turn, owner, {
      program: to,
      element: element === null ? null : renamed(this.#move, element),
    });
    const kept = new Set<ElementId>();
    for (const event of eventsOn(turn, owner, { program: from, element })) {
      const same = events.find(({ id }) => id === renamed(this.#move, event.id));
      if (same !== undefined && triggerLike(same) === triggerLike(event)) {
        kept.add(same.id);
        continue;
      }
      this.closed.push({ owner, element: event.id });
      if (!Object.hasOwn(mapping, event.id)) continue;
      const message = `'${event.id}' cannot become '${mapping[event.id]}', which waits for something else`;
      this.refuse("element-differs", event.id, message);
    }
    if (opens) for (const { id } of events) if (!kept.has(id)) this.opened.push({ owner, element: id });
  }

  /** Whatever waits, or failed, names an element, unless it is an event that closes. */
  checkNamed(records: Iterable<{ readonly owner: Key; readonly element: ElementId | null }>): void {
    const closed = new Set(this.closed.map(({ owner, element }) => `${owner}/${element}`));
    for (const { owner, element } of records) {
      if (element !== null && !closed.has(`${owner}/${element}`)) this.place(element);
    }
  }

  /**
   * Tokens that wait, that a gateway went on with already, or that are held back are on flows: on the one that the mapping
   * says, else on one between the same elements.
   */
  checkFlow(id: FlowId, token: "waits" | "was-joined" | "is-held"): void {
    if (this.#flowOf.has(id)) return;
    const { from, to } = this.#move;
    const old = must(from.flows.get(id), `there is no flow '${id}' in the old version`);
    const mapped = this.#mappedFlow(id);
    const isPlaced = token === "waits" && mapped === undefined;
    if (isPlaced) {
      this.place(old.to);
      // That the join is gone was said by that.
      if (!to.elements.has(renamed(this.#move, old.to))) return;
    }
    const flow = mapped ?? this.#flowBetween(old);
    if (flow === undefined) return this.#refuseFlow(old, "no flow leads there any more");
    if ([...this.#flowOf.values()].includes(flow.id)) {
      this.refuse("mapping-twice", old.to, `'${id}' and another flow would both become '${flow.id}'`);
    }
    this.#flowOf.set(id, flow.id);
    const target = must(to.elements.get(flow.to), "a flow leads to an element");
    const { parent } = must(from.elements.get(old.to), "a flow leads to an element");
    if (token === "waits" && !gathersTokens(this.#turn, target, to)) {
      this.#refuseFlow(old, `'${target.id}' joins nothing`);
    } else if (token === "was-joined" && flow.to !== renamed(this.#move, old.to)) {
      this.#refuseFlow(old, `the gateway there went on with it, but '${flow.id}' leads to '${flow.to}'`);
    } else if (!isPlaced && target.parent !== (parent === null ? null : renamed(this.#move, parent))) {
      this.#refuseFlow(old, `'${target.id}' stands in another scope`);
    }
    if (flow.id !== id) this.flows[id] = flow.id;
  }

  /** Says what can be done: a flow of the new version to map it to, or that the token has to go on first. */
  #refuseFlow({ id, from: source, to: join }: Flow, why: string): void {
    const into = this.#move.to.incoming.get(renamed(this.#move, join)) ?? [];
    const free = into.filter((flow) => ![...this.#flowOf.values()].includes(flow.id)).map((flow) => `'${flow.id}'`);
    const way = free.length === 0 ? "let it go on first, or take it away" : `map '${id}' to ${free.join(" or ")}`;
    this.refuse("flow-gone", join, `a token came to '${join}' from '${source}' by '${id}', and ${why}: ${way}`);
  }

  #mappedFlow(id: FlowId): Flow | undefined {
    const { from, to, mapping } = this.#move;
    if (!Object.hasOwn(mapping, id) || from.elements.has(id)) return undefined;
    return to.flows.get(must(mapping[id], "it is there"));
  }

  /** The flow of the new program between the same elements; of several the one of the same id, else the first free one. */
  #flowBetween(old: Flow): Flow | undefined {
    const { to, mapping } = this.#move;
    const source = renamed(this.#move, old.from);
    const taken = new Set([...this.#flowOf.values(), ...Object.values(mapping)]);
    const incoming = to.incoming.get(renamed(this.#move, old.to)) ?? [];
    const free = incoming.filter((flow) => flow.from === source && !taken.has(flow.id));
    return free.find(({ id }) => id === old.id) ?? free[0];
  }

  /** Declarations of the new program for a scope that is open. */
  checkVariables(scope: Key, container: ElementId | null): void {
    for (const declaration of declarationsOf(this.#move, container)) {
      const variable = this.#turn.state.variables.get(variableKey(scope, declaration.name));
      const problem = misfit(declaration, variable?.value ?? null);
      if (problem !== undefined) this.refuse("variable-type", container, problem);
      const given = variable !== undefined || declaration.initial !== undefined;
      if (declaration.required && !given) {
        this.refuse("variable-missing", container, `the new version requires a variable '${declaration.name}'`);
      }
    }
  }
}

/** The events that wait while something of an element (null: the process) is open: on its border, and inside it. */
function eventsOn(
  turn: Turn,
  owner: Key,
  { program, element }: { readonly program: Program; readonly element: ElementId | null },
): readonly Element[] {
  const instance = turn.state.elements.get(owner);
  // Boundary events stand on the whole activity, event sub-processes in each of its items or rounds.
  const isInside = instance === undefined || isInner(turn, instance.element, instance.scope);
  const onBorder = !isInside && !isUndoing(turn.state, owner);
  const border = element !== null && onBorder ? (program.boundaries.get(element) ?? []) : [];
  const holdsNone = isBody(turn, owner) || (instance !== undefined && isChoice(turn, instance));
  const inside = holdsNone ? [] : (program.eventSubProcesses.get(element) ?? []);
  return [...border, ...inside.map(({ id }) => must(program.starts.get(id), `'${id}' has no start event`))];
}

/** What the new program declares in a container of its own. */
export function declarationsOf({ to }: Move, container: ElementId | null): Iterable<VariableDeclaration> {
  return must(to.declarations.get(container), `'${container}' contains nothing`).values();
}

/** Scopes with variables of their own, and the container each is an instance of in the new program. */
export function* openScopes(turn: Turn, move: Move): IterableIterator<readonly [Key, ElementId | null]> {
  yield [0, null];
  for (const instance of turn.state.elements.values()) {
    const { key, element, state: phase } = instance;
    const container = renamed(move, element);
    if (phase !== "active" || !move.to.declarations.has(container)) continue;
    if (!isBody(turn, key) && !isChoice(turn, instance)) yield [key, container];
  }
}

/** Whether the state can go on under the new program: everything that keeps it from that, and where things will be. */
export function planMigration(turn: Turn, move: Move): MigrationPlan {
  const { state } = turn;
  const planner = new Planner(turn, move);
  if (state.compensationRuns.get(0) !== undefined) {
    planner.refuse("instance-failing", null, "all it did is being undone, and then it ends");
  }
  planner.checkMapping();
  planner.checkEvents(0, null, true);
  for (const { key, element, state: phase } of state.elements.values()) {
    planner.place(element);
    planner.checkEvents(key, element, phase === "active");
  }
  planner.checkNamed(state.timers.values());
  planner.checkNamed(state.subscriptions.values());
  planner.checkNamed(state.incidents.values());
  for (const { element, handler } of state.compensations.values()) {
    planner.place(element);
    if (handler !== null) planner.place(handler);
  }
  for (const scope of [0, ...[...state.elements.values()].map(({ key }) => key)]) {
    for (const flow of state.waitingIn.of(scope)) planner.checkFlow(flow, "waits");
  }
  for (const { flows } of state.joining.values()) for (const flow of flows) planner.checkFlow(flow, "was-joined");
  for (const { chosen } of state.adHocs.values()) for (const { element } of chosen) planner.placeChosen(element);
  for (const { element } of state.adHocResults.values()) planner.renameEnded(element);
  for (const { flow } of state.heldFlows.values()) planner.checkFlow(flow, "is-held");
  for (const [scope, container] of openScopes(turn, move)) planner.checkVariables(scope, container);
  return planner;
}
