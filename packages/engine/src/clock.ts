/** Every source of time and of "later" in the engine. Replaced as a whole by the simulation. */
export interface Clock {
  /** Epoch ms. May jump. */
  now(): number;
  /** Runs once, at or soon after `at` (epoch ms). Gives what calls it off. */
  schedule(at: number, run: () => void): () => void;
  /** Runs after everything that is already under way, so that what belongs together is collected first. */
  defer(run: () => void): void;
}

/** Longer delays overflow a 32-bit timer and would fire at once. */
const delayMaxMs = 2_147_483_647;

export const realClock: Clock = {
  now: () => Date.now(),
  schedule(at, run) {
    let handle: NodeJS.Timeout;
    const wait = (): void => {
      const delayMs = Math.max(0, at - Date.now());
      handle = setTimeout(delayMs > delayMaxMs ? wait : run, Math.min(delayMs, delayMaxMs));
    };
    wait();
    return () => clearTimeout(handle);
  },
  defer: (run) => {
    setImmediate(run);
  },
};
