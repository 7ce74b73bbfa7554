import { type Element, type ElementId, type Flow, findCycle } from "@tutti/kernel";
import { isGenerated } from "../generated.ts";
import { limits } from "../limits.ts";
import { type Index, linksOf } from "./program-index.ts";

/** Elements that a token may go through again and again within one command: none of them waits for anything. */
export type Circle = readonly Element[];

/**
 * What tokens may do without ever waiting. A collection that may be empty, a called process and what is undone count as
 * waiting: most of them do.
 */
export class Circles {
  readonly #index: Index;
  readonly #inside: ReadonlyMap<ElementId | null, readonly Element[]>;
  readonly #boundaries: ReadonlyMap<ElementId, readonly Element[]>;
  readonly #passing: Map<ElementId, boolean> = new Map();

  constructor(index: Index) {
    this.#index = index;
    const { elements } = index.program;
    this.#inside = Map.groupBy(elements, (element) => element.parent);
    this.#boundaries = Map.groupBy(
      elements.filter((element) => element.kind === "boundary-event"),
      (boundary) => boundary.attachedTo,
    );
  }

  /** One circle wherever there is any, without those that touch it; loops of one activity included. */
  all(): readonly Circle[] {
    return this.#among(this.#reached().filter((element) => this.#passes(element)));
  }

  /** Circles that a token stays in whatever the conditions give. What other parts of the process may do about it counts. */
  traps(): readonly Circle[] {
    if (this.#index.program.elements.some(watches)) return [];
    const caught = new Map(
      this.#reached()
        .filter((element) => this.#passes(element))
        .map((element) => [element.id, element]),
    );
    const before = new Map<ElementId, ElementId[]>();
    for (const id of caught.keys()) {
      for (const next of this.#next(id)) before.set(next, [...(before.get(next) ?? []), id]);
    }
    const open = [...caught.keys()];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const element = caught.get(id);
      if (element === undefined || this.#stays(element, caught)) continue;
      caught.delete(id);
      open.push(...(before.get(id) ?? []));
    }
    return this.#among([...caught.values()]);
  }

  #reached(): Element[] {
    return this.#index.program.elements.filter((element) => this.#index.reached.has(element.id));
  }

  #among(elements: readonly Element[]): Circle[] {
    const left = new Map(elements.map((element) => [element.id, element]));
    const next = (id: ElementId) => this.#next(id).filter((other) => left.has(other));
    const found: Circle[] = [];
    while (found.length < limits.problemsMax) {
      const [, ...circle] = findCycle([...left.keys()], next) ?? [];
      if (circle.length === 0) break;
      found.push(circle.flatMap((id) => left.get(id) ?? []));
      for (const id of circle) left.delete(id);
    }
    return found;
  }

  /** Where a token may be next: along flows, by a link, at the handler of what a sub-process throws, in another round. */
  #next(id: ElementId): ElementId[] {
    const element = this.#index.elements.get(id);
    if (element === undefined) return [];
    return [
      ...this.#flows(id).map((flow) => flow.to),
      ...linksOf(this.#index.program, element).map((target) => target.id),
      ...(this.#boundaries.get(id) ?? []).map((boundary) => boundary.id),
      ...(isUnboundedLoop(element) ? [id] : []),
    ];
  }

  #flows(id: ElementId): readonly Flow[] {
    return this.#index.outgoing.get(id) ?? [];
  }

  #passes(element: Element): boolean {
    const known = this.#passing.get(element.id);
    if (known !== undefined) return known;
    const passes = this.#goesOn(element);
    this.#passing.set(element.id, passes);
    return passes;
  }

  #goesOn(element: Element): boolean {
    switch (element.kind) {
      case "script-task":
      case "manual-task":
      case "exclusive-gateway":
      case "inclusive-gateway":
      case "parallel-gateway":
      case "complex-gateway":
      case "end-event":
        return true;
      case "start-event":
        return element.trigger.type === "none";
      case "business-rule-task":
      case "send-task":
        return element.job === undefined;
      case "intermediate-throw-event":
        return element.trigger.type !== "compensation" && !("job" in element.trigger);
      case "intermediate-catch-event":
        return element.trigger.type === "link";
      case "boundary-event":
        return element.trigger.type === "error" || element.trigger.type === "escalation";
      case "sub-process":
        return (this.#inside.get(element.id) ?? []).every((inner) => this.#passes(inner));
      default:
        return false;
    }
  }

  /** Whether a token that comes here is still among the others afterwards, as far as the program alone says. */
  #stays(element: Element, others: ReadonlyMap<ElementId, Element>): boolean {
    const flows = this.#flows(element.id);
    const stays = (flow: Flow) => others.has(flow.to);
    const joins = (this.#index.incoming.get(element.id)?.length ?? 0) > 1;
    switch (element.kind) {
      case "exclusive-gateway":
        return flows.length > 0 && flows.every(stays);
      case "parallel-gateway":
        return !joins && flows.some(stays);
      case "inclusive-gateway":
        return !joins && takes(element, flows, stays);
      case "intermediate-throw-event":
        if (element.trigger.type === "none") return flows.some(stays);
        return element.trigger.type === "link" && this.#next(element.id).some((id) => others.has(id));
      case "intermediate-catch-event":
      case "script-task":
      case "manual-task":
      case "business-rule-task":
        return takes(element, flows, stays);
      default:
        // A sub-process may be left in more ways than its flows, and what is thrown may be caught by anybody.
        return false;
    }
  }
}

/** Of several flows with conditions any may be taken, but those without one always are. */
function takes(element: Element, flows: readonly Flow[], stays: (flow: Flow) => boolean): boolean {
  const defaultFlow = "defaultFlow" in element ? element.defaultFlow : undefined;
  const always = flows.filter((flow) => flow.condition === undefined && flow.id !== defaultFlow);
  return always.some(stays) || (flows.length > 0 && flows.every(stays));
}

function isUnboundedLoop(element: Element): boolean {
  return "loop" in element && element.loop?.mode === "standard" && element.loop.maximum === undefined;
}

/** What waits for a condition may end a circle that changes variables. */
function watches(element: Element): boolean {
  return "trigger" in element && JSON.stringify(element.trigger).includes('"conditional"');
}

/** The circle as its author would tell it, beginning with what stands first in the definition. */
export function tellCircle(circle: Circle): { readonly first: Element | undefined; readonly told: string } {
  const known = circle.filter((element) => !isGenerated(element.id));
  const order = ({ position }: Element) => (position?.line ?? 0) * 1_000_000 + (position?.column ?? 0);
  const [first] = [...known].sort((a, b) => order(a) - order(b));
  const from = first === undefined ? 0 : known.indexOf(first);
  const names = [...known.slice(from), ...known.slice(0, from + 1)].map((element) => element.name ?? element.id);
  return { first, told: names.join(" → ") };
}
