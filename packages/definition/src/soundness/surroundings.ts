import type { Element, ElementId, Flow, JsonObject, ProgramDocument, State } from "@tutti/kernel";
import { linksOf } from "../lint/program-index.ts";
import { choosableIn } from "./abstract.ts";

/** What the structure of a program says about each of its elements. Everything is computed once. */
export class Surroundings {
  readonly #elements: ReadonlyMap<ElementId, Element>;
  readonly #inside: ReadonlyMap<ElementId | null, readonly Element[]>;
  readonly #boundaries: ReadonlyMap<ElementId, readonly Element[]>;
  readonly #outgoing: ReadonlyMap<ElementId, readonly Flow[]>;
  readonly #codes: Map<ElementId, readonly string[]> = new Map();
  readonly #after: Map<ElementId, ReadonlySet<ElementId>> = new Map();
  readonly #reach: Map<ElementId, ReadonlySet<ElementId>> = new Map();
  #multipliers: readonly ElementId[] | undefined;
  readonly #quiet: Map<ElementId | null, boolean> = new Map();
  readonly #document: ProgramDocument;

  constructor(document: ProgramDocument) {
    this.#document = document;
    this.#elements = new Map(document.elements.map((element) => [element.id, element]));
    this.#outgoing = Map.groupBy(document.flows, (flow) => flow.from);
    this.#inside = Map.groupBy(document.elements, (element) => element.parent);
    this.#boundaries = Map.groupBy(
      document.elements.filter((element) => element.kind === "boundary-event"),
      (element) => element.attachedTo,
    );
  }

  /** Codes of errors that something around the element catches; one that nobody names where all are caught. */
  codesAround(id: ElementId): readonly string[] {
    const known = this.#codes.get(id);
    if (known !== undefined) return known;
    const codes = new Set<string>();
    for (let element = this.#elements.get(id); element !== undefined; element = this.#parentOf(element)) {
      for (const event of [...(this.#boundaries.get(element.id) ?? []), ...this.#eventStarts(element.parent)]) {
        const trigger = triggerOf(event);
        if (trigger.type === "error") codes.add(trigger.code ?? "any-error");
      }
    }
    const found = [...codes];
    this.#codes.set(id, found);
    return found;
  }

  /** What a job may complete with, as far as the process goes on differently: some choose what is done next. */
  resultsOf(state: State, id: ElementId): readonly JsonObject[] {
    return this.#elements.get(id)?.kind === "ad-hoc-sub-process" ? this.choicesIn(state, id) : [{}];
  }

  /** What may be chosen in an ad-hoc sub-process: nothing more, or, once what was chosen before is done, another. */
  choicesIn(state: State, id: ElementId): readonly JsonObject[] {
    const running = [...state.elements.values()].some(({ element }) => this.#elements.get(element)?.parent === id);
    const next = running ? [] : choosableIn(this.#document, id);
    return [{ activate: [], done: true }, ...next.map((chosen) => ({ activate: [chosen] }))];
  }

  isChosenByPeople(id: ElementId): boolean {
    const element = this.#elements.get(id);
    if (element?.kind !== "ad-hoc-sub-process" || element.job !== undefined) return false;
    return element.activate === undefined || element.completion !== undefined;
  }

  /** Whether an event leaves running what it belongs to. */
  isAdding(id: ElementId): boolean {
    const event = this.#elements.get(id) as { readonly interrupting?: boolean } | undefined;
    return event?.interrupting === false;
  }

  /** Whether something runs that the event leads to. */
  isGoingOn(state: State, event: ElementId): boolean {
    const after = this.#elementsAfter(event);
    for (const instance of state.elements.values()) if (after.has(instance.element)) return true;
    return false;
  }

  /**
   * Whether what happens to an element cannot interfere with what happens beside it: nothing in the scopes around it can
   * end it, and nothing in them looks at more than the flows that lead to it.
   */
  isQuiet(id: ElementId | null): boolean {
    const element = id === null ? undefined : this.#elements.get(id);
    return element !== undefined && this.#isQuietScope(element.parent);
  }

  /**
   * Whether a token at one element can bring ever more tokens to another that none of them leaves for where they come
   * from: then a run that always sees to the other one first never sees them pile up there.
   */
  mayPileUp(from: ElementId | null, at: ElementId | null): boolean {
    if (from === null || at === null) return false;
    const [ahead, back] = [this.#reachedFrom(from), this.#reachedFrom(at)];
    return this.#inCircles().some(
      (multiplier) =>
        (from === multiplier || ahead.has(multiplier)) &&
        this.#reachedFrom(multiplier).has(at) &&
        !back.has(multiplier),
    );
  }

  /** Elements that make several tokens of one, and can be come to again by one of these. */
  #inCircles(): readonly ElementId[] {
    this.#multipliers ??= this.#document.elements.flatMap(({ id, kind }) => {
      const parts = (this.#outgoing.get(id)?.length ?? 0) > 1 && kind !== "exclusive-gateway";
      const adds = parts || (this.#boundaries.get(id) ?? []).some((boundary) => this.isAdding(boundary.id));
      return adds && this.#reachedFrom(id).has(id) ? [id] : [];
    });
    return this.#multipliers;
  }

  /** Everything that can come of a token at the element: also by its boundary events, and after what it completes. */
  #reachedFrom(id: ElementId): ReadonlySet<ElementId> {
    const known = this.#reach.get(id);
    if (known !== undefined) return known;
    const reached = new Set<ElementId>();
    for (let element = this.#elements.get(id); element !== undefined; element = this.#parentOf(element)) {
      for (const leaving of [element, ...(this.#boundaries.get(element.id) ?? [])]) {
        for (const after of this.#elementsAfter(leaving.id)) reached.add(after);
      }
    }
    this.#reach.set(id, reached);
    return reached;
  }

  #isQuietScope(container: ElementId | null): boolean {
    const known = this.#quiet.get(container);
    if (known !== undefined) return known;
    const element = container === null ? undefined : this.#elements.get(container);
    const quiet =
      (this.#inside.get(container) ?? []).every((inner) => !this.#isLoud(inner)) &&
      (element === undefined ||
        (!this.#boundaries.has(element.id) && isPlainContainer(element) && this.#isQuietScope(element.parent)));
    this.#quiet.set(container, quiet);
    return quiet;
  }

  /** Elements that end, start or look at others than those their flows lead to, themselves or by what they contain. */
  #isLoud(element: Element): boolean {
    if (loudKinds.has(element.kind)) return true;
    if (element.kind === "end-event" && element.trigger.type !== "none") return true;
    if (element.kind === "intermediate-throw-event" && element.trigger.type !== "none") return true;
    if ("triggeredByEvent" in element || "loop" in element) return true;
    return (this.#inside.get(element.id) ?? []).some((inner) => this.#isLoud(inner));
  }

  #parentOf(element: Element): Element | undefined {
    return element.parent === null ? undefined : this.#elements.get(element.parent);
  }

  /** The start events of the event sub-processes in a scope. */
  #eventStarts(scope: ElementId | null): Element[] {
    const containers = (this.#inside.get(scope) ?? []).filter((element) => "triggeredByEvent" in element);
    return containers.flatMap((container) =>
      (this.#inside.get(container.id) ?? []).filter((element) => element.kind === "start-event"),
    );
  }

  /** Everything a token from the element may reach, and what is in there; for a start, what is in its sub-process. */
  #elementsAfter(id: ElementId): ReadonlySet<ElementId> {
    const known = this.#after.get(id);
    if (known !== undefined) return known;
    const after = new Set<ElementId>();
    const open = this.#nextOf(id);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (after.has(next)) continue;
      after.add(next);
      open.push(...this.#nextOf(next));
      for (const inner of this.#inside.get(next) ?? []) open.push(inner.id);
      for (const boundary of this.#boundaries.get(next) ?? []) open.push(boundary.id);
    }
    this.#after.set(id, after);
    return after;
  }

  #nextOf(id: ElementId): ElementId[] {
    const element = this.#elements.get(id);
    const linked = element === undefined ? [] : linksOf(this.#document, element);
    return [...(this.#outgoing.get(id) ?? []).map((flow) => flow.to), ...linked.map((target) => target.id)];
  }
}

const loudKinds: ReadonlySet<string> = new Set([
  "inclusive-gateway",
  "complex-gateway",
  "event-based-gateway",
  "ad-hoc-sub-process",
]);

function isPlainContainer(element: Element): boolean {
  return element.kind === "sub-process" && !("loop" in element) && !("transaction" in element);
}

interface AnyTrigger {
  readonly type: string;
  readonly code?: string;
}

function triggerOf(element: Element): AnyTrigger {
  return "trigger" in element ? element.trigger : { type: "none" };
}
