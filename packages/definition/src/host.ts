import type { Host } from "@tutti/kernel";
import { Languages } from "./expression/languages.ts";
import { nextDue } from "./timer/next-due.ts";

/**
 * What the kernel cannot compute itself: expressions and timers. Deterministic and total; one host serves any number of
 * instances, one call at a time, and remembers what it compiled.
 */
export function createHost(): Host {
  const languages = new Languages();
  return { evaluate: (expression, scope) => languages.evaluate(expression, scope), nextDue };
}
