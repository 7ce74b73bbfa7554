import type { BoundaryEvent, Element, ElementId, Flow, FlowId } from "../program.ts";
import { goesOnAtOnce } from "../program-check.ts";

/**
 * A gateway that waits for the tokens that can still come (BPMN 2.0.2, 13.4.3 and 13.4.5), with what that question needs:
 * worked out once, when the program is loaded.
 */
export interface Join {
  readonly element: ElementId;
  readonly incoming: readonly FlowId[];
  /** By element: the incoming flows that a token at or before it can come in by, without passing the join before. */
  readonly reach: ReadonlyMap<ElementId, readonly FlowId[]>;
}

export interface Graph {
  readonly elements: ReadonlyMap<ElementId, Element>;
  readonly incoming: ReadonlyMap<ElementId, readonly Flow[]>;
  readonly boundaries: ReadonlyMap<ElementId, readonly BoundaryEvent[]>;
  /** From a throwing link event to where it leads. */
  readonly links: ReadonlyMap<ElementId, ElementId>;
}

/** Where a token can have been before it came to an element: a boundary event is reached from what it stands on. */
function before(graph: Graph, element: ElementId): readonly ElementId[] {
  const { incoming, elements, links } = graph;
  const sources = (incoming.get(element) ?? []).map((flow) => flow.from);
  for (const [from, to] of links) if (to === element) sources.push(from);
  const at = elements.get(element);
  return at?.kind === "boundary-event" ? [...sources, at.attachedTo] : sources;
}

/** Searches backwards from each incoming flow; that costs the flows into the join times the elements before it. */
export function joinOf(graph: Graph, at: { readonly element: ElementId; readonly incoming: readonly Flow[] }): Join {
  const { element, incoming } = at;
  const reach = new Map<ElementId, FlowId[]>();
  for (const flow of incoming) {
    const seen = new Set<ElementId>([element]);
    const open = [flow.from];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      open.push(...before(graph, id));
      const at = graph.elements.get(id);
      // A token that is there has left it already.
      if (at !== undefined && goesOnAtOnce(at)) continue;
      const found = reach.get(id);
      if (found === undefined) reach.set(id, [flow.id]);
      else found.push(flow.id);
    }
  }
  return { element, incoming: incoming.map((flow) => flow.id), reach };
}
