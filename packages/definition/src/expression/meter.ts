import { limits } from "../limits.ts";

/** Thrown inside an evaluation that used up its budget. */
export class CostExceeded extends Error {
  constructor(costMax: number) {
    super(`Expected at most ${costMax} units of work, but the expression needs more`);
    this.name = "CostExceeded";
  }
}

/**
 * Counts the work of one evaluation. Counting, unlike a clock, gives the same answer on every machine and in every
 * replay. Once exhausted it stays so until `reset`: CEL's `||` and `&&` swallow errors, so a throw alone stops nothing.
 */
export class Meter {
  readonly costMax: number;
  #left = 0;

  constructor(costMax: number = limits.expressionCostMax) {
    this.costMax = costMax;
  }

  reset(): void {
    this.#left = this.costMax;
  }

  get exhausted(): boolean {
    return this.#left < 0;
  }

  /** For loops: false once the budget is gone. */
  tick(cost: number): boolean {
    this.#left -= cost;
    return this.#left >= 0;
  }

  charge(cost: number): void {
    this.#left -= cost;
    if (this.#left < 0) throw new CostExceeded(this.costMax);
  }

  /** Charges for looking at all of a value: one per node, and one per 64 characters. */
  chargeDeep(value: unknown): void {
    if (typeof value === "string") {
      if (value.length > 64) this.charge(value.length >> 6);
      return;
    }
    if (value === null || typeof value !== "object") return;
    if (Array.isArray(value)) {
      this.charge(value.length + 1);
      for (const inner of value) this.chargeDeep(inner);
      return;
    }
    for (const key in value) {
      this.charge(1);
      this.chargeDeep((value as Record<string, unknown>)[key]);
    }
  }
}

/**
 * A step of a loop runs the interpreter, which costs about ten times as much as comparing two values, a handful of nodes
 * included; each further one costs five.
 */
export function stepCost(nodes: number): number {
  return Math.max(10, 5 * nodes - 20);
}
