import { findCycle } from "@tutti/kernel";

/** A directed graph by name: who must be done before whom. Names outside the graph are ignored. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/** A circle as it would have to run, from a name back to itself; undefined when there is none. */
export function circleIn(graph: Dependencies): readonly string[] | undefined {
  const known = (name: string) => (graph.get(name) ?? []).filter((other) => graph.has(other));
  return findCycle([...graph.keys()], known)?.toReversed();
}

/** Drops every edge that another path implies: `a` before `b` before `c` needs no `a` before `c`. */
export function reduce(graph: Dependencies): Map<string, readonly string[]> {
  const reduced = new Map<string, readonly string[]>();
  for (const [name, before] of graph) {
    const implied = new Set<string>();
    if (before.length > 1)
      for (const direct of before) for (const ancestor of ancestors(graph, direct)) implied.add(ancestor);
    reduced.set(
      name,
      before.filter((direct) => !implied.has(direct)),
    );
  }
  return reduced;
}

/** Everything that must be done before a name, without the name itself. */
export function ancestors(graph: Dependencies, name: string): Set<string> {
  const found = new Set<string>();
  const open = [...(graph.get(name) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(graph.get(next) ?? []));
  }
  return found;
}
