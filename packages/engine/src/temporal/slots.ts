import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit } from "@temporalio/worker";

/** The slots of a queue class on this worker. Adjusting counts at once and ends nothing. */
export class Slots implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = "custom" as const;
  #size: number;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  get size(): number {
    return this.#size;
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
        reject(new DOMException("no slot is wanted any more", "AbortError"));
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
