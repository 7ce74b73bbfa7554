import type { VariableScope } from "@tutti/kernel";
import type { DefinitionErrorCode } from "../errors.ts";
import { CostExceeded, type Meter } from "../expression/meter.ts";
import { limits } from "../limits.ts";
import { type FeelContext, type FeelValue, isContext, normalName, propertyOf } from "./value.ts";

/** An expression ready to run: its value, given what names mean. */
export type Run = (names: Names) => FeelValue;

/** A function of the standard. Null means that the arguments do not fit. */
export interface Builtin {
  /** The last one may begin with `...`: it takes all that are left. */
  readonly parameters: readonly string[];
  readonly call: (args: readonly FeelValue[], run: Evaluating) => FeelValue;
}

/** Ends an evaluation with an error value. */
export class FeelFailure extends Error {
  readonly code: DefinitionErrorCode;
  constructor(code: DefinitionErrorCode, message: string) {
    super(message);
    this.name = "FeelFailure";
    this.code = code;
  }
}

/** What one evaluation shares: its budget, how deep it is in calls, and what it had to say. */
export class Evaluating {
  readonly meter: Meter;
  #warnings: string[] = [];
  #calls = 0;

  constructor(meter: Meter) {
    this.meter = meter;
  }

  begin(): void {
    this.meter.reset();
    this.#warnings = [];
    this.#calls = 0;
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** FEEL gives null where other languages fail; why it did is kept. */
  warn(message: string): null {
    if (this.#warnings.length < limits.warningsMax && !this.#warnings.includes(message)) this.#warnings.push(message);
    return null;
  }

  /** Counted rather than left to the stack, whose size depends on the machine. */
  nested<T>(call: () => T, cost: number): T {
    if (this.#calls >= limits.feelCallsMax) throw new CostExceeded(this.meter.costMax);
    this.#calls += 1;
    try {
      this.meter.charge(cost);
      return call();
    } finally {
      this.#calls -= 1;
    }
  }
}

/** What a name means at one place of an expression; undefined when it means nothing there. */
export interface Names {
  find(name: string): FeelValue | undefined;
}

/** The variables of the process. */
export class ScopeNames implements Names {
  readonly #scope: VariableScope;
  constructor(scope: VariableScope) {
    this.#scope = scope;
  }
  find(name: string): FeelValue | undefined {
    return this.#scope.get(name);
  }
}

/** One more name before those outside: a loop's, a parameter, an earlier entry of a context. */
export class BoundName implements Names {
  readonly #name: string;
  readonly #value: () => FeelValue;
  readonly #outer: Names;
  constructor(name: string, value: () => FeelValue, outer: Names) {
    this.#name = name;
    this.#value = value;
    this.#outer = outer;
  }
  find(name: string): FeelValue | undefined {
    return name === this.#name ? this.#value() : this.#outer.find(name);
  }
}

/** Inside a filter: the element as `item`, and its own entries by their names. */
export class ItemNames implements Names {
  readonly #item: FeelValue;
  readonly #outer: Names;
  constructor(item: FeelValue, outer: Names) {
    this.#item = item;
    this.#outer = outer;
  }
  find(name: string): FeelValue | undefined {
    const own = isContext(this.#item) ? propertyOf(this.#item, name) : undefined;
    if (own !== undefined) return own;
    return name === "item" || name === "?" ? this.#item : this.#outer.find(name);
  }
}

/** Several names at once, by their normal form. */
export class ContextNames implements Names {
  readonly #values: Map<string, FeelValue>;
  readonly #outer: Names;
  constructor(values: FeelContext, outer: Names) {
    this.#values = new Map(Object.entries(values).map(([name, value]) => [normalName(name), value]));
    this.#outer = outer;
  }
  find(name: string): FeelValue | undefined {
    return this.#values.has(name) ? this.#values.get(name) : this.#outer.find(name);
  }
}
