import type { Element, ElementId, Flow } from "@tutti/kernel";
import type { Checked } from "./access.ts";

/**
 * Which elements may run at the same time: on different branches of one split, on the branch of an event that does not
 * interrupt beside the rest of its activity, and whatever stands inside of them. What a join brings together comes
 * after both.
 */
export class Concurrency {
  readonly #checked: Checked;
  readonly #boundaries: ReadonlyMap<ElementId, readonly Element[]>;
  /** Per split: what each of its branches alone reaches. */
  readonly #splits: readonly (readonly ReadonlySet<ElementId>[])[];
  /** Starts of event sub-processes that leave their scope running, by the scope. */
  readonly #aside: ReadonlySet<ElementId>;

  constructor(checked: Checked) {
    this.#checked = checked;
    const { elements } = checked.compiled.program;
    this.#boundaries = Map.groupBy(
      elements.filter((element) => element.kind === "boundary-event"),
      (boundary) => boundary.attachedTo,
    );
    this.#splits = elements.flatMap((element) => [...this.#splitAt(element), ...this.#splitBeside(element)]);
    this.#aside = new Set(
      elements
        .filter((element) => element.kind === "start-event" && element.interrupting === false)
        .flatMap((element) => (element.parent === null ? [] : [element.parent])),
    );
  }

  has(a: Element, b: Element): boolean {
    if (a.id === b.id) return false;
    const [left, right] = this.#siblings(a, b);
    if (left === undefined || right === undefined || left === right) return false;
    if (this.#aside.has(left) || this.#aside.has(right)) return true;
    return this.#splits.some((branches) =>
      branches.some((one, at) =>
        branches.some(
          (other, beside) => at !== beside && one.has(left) && !other.has(left) && other.has(right) && !one.has(right),
        ),
      ),
    );
  }

  /** What of each stands in the innermost scope that holds both. */
  #siblings(a: Element, b: Element): readonly [ElementId?, ElementId?] {
    const chain = this.#chainOf(a);
    const places = new Map(chain.map((element) => [element.parent, element.id]));
    for (const element of this.#chainOf(b)) {
      const beside = places.get(element.parent);
      if (beside !== undefined) return [beside, element.id];
    }
    return [];
  }

  #chainOf(element: Element): Element[] {
    const chain = [element];
    for (let parent = element.parent; parent !== null; ) {
      const container = this.#checked.index.elements.get(parent);
      if (container === undefined) break;
      chain.push(container);
      parent = container.parent;
    }
    return chain;
  }

  #splitAt(element: Element): (readonly ReadonlySet<ElementId>[])[] {
    const outgoing = this.#checked.index.outgoing.get(element.id) ?? [];
    const splits = outgoing.length > 1 && !takesOne(element);
    return splits ? [outgoing.map((flow) => this.#reach([flow], element.id))] : [];
  }

  #splitBeside(element: Element): (readonly ReadonlySet<ElementId>[])[] {
    if (element.kind !== "boundary-event" || element.interrupting) return [];
    const { outgoing } = this.#checked.index;
    const after = this.#reach(outgoing.get(element.attachedTo) ?? [], element.attachedTo);
    const handler = this.#reach(outgoing.get(element.id) ?? [], element.attachedTo);
    return [[new Set([...after, element.attachedTo]), handler]];
  }

  /** What tokens on these flows may reach without coming through `until` again. */
  #reach(flows: readonly Flow[], until: ElementId): ReadonlySet<ElementId> {
    const { outgoing } = this.#checked.index;
    const reached = new Set<ElementId>();
    const open = flows.map((flow) => flow.to);
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (reached.has(id) || id === until) continue;
      reached.add(id);
      for (const flow of outgoing.get(id) ?? []) open.push(flow.to);
      for (const boundary of this.#boundaries.get(id) ?? []) open.push(boundary.id);
    }
    return reached;
  }
}

function takesOne(element: Element): boolean {
  return element.kind === "exclusive-gateway" || (element.kind as string) === "event-based-gateway";
}
