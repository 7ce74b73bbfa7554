import type { Element, ElementId } from "@tutti/kernel";
import { linkedTo } from "../lint/program-index.ts";
import { writesOf } from "../lint/sources.ts";
import type { Checked } from "./access.ts";
import type { Concurrency } from "./order.ts";

/** Names that have been written whichever way was taken; undefined before anything is known: then all of them. */
type Certain = ReadonlySet<string> | undefined;

/**
 * What has certainly been written when an element starts, and when it has completed: along every path, at a join from
 * every branch. The classical definite assignment, as greatest fixed point.
 */
export class Assignment {
  readonly #checked: Checked;
  readonly #optional: "counts" | "may be absent";
  readonly #concurrency: Concurrency;
  readonly #before: Map<ElementId, Certain> = new Map();
  readonly #after: Map<ElementId, Certain> = new Map();
  readonly #inside: ReadonlyMap<ElementId | null, readonly Element[]>;
  readonly #undone: ReadonlyMap<ElementId, Element>;

  /** `optional`: whether a result that need not be given counts as written. */
  constructor(checked: Checked, concurrency: Concurrency, optional: "counts" | "may be absent") {
    this.#optional = optional;
    this.#checked = checked;
    this.#concurrency = concurrency;
    const { elements } = checked.compiled.program;
    this.#inside = Map.groupBy(elements, (element) => element.parent);
    this.#undone = new Map(
      elements.flatMap((element): [ElementId, Element][] =>
        "compensation" in element && element.compensation !== undefined ? [[element.compensation, element]] : [],
      ),
    );
    for (let changed = true; changed; ) {
      changed = false;
      for (const element of elements) changed = this.#update(element) || changed;
    }
  }

  /** Whether the name has been written before the element starts, whatever happened. */
  isCertain(element: Element, name: string): boolean {
    return this.#before.get(element.id)?.has(name) ?? true;
  }

  #update(element: Element): boolean {
    const before = this.#beforeOf(element);
    const after = this.#afterOf(element, before);
    const changed = !same(this.#before.get(element.id), before) || !same(this.#after.get(element.id), after);
    this.#before.set(element.id, before);
    this.#after.set(element.id, after);
    return changed;
  }

  #beforeOf(element: Element): Certain {
    if (element.kind === "boundary-event") return this.#before.get(element.attachedTo);
    const undone = this.#undone.get(element.id);
    if (undone !== undefined) return this.#after.get(undone.id);
    const linked = linkedTo(this.#checked.compiled.program, element);
    if (linked.length > 0) return intersection(linked.map(({ id }) => this.#after.get(id)));
    const incoming = this.#checked.index.incoming.get(element.id) ?? [];
    const from = incoming.map((flow) => this.#after.get(flow.from));
    if (incoming.length === 0) return this.#aroundOf(element);
    return element.kind === "parallel-gateway" ? union(from) : intersection(from);
  }

  /** What begins with its scope knows what the scope knew. */
  #aroundOf(element: Element): Certain {
    if (element.parent === null) return new Set();
    return this.#before.get(element.parent);
  }

  #afterOf(element: Element, before: Certain): Certain {
    if (before === undefined) return undefined;
    const written = new Set([...before, ...this.#writesOf(element)]);
    if (element.kind !== "sub-process" || element.loop !== undefined) return written;
    const local = new Set([
      ...(element.variables ?? []).map(({ name }) => name),
      ...(element.inputs ?? []).map(({ target }) => target),
    ]);
    const inner = this.#afterContent(element.id);
    if (inner === undefined) return undefined;
    for (const name of inner) if (!local.has(name)) written.add(name);
    return written;
  }

  #writesOf(element: Element): readonly string[] {
    if (this.#optional === "counts" || !("outputs" in element)) return writesOf(element);
    const optional = new Set(
      (element.outputs ?? []).filter((each) => each.optional === true).map(({ target }) => target),
    );
    return writesOf(element).filter((name) => !optional.has(name));
  }

  /** At the end of a scope: what every last element of it leaves, counting those that always end beside it. */
  #afterContent(container: ElementId): Certain {
    const leaves = (this.#inside.get(container) ?? []).filter((element) => this.#isLeaf(element));
    const each = leaves.map((leaf) =>
      union(
        [leaf, ...leaves.filter((other) => this.#concurrency.has(leaf, other))].map(({ id }) => this.#after.get(id)),
      ),
    );
    return intersection(each);
  }

  #isLeaf(element: Element): boolean {
    const ends = (this.#checked.index.outgoing.get(element.id)?.length ?? 0) === 0;
    if (!ends || "forCompensation" in element || "triggeredByEvent" in element) return false;
    // An end that throws leaves the scope another way.
    return (
      this.#checked.index.reached.has(element.id) && !(element.kind === "end-event" && element.trigger.type === "error")
    );
  }
}

function same(a: Certain, b: Certain): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.size === b.size;
}

/** Unknown so far means all names: it takes nothing away. */
function intersection(sets: readonly Certain[]): Certain {
  const known = sets.filter((set) => set !== undefined);
  const [first, ...rest] = known;
  if (first === undefined) return undefined;
  return new Set([...first].filter((name) => rest.every((set) => set.has(name))));
}

function union(sets: readonly Certain[]): Certain {
  if (sets.includes(undefined)) return undefined;
  return new Set(sets.flatMap((set) => [...(set ?? [])]));
}
