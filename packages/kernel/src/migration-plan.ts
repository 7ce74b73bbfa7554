import type { Key, MigrationProblem } from "./command.ts";
import { variableKey } from "./evolve/variable.ts";
import type { Program } from "./load.ts";
import { must } from "./problem.ts";
import type { Element, ElementId, FlowId, VariableDeclaration } from "./program.ts";
import { misfit } from "./scope.ts";
import type { ElementInstance, State } from "./state.ts";

/** From which program to which, and where what is open stands in the new one. */
export interface Move {
  readonly from: Program;
  readonly to: Program;
  /** Elements that are called otherwise in the new program; the others keep their id. */
  readonly mapping: { readonly [element: ElementId]: ElementId };
}

export interface MigrationPlan {
  readonly problems: readonly MigrationProblem[];
  /** Old ids to new ones, as far as they differ and something open names them. */
  readonly elements: { readonly [element: ElementId]: ElementId };
  readonly flows: { readonly [flow: FlowId]: FlowId };
  /** Events on open activities that the new program does not have, and those that only it has (by their new ids). */
  readonly closed: readonly EventAt[];
  readonly opened: readonly EventAt[];
}

/** An event that waits for as long as `owner` is open. */
export interface EventAt {
  readonly owner: Key;
  readonly element: ElementId;
}

export function renamed({ mapping }: Pick<Move, "mapping">, id: ElementId): ElementId {
  return Object.hasOwn(mapping, id) ? must(mapping[id], "it is there") : id;
}

/** What must be the same of two elements so that one can take over what waits in the other. */
const likeness: { readonly [what: string]: (element: Element) => string } = {
  kind: ({ kind }) => kind,
  loop: (element) => {
    const loop = "loop" in element ? element.loop : undefined;
    if (loop === undefined) return "none";
    return `${loop.mode === "graph" ? "graph" : "plain"} over '${loop.item}'`;
  },
  trigger: (element) => ("trigger" in element ? element.trigger.type : "none"),
  work: (element) => ("job" in element ? "a job" : "none"),
  role: (element) => ("forCompensation" in element && element.forCompensation ? "compensation handler" : "none"),
};

class Planner {
  readonly problems: MigrationProblem[] = [];
  readonly elements: { [element: ElementId]: ElementId } = {};
  readonly flows: { [flow: FlowId]: FlowId } = {};
  readonly closed: EventAt[] = [];
  readonly opened: EventAt[] = [];
  readonly #move: Move;
  readonly #state: State;
  readonly #seen: Map<ElementId, Element | undefined> = new Map();
  readonly #flowOf: Map<FlowId, FlowId> = new Map();
  /** New elements, and who takes their place. */
  readonly #taken: Map<ElementId, ElementId> = new Map();

  constructor(move: Move, state: State) {
    this.#move = move;
    this.#state = state;
  }

  refuse(code: MigrationProblem["code"], element: ElementId | null, message: string): void {
    this.problems.push({ code, element, message });
  }

  /** Only what exists can be mapped, and to what exists. */
  checkMapping(): void {
    const { from, to, mapping } = this.#move;
    for (const [old, id] of Object.entries(mapping)) {
      if (!from.elements.has(old)) this.refuse("mapping-unknown", old, `there is no '${old}' in the old version`);
      if (!to.elements.has(id)) this.refuse("mapping-unknown", old, `there is no '${id}' in the new version`);
    }
  }

  /** Where an element that something open stands on is in the new program; each is looked at once. */
  place(id: ElementId): Element | undefined {
    if (this.#seen.has(id)) return this.#seen.get(id);
    const old = must(this.#move.from.elements.get(id), `there is no '${id}' in the old version`);
    const target = this.#move.to.elements.get(renamed(this.#move, id));
    const fits = target !== undefined && this.#isLike(old, target);
    if (target === undefined) this.refuse("element-gone", id, `'${id}' is open, and the new version has none`);
    this.#seen.set(id, fits ? target : undefined);
    if (!fits) return undefined;
    this.#take(id, target.id);
    return target;
  }

  #take(id: ElementId, target: ElementId): void {
    const other = this.#taken.get(target) ?? id;
    if (other !== id) this.refuse("mapping-twice", id, `'${id}' and '${other}' would both become '${target}'`);
    this.#taken.set(target, id);
    if (target !== id) this.elements[id] = target;
  }

  #isLike(old: Element, target: Element): boolean {
    for (const [what, of] of Object.entries(likeness)) {
      const [a, b] = [of(old), of(target)];
      if (a === b) continue;
      this.refuse("element-differs", old.id, `the ${what} of '${old.id}' is ${a}, and that of '${target.id}' is ${b}`);
      return false;
    }
    return true;
  }

  checkInstance(instance: ElementInstance): void {
    const { element, scope } = instance;
    const target = this.place(element);
    if (target === undefined) return;
    const around = scope === 0 ? null : must(this.#state.elements.get(scope), "a scope is open").element;
    const parent = around === null ? null : renamed(this.#move, around);
    // The instance of an item runs in its collection, which is of the same element.
    if (around !== element && target.parent !== parent) {
      const [is, was] = [target.parent ?? "the process", parent ?? "the process"];
      this.refuse("scope-differs", element, `'${target.id}' stands in '${is}', and what is open runs in '${was}'`);
    }
  }

  /** An event that stays on its activity goes on waiting, with the time that is left; the others close and open. */
  checkEvents({ key, element, state: phase }: ElementInstance): void {
    const { from, to, mapping } = this.#move;
    // Boundary events stand on the whole activity, so the instance of an item has none.
    if (this.#state.itemOf.get(key) !== undefined) return;
    const events = to.boundaries.get(renamed(this.#move, element)) ?? [];
    const kept = new Set<ElementId>();
    for (const event of from.boundaries.get(element) ?? []) {
      const same = events.find(
        ({ id, trigger }) => id === renamed(this.#move, event.id) && trigger.type === event.trigger.type,
      );
      if (same === undefined) {
        this.closed.push({ owner: key, element: event.id });
        if (Object.hasOwn(mapping, event.id)) {
          this.refuse(
            "element-differs",
            event.id,
            `'${event.id}' cannot become '${mapping[event.id]}', which waits for something else`,
          );
        }
      } else {
        kept.add(same.id);
        this.#take(event.id, same.id);
      }
    }
    if (phase !== "active") return;
    for (const { id } of events) if (!kept.has(id)) this.opened.push({ owner: key, element: id });
  }

  /** Tokens that wait or are held back stand on flows. */
  checkFlow(id: FlowId, waits: boolean): void {
    const { from, to } = this.#move;
    const old = must(from.flows.get(id), `there is no flow '${id}' in the old version`);
    const [source, target] = [renamed(this.#move, old.from), renamed(this.#move, old.to)];
    if (waits && this.place(old.to) === undefined) return;
    const known = this.#flowOf.get(id);
    if (known !== undefined) return;
    const free = (to.incoming.get(target) ?? []).filter(
      (flow) => flow.from === source && ![...this.#flowOf.values()].includes(flow.id),
    );
    const flow = free.find((each) => each.id === id) ?? free[0];
    if (flow === undefined) {
      this.refuse("flow-gone", old.to, `a token is on its way from '${old.from}', and no flow leads there any more`);
      return;
    }
    this.#flowOf.set(id, flow.id);
    if (waits && must(to.incoming.get(target), "a flow leads there").length === 1) {
      this.refuse("flow-gone", old.to, `a token waits at '${old.to}', and '${target}' joins nothing`);
    }
    if (flow.id !== id) this.flows[id] = flow.id;
  }

  /** Declarations of the new program for a scope that is open. */
  checkVariables(scope: Key, container: ElementId | null): void {
    for (const declaration of declarationsOf(this.#move, container)) {
      const variable = this.#state.variables.get(variableKey(scope, declaration.name));
      const problem = misfit(declaration, variable?.value ?? null);
      if (problem !== undefined) this.refuse("variable-type", container, problem);
      const given = variable !== undefined || declaration.initial !== undefined;
      if (declaration.required && !given) {
        this.refuse("variable-missing", container, `the new version requires a variable '${declaration.name}'`);
      }
    }
  }
}

/** What the new program declares in a container of its own. */
export function declarationsOf({ to }: Move, container: ElementId | null): Iterable<VariableDeclaration> {
  return must(to.declarations.get(container), `'${container}' contains nothing`).values();
}

/** Scopes with variables of their own, and the container each is an instance of in the new program. */
export function* openScopes(move: Move, state: State): IterableIterator<readonly [Key, ElementId | null]> {
  yield [0, null];
  for (const { key, element, state: phase } of state.elements.values()) {
    const container = renamed(move, element);
    if (phase === "active" && move.to.declarations.has(container) && state.collections.get(key) === undefined) {
      yield [key, container];
    }
  }
}

/** Whether the state can go on under the new program: everything that keeps it from that, and where things will be. */
export function planMigration(move: Move, state: State): MigrationPlan {
  const planner = new Planner(move, state);
  if (state.head.status === "failing") {
    planner.refuse("instance-failing", null, "its work is being undone, and it will fail");
  }
  planner.checkMapping();
  for (const instance of state.elements.values()) {
    planner.checkInstance(instance);
    planner.checkEvents(instance);
  }
  for (const { element, handler } of state.compensations.values()) {
    planner.place(element);
    if (handler !== null) planner.place(handler);
  }
  for (const scope of [0, ...[...state.elements.values()].map(({ key }) => key)]) {
    for (const flow of state.waitingIn.of(scope)) planner.checkFlow(flow, true);
  }
  for (const { flow } of state.heldFlows.values()) planner.checkFlow(flow, false);
  for (const [scope, container] of openScopes(move, state)) planner.checkVariables(scope, container);
  return planner;
}
