import type { Meter } from "./meter.ts";

/**
 * The library's syntax tree, as far as we touch it. `meta.evaluate` is its own seam for exchanging how a node is
 * evaluated; `handle`, `left`, `right` and `receiverWithArgs` are set by its type check. The version is pinned, and
 * the tests of this folder fail when one of these moves.
 */
export interface CelNode {
  readonly op: string;
  args: unknown;
  readonly meta: { evaluate: Evaluate; alternate?: CelNode; macro?: unknown };
  setMeta(key: "evaluate", value: Evaluate): this;
  left?: CelNode;
  right?: CelNode;
  receiverWithArgs?: readonly CelNode[];
  handle?: (...args: unknown[]) => unknown;
}
interface Evaluator {
  run(node: CelNode, context: unknown): unknown;
}
type Evaluate = (evaluator: Evaluator, node: CelNode, context: unknown) => unknown;
interface Comprehension {
  condition?: (accumulated: unknown) => boolean;
}

/** Makes a checked node pay for what it does: loops per step, comparisons and calls by the size of what they touch. */
export function meterNode(node: CelNode, meter: Meter): void {
  if (node.meta.alternate?.op === "comprehension") return meterLoop(node.meta.alternate.args as Comprehension, meter);
  if (node.meta.alternate !== undefined || node.meta.macro !== undefined) return;
  if (compared.has(node.op)) node.setMeta("evaluate", meteredComparison(meter));
  else if (node.op === "+") node.setMeta("evaluate", meteredPlus(meter));
  else if (node.op === "call") node.setMeta("evaluate", meteredCall(meter));
  else if (node.op === "rcall") node.setMeta("evaluate", meteredMethod(meter));
}

const compared: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">=", "in"]);

function meterLoop(loop: Comprehension, meter: Meter): void {
  const condition = loop.condition;
  // Ends the loop rather than throwing: quantifiers carry on after errors, as CEL asks of them.
  loop.condition = (accumulated) => meter.tick() && (condition === undefined || condition(accumulated));
}

function meteredComparison(meter: Meter): Evaluate {
  return (evaluator, node, context) => {
    const left = evaluator.run(node.left as CelNode, context);
    const right = evaluator.run(node.right as CelNode, context);
    // Two scalars are the common case, and cost nothing worth counting.
    if (typeof right === "object" || typeof right === "string") meter.chargeDeep(right);
    if (typeof left === "object") meter.chargeDeep(left);
    return node.handle?.(left, right, node, evaluator);
  };
}

function meteredPlus(meter: Meter): Evaluate {
  return (evaluator, node, context) => {
    const left = evaluator.run(node.left as CelNode, context);
    const right = evaluator.run(node.right as CelNode, context);
    if (typeof left === "string" && typeof right === "string") meter.charge((left.length + right.length) >> 6);
    else if (Array.isArray(left) && Array.isArray(right)) meter.charge(left.length + right.length);
    return node.handle?.(left, right, node, evaluator);
  };
}

function meteredCall(meter: Meter): Evaluate {
  return (evaluator, node, context) => {
    const [name, operands] = node.args as [string, readonly CelNode[]];
    const values = operands.map((operand) => evaluator.run(operand, context));
    chargeCall(name, values, meter);
    return node.handle?.(values, node, evaluator);
  };
}

function meteredMethod(meter: Meter): Evaluate {
  return (evaluator, node, context) => {
    const values = (node.receiverWithArgs ?? []).map((operand) => evaluator.run(operand, context));
    chargeCall((node.args as [string])[0], values, meter);
    return node.handle?.(values, evaluator, node);
  };
}

function chargeCall(name: string, values: readonly unknown[], meter: Meter): void {
  meter.charge(5);
  for (const value of values) {
    // The size of a list is stored, not counted.
    if (name === "size" && Array.isArray(value)) continue;
    meter.chargeDeep(value);
  }
}
