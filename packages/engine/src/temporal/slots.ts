import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit } from "@temporalio/worker";

/** The slots of a queue class on this worker. Adjusting counts at once and ends nothing. */
export class Slots implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = "custom" as const;
  #size: number;
  #taken = 0;
  /** Jobs that came with a permit. */
  #running = 0;
  /** Short jobs, which come without one. */
  #lent = 0;
  #left: PromiseWithResolvers<void> = Promise.withResolvers();
  #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * For a short job, which has no permit: true once it has a slot, until `leave`. It waits for other short ones, for
   * `limitMs` and the time of one, but for no long one.
   */
  async enter(limitMs: number): Promise<boolean> {
    const until = performance.now() + limitMs;
    while (this.#running + this.#lent >= this.#size) {
      if (this.#lent === 0 || performance.now() > until) return false;
      await this.#left.promise;
    }
    this.#lent++;
    return true;
  }

  leave(): void {
    this.#lent--;
    this.#left.resolve();
    this.#left = Promise.withResolvers();
  }

  /** For a job with a permit: resolves once no short one has its slot. To be told of its end by `ended`. */
  async begin(): Promise<void> {
    while (this.#lent > 0 && this.#running + this.#lent >= this.#size) await this.#left.promise;
    this.#running++;
  }

  ended(): void {
    this.#running--;
  }

  resize(size: number): void {
    this.#size = size;
    this.#wake();
  }

  reserveSlot(_context: unknown, signal: AbortSignal): Promise<SlotPermit> {
    return new Promise((resolve, reject) => {
      const take = (): void => {
        signal.removeEventListener("abort", leave);
        this.#taken++;
        resolve({});
      };
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((each) => each !== take);
        // Anything else would be an error to the worker, and stand in the log.
        reject(signal.reason);
      };
      if (signal.aborted) return leave();
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(take);
      this.#wake();
    });
  }

  tryReserveSlot(): SlotPermit | null {
    if (this.#taken >= this.#size) return null;
    this.#taken++;
    return {};
  }

  markSlotUsed(): void {
    // A slot is taken from when its poller waits for a job.
  }

  releaseSlot(): void {
    this.#taken--;
    this.#wake();
  }

  #wake(): void {
    while (this.#taken < this.#size) {
      const take = this.#waiting.shift();
      if (take === undefined) return;
      take();
    }
  }
}
