import type { Json, SourcePosition } from "@tutti/kernel";

/** A text in arrow notation, as it was written. Expressions in it are CEL. */
export interface Notation {
  readonly lines: readonly Line[];
}

export type Line =
  | { readonly kind: "flow"; readonly flow: ArrowFlow; readonly position: SourcePosition }
  /** `x: number = 1`, or `x = expression`. */
  | {
      readonly kind: "assign";
      readonly name: string;
      readonly type?: string;
      readonly value: { readonly literal: Json } | { readonly text: string };
      readonly position: SourcePosition;
    }
  /** `→ {a, b: expression}`: what the process gives. */
  | { readonly kind: "result"; readonly fields: readonly Field[]; readonly position: SourcePosition };

/** Units one after the other. */
export interface ArrowFlow {
  readonly units: readonly Unit[];
}

/** Without a text, the variable of that name. */
export interface Field {
  readonly name: string;
  readonly text?: string;
}

export type Unit =
  /** A step; or, without arguments and agent, a variable that is handed on. */
  | {
      readonly kind: "call";
      readonly name: string;
      readonly args?: readonly Field[];
      readonly agent?: string;
      /** `+boost`, `-penalty(0.5)`, `*emphasis`: what whoever does the step should mind, as it was written. */
      readonly modifiers?: readonly string[];
      readonly position: SourcePosition;
    }
  /** `[a & b → c]`: all at once. */
  | { readonly kind: "group"; readonly flows: readonly ArrowFlow[]; readonly position: SourcePosition }
  /** `condition ? a : b`. */
  | {
      readonly kind: "choice";
      readonly condition: string;
      readonly yes: ArrowFlow;
      readonly no: ArrowFlow;
      readonly position: SourcePosition;
    }
  /** `(a + b)` or `{a, b: expression}`: values handed on, or taken from what comes before. */
  | { readonly kind: "values"; readonly fields: readonly Field[]; readonly position: SourcePosition }
  /** `(flow)`. */
  | { readonly kind: "nested"; readonly flow: ArrowFlow; readonly position: SourcePosition }
  /** `[list] >> step`: once per entry, which the step sees as `item`. */
  | {
      readonly kind: "each";
      readonly collection: string;
      readonly call: Unit & { readonly kind: "call" };
      readonly position: SourcePosition;
    };
