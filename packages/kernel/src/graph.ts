/**
 * A cycle in a directed graph as the path along it, first node repeated at the end; undefined when there is none.
 * Depth-first search with an explicit stack, since a chain of 100 000 items would overflow the call stack.
 */
export function findCycle(
  nodes: readonly string[],
  edgesOf: (node: string) => readonly string[],
): readonly string[] | undefined {
  const done = new Set<string>();
  for (const root of nodes) {
    if (done.has(root)) continue;
    const path: { readonly node: string; readonly edges: readonly string[]; next: number }[] = [];
    const onPath = new Set<string>();
    const enter = (node: string): void => {
      path.push({ node, edges: edgesOf(node), next: 0 });
      onPath.add(node);
    };
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = top.edges[top.next];
      top.next += 1;
      if (target === undefined) {
        done.add(top.node);
        onPath.delete(top.node);
        path.pop();
      } else if (onPath.has(target)) {
        const names = path.map((step) => step.node);
        return [...names.slice(names.indexOf(target)), target];
      } else if (!done.has(target)) {
        enter(target);
      }
    }
  }
  return undefined;
}
