import type { Json } from "./json.ts";
import type { Expression, TimerDefinition } from "./program.ts";

/** What an expression can see. `get` gives undefined for an unknown name. Values are plain JSON and never change. */
export interface VariableScope {
  get(name: string): Json | undefined;
  /** Whether the nearest declaration of the name says `integer` (CEL distinguishes int from double). */
  isInteger(name: string): boolean;
}

export type Evaluation =
  | {
      readonly ok: true;
      readonly value: Json;
      /** What went wrong on the way without keeping it from a value: FEEL gives null where other languages fail. */
      readonly warnings?: readonly string[];
    }
  | { readonly ok: false; readonly code: string; readonly message: string };

export type DueResult =
  | {
      readonly ok: true;
      /** Epoch ms. */
      readonly due: number;
      /** How often it fires after this one; null: for ever. 0 for dates and durations. */
      readonly remaining: number | null;
    }
  | { readonly ok: false; readonly code: string; readonly message: string };

/**
 * What the kernel cannot compute without a library. Both must be deterministic, total and bounded in time: no clock,
 * no randomness, no I/O; they answer with an error value and never throw. The kernel records every result in an event,
 * so neither is called again on replay.
 */
export interface Host {
  evaluate(expression: Expression, scope: VariableScope): Evaluation;
  /**
   * When a timer fires next. `value` is the evaluated `timer.value`. `from` is epoch ms: the moment of arming, or the
   * due instant of the firing before (not the moment it was noticed). `remaining` is absent on arming; afterwards
   * what the last call gave.
   */
  nextDue(
    timer: Pick<TimerDefinition, "kind" | "timeZone">,
    value: Json,
    from: number,
    remaining?: number | null,
  ): DueResult;
}
