import type { Host } from "@tutti/kernel";
import { Evaluator } from "./expression/evaluator.ts";
import { nextDue } from "./timer/next-due.ts";

/**
 * What the kernel cannot compute itself: CEL and timers. Deterministic and total; one host serves any number of
 * instances, one call at a time, and remembers what it compiled.
 */
export function createHost(): Host {
  const evaluator = new Evaluator();
  return { evaluate: (expression, scope) => evaluator.evaluate(expression, scope), nextDue };
}
