/**
 * The library's syntax tree, as far as we touch it. `meta.evaluate` is its own seam for exchanging how a node is
 * evaluated; `handle`, `left`, `right` and `receiverWithArgs` are set by its type check. The version is pinned, and
 * the tests of this folder fail when one of these moves.
 */
export interface CelNode {
  readonly op: string;
  args: unknown;
  readonly meta: { evaluate: Evaluate; alternate?: CelNode; macro?: { evaluate: Evaluate } };
  setMeta(key: "evaluate", value: Evaluate): this;
  left?: CelNode;
  right?: CelNode;
  receiverWithArgs?: readonly CelNode[];
  handle?: (...args: unknown[]) => unknown;
}
export interface Evaluator {
  run(node: CelNode, context: unknown): unknown;
}
export type Evaluate = (evaluator: Evaluator, node: CelNode, context: unknown) => unknown;

export function children({ args }: Pick<CelNode, "args">): CelNode[] {
  const found: CelNode[] = [];
  const collect = (value: unknown) => {
    if (Array.isArray(value)) for (const inner of value) collect(inner);
    else if (value !== null && typeof value === "object" && "op" in value) found.push(value as CelNode);
  };
  collect(args);
  return found;
}

/** Those inside of a node come before it. */
export function eachNode(node: CelNode, visit: (node: CelNode) => void): void {
  for (const child of children(node)) eachNode(child, visit);
  visit(node);
}
