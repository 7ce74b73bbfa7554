import { CancellationScope, isCancellation } from "@temporalio/workflow";
import { Heap } from "@tutti/kernel";
import type { WorkflowClock } from "./clock.ts";

interface Appointment {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * What has to happen later, on one timer of the server: that of the soonest appointment. What was called off is found
 * out when its time comes (`run` looks), so an instance that arms and disarms a thousand timers costs the history one.
 */
export class Agenda {
  readonly #clock: WorkflowClock;
  readonly #appointments: Heap<Appointment> = new Heap((a, b) => a.at - b.at || a.order - b.order);
  #order = 0;
  #alarm: { readonly at: number; readonly scope: CancellationScope } | undefined;

  constructor(clock: WorkflowClock) {
    this.#clock = clock;
  }

  /** `run` must bear being called for something that was called off. */
  add(at: number, run: () => void): void {
    this.#appointments.push({ at, order: this.#order++, run });
    this.#setAlarm();
  }

  /** Ends the timer. */
  clear(): void {
    this.#alarm?.scope.cancel();
    this.#alarm = undefined;
  }

  #setAlarm(): void {
    const next = this.#appointments.peek();
    if (next === undefined || (this.#alarm !== undefined && this.#alarm.at <= next.at)) return;
    this.clear();
    const scope = new CancellationScope();
    const alarm = { at: next.at, scope };
    this.#alarm = alarm;
    scope
      .run(() => this.#clock.until(next.at))
      .then(() => this.#ring(alarm))
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
  }

  #ring(alarm: { readonly at: number }): void {
    if (this.#alarm !== alarm) return;
    this.#alarm = undefined;
    const now = this.#clock.now();
    for (let next = this.#appointments.peek(); next !== undefined && next.at <= now; next = this.#appointments.peek()) {
      this.#appointments.pop();
      next.run();
    }
    this.#setAlarm();
  }
}
