import { pendingEffects, type State } from "@tutti/kernel";
import type { OfferJob } from "../job/work-queue.ts";
import type { Change } from "../store.ts";
import type { Item } from "./inbox.ts";

/** What a job came to, and what one waits for, is not in the store; timers and messages are read from there again. */
export function isOnlyHere(item: Item): boolean {
  return item.type === "load" || item.type === "acquit" || (item.type === "own" && item.command.type !== "fire-timer");
}

type JobDelete = Extract<Change, { readonly type: "job-delete" }>;

/** Jobs that a turn closed and did not offer again afterwards. */
export function closedJobs(changes: readonly Change[]): JobDelete[] {
  const closed: JobDelete[] = [];
  const reopened = new Set<string>();
  // From the last to the first. Only a further attempt can follow a close: nearly no turn has one.
  for (let index = changes.length - 1; index >= 0; index--) {
    const change = changes[index];
    if (change?.type === "job-delete") {
      if (reopened.size === 0 || !reopened.has(`${change.instance}.${change.key}`)) closed.push(change);
    } else if (change?.type === "job-put" && change.job.attempt > 1) {
      reopened.add(`${change.job.instance}.${change.job.key}`);
    }
  }
  return closed;
}

export function offersOf(state: State): readonly OfferJob[] {
  return pendingEffects(state).filter((effect): effect is OfferJob => effect.type === "offer-job");
}
