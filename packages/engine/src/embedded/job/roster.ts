import { AppError, type JobHandler } from "@tutti/kernel";
import type { WorkOptions } from "../../port.ts";
import type { Registration } from "./job-run.ts";

/** Who works in this process, by type of job: one handler, or several that share the type. */
export class Roster {
  readonly #byType: Map<string, Registration[]> = new Map();

  /** Throws `handler-exists` when somebody works on the type, unless both share it. */
  add(jobType: string, handler: JobHandler, options: WorkOptions): Registration {
    const others = this.#byType.get(jobType) ?? [];
    if (others.some((other) => !(other.options.shared && options.shared))) {
      throw new AppError("handler-exists", `Expected no handler for the job type '${jobType}' yet, but there is one.`);
    }
    const registration: Registration = { jobType, handler, options, running: 0, stopping: false };
    this.#byType.set(jobType, [...others, registration]);
    return registration;
  }

  /** Whoever has gone already is not missed. */
  remove(registration: Registration): void {
    const { jobType } = registration;
    const left = this.#byType.get(jobType)?.filter((other) => other !== registration) ?? [];
    if (left.length > 0) this.#byType.set(jobType, left);
    else this.#byType.delete(jobType);
  }

  /** Who takes the next job of the type: of those that may have another one, who has the fewest; of these the first. */
  next(jobType: string): Registration | undefined {
    let next: Registration | undefined;
    for (const each of this.#byType.get(jobType) ?? []) {
      const { running, stopping, options } = each;
      if (stopping || running >= (options.concurrency ?? Infinity)) continue;
      if (next === undefined || running < next.running) next = each;
    }
    return next;
  }

  /** Whether somebody works on the type and goes on with that, however busy. */
  has(jobType: string): boolean {
    return this.#byType.get(jobType)?.some(({ stopping }) => !stopping) ?? false;
  }

  all(): Registration[] {
    return [...this.#byType.values()].flat();
  }
}
