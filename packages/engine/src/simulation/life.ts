import type { Clock } from "../clock.ts";
import type { FakeClock } from "../testing/fake-clock.ts";

/** Where a process may die: at its n-th touch of the disk, or at the n-th passing of a named point in the engine. */
export interface CrashPlan {
  readonly at: string;
  /** How many touches of that kind are survived. */
  left: number;
}

/**
 * One process between its start and its end. Once it is dead nothing it had planned happens any more, and what it waits
 * for never comes: the engine in it is left as it stood.
 */
export class Life {
  readonly clock: Clock;
  dead = false;
  /** Where it died, for the report. */
  diedAt = "";
  #plan: CrashPlan | undefined;

  constructor(clock: FakeClock) {
    const alive = (run: () => void) => (): void => {
      if (!this.dead) run();
    };
    this.clock = {
      now: () => clock.now(),
      schedule: (at, run) => clock.schedule(at, alive(run)),
      defer: (run) => clock.defer(alive(run)),
    };
  }

  get plan(): CrashPlan | undefined {
    return this.#plan;
  }

  /** The next death; an earlier plan stays. */
  expect(plan: CrashPlan): void {
    this.#plan ??= plan;
  }

  /** Passing a place where it may die. */
  pass(at: string): void {
    if (this.dead || this.#plan === undefined || !at.startsWith(this.#plan.at)) return;
    if (this.#plan.left-- > 0) return;
    this.die(at);
  }

  die(at: string): void {
    this.dead = true;
    this.diedAt = at;
  }

  /** Every wait of the process ends here: at once while it lives, never when it is dead. */
  async alive(): Promise<void> {
    if (this.dead) await new Promise<never>(never);
  }
}

function never(): void {
  // What is dead is told nothing.
}
