import { type Meter, stepCost } from "./meter.ts";
import { type CelNode, children, eachNode } from "./node.ts";

type Evaluate = CelNode["meta"]["evaluate"];
interface Comprehension {
  condition?: (accumulated: unknown) => boolean;
  readonly errorsAreFatal?: boolean;
  readonly step: CelNode;
}

/** Makes a checked node pay for what it does: loops per step, comparisons and calls by the size of what they touch. */
export function meterNode(node: CelNode, meter: Meter): void {
  if (node.meta.alternate?.op === "comprehension") {
    return meterLoop(node.meta.alternate.args as Comprehension, stepCost(sizeOfBody(node)), meter);
  }
  if (node.meta.alternate !== undefined || node.meta.macro !== undefined) return;
  if (compared.has(node.op)) node.setMeta("evaluate", meteredComparison(meter));
  else if (node.op === "+") node.setMeta("evaluate", meteredPlus(meter));
  else if (node.op === "call") node.setMeta("evaluate", meteredCall(meter));
  else if (node.op === "rcall") node.setMeta("evaluate", meteredMethod(meter));
}

const compared: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">=", "in"]);

/**
 * Makes a checked node pay for the errors that it swallows, as CEL asks of quantifiers, `||` and `&&`: making one, with its
 * place in the text, takes longer than the step that it ends. Comes after what is inside of the node was metered.
 */
export function meterErrors(node: CelNode, cost: number, meter: Meter): void {
  const loop = node.meta.alternate?.op === "comprehension" ? (node.meta.alternate.args as Comprehension) : undefined;
  const tried =
    loop === undefined ? (node.op === "||" || node.op === "&&") && node.left : !loop.errorsAreFatal && loop.step;
  if (!tried) return;
  const holder = tried.meta.macro ?? (tried.meta.alternate ?? tried).meta;
  const { evaluate } = holder;
  holder.evaluate = (evaluator, self, context) => {
    try {
      return evaluate(evaluator, self, context);
    } catch (error) {
      meter.charge(cost);
      throw error;
    }
  };
}

/** Nodes that each step runs: all but what is gone through. */
function sizeOfBody(loop: CelNode): number {
  let size = 0;
  for (const part of children({ args: (loop.args as readonly unknown[])[2] })) eachNode(part, () => (size += 1));
  return size;
}

function meterLoop(loop: Comprehension, cost: number, meter: Meter): void {
  const condition = loop.condition;
  // Ends the loop rather than throwing: quantifiers carry on after errors, as CEL asks of them.
  loop.condition = (accumulated) => meter.tick(cost) && (condition === undefined || condition(accumulated));
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
