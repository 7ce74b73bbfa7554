import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "../problem.ts";

export interface Patience {
  /** Aborts when nobody wants to wait any more. */
  readonly signal: AbortSignal;
  /** Told once, in words for a person. */
  tell(words: string): void;
}

const againMsMin = 500;
const againMsMax = 10_000;

/** Asks again while Temporal is away, less and less often; without patience that is an error like any other. */
export async function patiently<T>(patience: Patience | undefined, ask: () => Promise<T>): Promise<T> {
  for (let againMs = againMsMin; ; againMs = Math.min(againMsMax, againMs * 2)) {
    try {
      return await ask();
    } catch (error) {
      if (patience === undefined || patience.signal.aborted || codeOf(error) !== "temporal-unreachable") throw error;
      if (againMs === againMsMin) patience.tell("Temporal does not answer: waiting until it does. Ctrl-C ends that.");
      await sleep(againMs, undefined, { signal: patience.signal }).catch(() => undefined);
    }
  }
}
