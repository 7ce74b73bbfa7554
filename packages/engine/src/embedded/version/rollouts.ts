import {
  AppError,
  counted,
  noFigures,
  planProblem,
  type Rollout,
  type RolloutFigures,
  type RolloutPlan,
} from "@tutti/kernel";
import type { Page, Views } from "../../port.ts";
import { beginAnew } from "../message/begin.ts";
import type { StoredRollout } from "../message/coordination.ts";
import { pageOf } from "../read/page.ts";
import type { PageRequest, StoreReader } from "../store.ts";
import type { Answer } from "../turn/inbox.ts";
import type { InTurn } from "../turn/scope.ts";
import type { Counted } from "./figures.ts";
import type { Programs } from "./programs.ts";

/** A plan that was asked for in this turn: it holds from the next one on. */
export interface Planned {
  readonly process: string;
  readonly plan: RolloutPlan | null;
  readonly answer: Answer<Rollout | null>;
}

/** Throws `rollout-invalid` or `program-not-found`. */
export function checkPlan(programs: Programs, process: string, plan: RolloutPlan | null): void {
  if (plan === null) return;
  const problem = planProblem(plan);
  if (problem !== undefined) throw new AppError("rollout-invalid", `The rollout cannot be followed: ${problem}.`);
  for (const version of [plan.stable, plan.candidate]) programs.named(process, version);
}

/** Writes down what the turn counted and planned, and takes a candidate back that failed too often. */
export function settleRollouts({ scope, draft }: InTurn): void {
  const { programs } = scope;
  const changed = new Map<string, StoredRollout>();
  for (const each of programs.rollouts === 0 ? [] : draft.counted) {
    const { process } = each;
    const before = changed.get(process) ?? programs.rollout(process);
    if (before === undefined || !isOf(before, each, programs)) continue;
    const after = countedIn(before, each, draft.now);
    changed.set(process, after);
    if (before.rolledBack !== null || after.rolledBack === null) continue;
    beginAnew({ scope, draft }, process);
    scope.warn("a rollout was taken back", { process, reason: after.rolledBack.reason, ...after.figures });
  }
  for (const { process, plan, answer } of draft.plans) {
    const before = changed.get(process) ?? programs.rollout(process);
    changed.delete(process);
    beginAnew({ scope, draft }, process);
    if (plan === null) {
      draft.changes.push({ type: "rollout-delete", process });
      draft.answers.push(() => programs.setRollout(process, undefined));
      draft.answers.push(() => answer.resolve(null));
    } else {
      const newest = draft.numbers.created;
      const rollout = planned({ process, plan, since: draft.now, newest }, before);
      changed.set(process, rollout);
      draft.answers.push(() => answer.resolve(shownRollout(rollout)));
    }
  }
  for (const rollout of changed.values()) {
    draft.changes.push({ type: "rollout-put", rollout });
    draft.answers.push(() => programs.setRollout(rollout.process, rollout));
  }
}

/** What began before says nothing about how the candidate fares under the plan. */
function isOf({ process, plan, after }: StoredRollout, { number, hash }: Counted, programs: Programs): boolean {
  return number > after && programs.version(process, plan.candidate)?.hash === hash;
}

/** One entry for each that is counted. Of incidents those that came up: resolving one takes nothing back. */
function whatOf({ change }: Counted): (keyof RolloutFigures)[] {
  return whats.flatMap((what) => Array.from({ length: Math.max(0, change[what] ?? 0) }, () => what));
}

const whats = ["started", "incidents", "completed", "failed", "cancelled"] as const;

/** The rollout after what was counted of one of its instances; its guard may take it back. */
export function countedIn(rollout: StoredRollout, each: Counted, at: number): StoredRollout {
  return whatOf(each).reduce((before, what) => counted(before, what, at), rollout);
}

/** A plan as it begins; `newest` is the newest instance that there is. */
export function planned(
  { process, plan, since, newest }: Pick<Rollout, "process" | "plan" | "since"> & { readonly newest: number },
  before: StoredRollout | undefined,
): StoredRollout {
  // Only more or less of the same goes on counting; what was taken back, or is another version, begins anew.
  const goesOn =
    before?.rolledBack === null && before.plan.stable === plan.stable && before.plan.candidate === plan.candidate;
  if (goesOn) return { ...before, plan };
  return { process, plan, since, figures: noFigures, rolledBack: null, after: newest };
}

/** Every plan at work, by process. */
export async function listRollouts(
  store: StoreReader,
  { process: only }: Views["rollouts"]["filter"],
  page: PageRequest,
): Promise<Page<Rollout>> {
  const all = (await store.rollouts()).filter(({ process }) => only === undefined || process === only);
  return pageOf(
    all.map(shownRollout).sort((a, b) => (a.process < b.process ? -1 : 1)),
    page,
  );
}

export function shownRollout({ after: _after, ...rollout }: StoredRollout): Rollout {
  return rollout;
}
