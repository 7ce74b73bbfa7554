import type {
  Element,
  ElementId,
  Expression,
  Flow,
  FlowId,
  ProgramDocument,
  SourcePosition,
  VariableDeclaration,
} from "@tutti/kernel";
import { hashProgram } from "./hash.ts";
import { limits } from "./limits.ts";
import type { Place, Problems } from "./problem.ts";

/** What every form tells about its process. */
export interface Head {
  readonly id: string;
  readonly version: string;
  readonly name: string;
  readonly variables: readonly VariableDeclaration[];
  readonly outputs: readonly string[];
  readonly onError: "fail" | "compensate";
}

/** A compiled program with what only lint and reports need. */
export interface CompiledProgram {
  readonly program: ProgramDocument;
  readonly problems: Problems;
  /** Where the head of the process stands. */
  readonly place: Place;
  /** `legacy`: forms whose authors could not declare everything; what would be an error there is a warning. */
  readonly legacy: boolean;
  /** Names that handlers of error and time-out events start with: normal flow should not fall into them. */
  readonly fallsInto: readonly { readonly from: ElementId; readonly to: ElementId }[];
}

/** A program while it is being put together. Elements keep the order they were added in. */
export class Draft {
  readonly problems: Problems;
  readonly place: Place;
  readonly #elements = new Map<ElementId, Element>();
  readonly #flows = new Map<FlowId, Flow>();
  #overfull = false;

  constructor(problems: Problems, place: Place) {
    this.problems = problems;
    this.place = place;
  }

  has(id: ElementId): boolean {
    return this.#elements.has(id);
  }

  get(id: ElementId): Element | undefined {
    return this.#elements.get(id);
  }

  add(element: Element): void {
    const before = this.#elements.get(element.id);
    const position = element.position ?? { line: 1, column: 1 };
    if (before !== undefined) {
      const line = before.position === undefined ? "" : ` (first in line ${before.position.line})`;
      this.problems.error(
        "element-duplicate",
        `Expected every id once, but ${element.id} is there twice${line}`,
        position,
      );
      return;
    }
    if (this.#elements.size >= limits.elementsMax) {
      if (!this.#overfull) {
        this.problems.error(
          "element-limit",
          `Expected at most ${limits.elementsMax} elements, but there are more`,
          position,
        );
      }
      this.#overfull = true;
      return;
    }
    this.#elements.set(element.id, element);
  }

  /** Exchanges an element for the same one with more known about it. */
  amend(element: Element): void {
    this.#elements.set(element.id, element);
  }

  flow(from: ElementId, to: ElementId, more: { condition?: Expression; name?: string } = {}): string {
    let id = `${from}->${to}`;
    for (let n = 2; this.#flows.has(id); n++) id = `${from}->${to}#${n}`;
    this.#flows.set(id, { id, from, to, ...more });
    return id;
  }

  /** A flow whose author gave it an id; or the same one again, with more known about it. */
  putFlow(flow: Flow): void {
    this.#flows.set(flow.id, flow);
  }

  elements(): readonly Element[] {
    return [...this.#elements.values()];
  }

  flows(): readonly Flow[] {
    return [...this.#flows.values()];
  }

  getFlow(id: FlowId): Flow | undefined {
    return this.#flows.get(id);
  }

  /** Puts elements and flows into the order of their ids given here; those that are not named keep theirs, behind. */
  reorder(elementIds: readonly ElementId[], flowIds: readonly string[]): void {
    const elements = inOrder(this.elements(), elementIds);
    this.#elements.clear();
    for (const element of elements) this.#elements.set(element.id, element);
    const flows = inOrder(this.flows(), flowIds);
    this.#flows.clear();
    for (const flow of flows) this.#flows.set(flow.id, flow);
  }

  /**
   * Puts a merge before a gateway that only splits. With several flows in, the kernel would have it wait for all of
   * them, as BPMN says; who writes `fork` means each of them.
   */
  mergeBefore(id: ElementId): void {
    const gateway = this.#elements.get(id);
    const incoming = this.flows().filter((flow) => flow.to === id);
    if (gateway === undefined || incoming.length < 2) return;
    const merge = `${id}.merge`;
    for (const flow of incoming) this.#flows.set(flow.id, { ...flow, to: merge });
    const { parent, position } = gateway;
    const defaultFlow = this.flow(merge, id);
    this.add({
      kind: "exclusive-gateway",
      id: merge,
      parent,
      defaultFlow,
      ...(position !== undefined && { position }),
    });
  }

  finish(head: Head): ProgramDocument {
    const document = { format: 1 as const, ...head, elements: [...this.#elements.values()], flows: this.flows() };
    return { ...document, hash: hashProgram(document) };
  }
}

function inOrder<T extends { readonly id: string }>(items: readonly T[], ids: readonly string[]): T[] {
  const ranks = new Map(ids.map((id, rank) => [id, rank]));
  const rank = (item: T): number => ranks.get(item.id) ?? ids.length;
  return items.toSorted((a, b) => rank(a) - rank(b));
}

/** An end event of a scope, made when something first flows there. */
export function endOf(draft: Draft, parent: ElementId | null, position: SourcePosition): ElementId {
  const id = parent === null ? "end" : `${parent}.end`;
  if (!draft.has(id)) draft.add({ kind: "end-event", id, parent, trigger: { type: "none" }, position });
  return id;
}
