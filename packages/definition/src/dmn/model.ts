/**
 * A decision with everything it requires, ready to be evaluated: what the text of an expression in the language `dmn`
 * holds, as canonical JSON. All texts in it are FEEL.
 */
export interface CompiledDecision {
  readonly format: 1;
  /** Names with spaces or signs in them, which FEEL must be told of. */
  readonly names: readonly string[];
  /** Each after those it requires; the last is the one that is asked for. */
  readonly steps: readonly DecisionStep[];
}

export interface DecisionStep {
  /** Under which others read it. */
  readonly name: string;
  readonly logic: DecisionLogic;
}

export type DecisionLogic = Literal | DecisionTable | TableFunction;

/** A table that decisions ask with values of their own. */
export interface TableFunction {
  readonly type: "function";
  readonly parameters: readonly string[];
  readonly table: DecisionTable;
}

export interface Literal {
  readonly type: "literal";
  readonly text: string;
}

/** Unique, any, priority, first, rule order, output order, collect. */
export type HitPolicy = "U" | "A" | "P" | "F" | "R" | "O" | "C";
export type Aggregator = "sum" | "count" | "min" | "max";

export interface DecisionTable {
  readonly type: "table";
  readonly hit: HitPolicy;
  readonly aggregate?: Aggregator;
  readonly inputs: readonly TableInput[];
  readonly outputs: readonly TableOutput[];
  readonly rules: readonly TableRule[];
}

export interface TableInput {
  readonly text: string;
  /** Unary tests; a value that fits none of them is an error. */
  readonly allowed?: string;
}

export interface TableOutput {
  /** Absent where there is one output only: then the value itself is the result. */
  readonly name?: string;
  /** Possible values, the most important first, each as FEEL. */
  readonly values?: readonly string[];
  /** What it gives when no rule fits. */
  readonly otherwise?: string;
}

export interface TableRule {
  /** Unary tests, one per input. */
  readonly when: readonly string[];
  /** Expressions, one per output. */
  readonly then: readonly string[];
}
