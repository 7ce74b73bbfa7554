/** A directed graph by name: who must be done before whom. Names outside the graph are ignored. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/** The first circle found, written from a name back to itself; undefined when there is none. */
export function findCycle(graph: Dependencies): readonly string[] | undefined {
  const state = new Map<string, "open" | "done">();
  for (const root of graph.keys()) {
    if (state.has(root)) continue;
    // Not recursive: a chain of 100 000 names must not end the process.
    const path: { readonly name: string; next: number }[] = [{ name: root, next: 0 }];
    state.set(root, "open");
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const name = graph.get(top.name)?.[top.next++];
      if (name === undefined) {
        state.set(top.name, "done");
        path.pop();
      } else if (state.get(name) === "open") {
        const names = path.map((entry) => entry.name);
        return [...names.slice(names.indexOf(name)), name].reverse();
      } else if (!state.has(name) && graph.has(name)) {
        state.set(name, "open");
        path.push({ name, next: 0 });
      }
    }
  }
  return undefined;
}

/** Drops every edge that another path implies: `a` before `b` before `c` needs no `a` before `c`. */
export function reduce(graph: Dependencies): Map<string, readonly string[]> {
  const reduced = new Map<string, readonly string[]>();
  for (const [name, before] of graph) {
    const implied = new Set<string>();
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
