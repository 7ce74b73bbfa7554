import type { Clock } from "../../clock.ts";

/** One appointment with the clock at a time: the earliest anybody asked for. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `at` unless it rings earlier anyway. Whoever is rung checks what is due and asks again. */
  wakeAt(at: number | undefined): void {
    if (at === undefined || (this.#at !== undefined && this.#at <= at)) return;
    this.#cancel?.();
    this.#at = at;
    this.#cancel = this.#clock.schedule(at, () => {
      this.#at = undefined;
      this.#cancel = undefined;
      this.#ring();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = undefined;
  }
}
