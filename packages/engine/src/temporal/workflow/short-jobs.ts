import { ApplicationFailure, proxyLocalActivities } from "@temporalio/workflow";
import type { Effect } from "@tutti/kernel";
import { type JobAnswer, ownLocalActivities, type ShortAnswer, type ShortOrder } from "../contract.ts";
import type { TaskRoom } from "./task-room.ts";

type OfferJob = Extract<Effect, { readonly type: "offer-job" }>;

/** In one instance. */
export const shortAtOnceMax = 32;

/**
 * Jobs that are done beside the decisions of their instance, by local activities of the worker that has the workflow
 * task: without a round trip, and with one marker in the history. Which are, is said by their definitions, or by the
 * worker with each write to the log.
 */
export class ShortJobs {
  #types: ReadonlySet<string> = new Set();
  /** Types that have shown themselves to be none. */
  readonly #unfit: Set<string> = new Set();
  readonly #room: TaskRoom;

  constructor(room: TaskRoom) {
    this.#room = room;
  }

  /** Types that are short by their handlers, as of the newest write. */
  know(types: readonly string[] = []): void {
    this.#types = new Set(types);
  }

  has({ jobType, headers }: OfferJob): boolean {
    const isMarked = headers["short"] === true || headers["short"] === "true" || this.#types.has(jobType);
    if (!isMarked || this.#unfit.has(jobType) || Object.hasOwn(ownLocalActivities, jobType)) return false;
    // Those of a place are done there.
    if (headers["tutti.place"] !== undefined) return false;
    return !this.#room.isFull;
  }

  /** `ended` is to be called with what it gives. */
  perform({ jobType, element, attempt }: OfferJob, order: ShortOrder): Promise<ShortAnswer> {
    const activities = proxyLocalActivities<{
      readonly [jobType: string]: (order: ShortOrder) => Promise<ShortAnswer>;
    }>({
      startToCloseTimeout: "10s",
      retry: { initialInterval: "100ms", maximumInterval: "5s" },
      summary: summaryOf(element, attempt),
    });
    return (activities[jobType] as (order: ShortOrder) => Promise<ShortAnswer>)(order).catch(failedIn);
  }

  /** Gives what the job came to; undefined: nothing, and others are to do it. */
  ended({ jobType }: OfferJob, { done }: ShortAnswer): JobAnswer | undefined {
    if (done.ok) this.#room.take(done.chars);
    else if (done.unfit) this.#unfit.add(jobType);
    return done.ok ? done.answer : undefined;
  }
}

/** What a short job came to that failed. Throws what is no answer. */
function failedIn(error: unknown): ShortAnswer {
  // Nothing wraps what a local activity throws.
  const [answer] = error instanceof ApplicationFailure ? (error.details ?? []) : [];
  if (answer === undefined) throw error;
  return answer as ShortAnswer;
}

/** What Temporal's tools show beside the type of the job. */
export function summaryOf(element: string, attempt: number): string {
  return attempt === 1 ? element : `${element}, attempt ${attempt}`;
}
