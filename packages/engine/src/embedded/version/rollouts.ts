import {
  AppError,
  counted,
  noFigures,
  planProblem,
  type Rollout,
  type RolloutFigures,
  type RolloutPlan,
} from "@tutti/kernel";
import { beginAnew } from "../message/begin.ts";
import type { StoredRollout } from "../message/coordination.ts";
import type { InstanceRecord } from "../store.ts";
import type { Answer } from "../turn/inbox.ts";
import type { InTurn } from "../turn/scope.ts";
import type { Draft } from "../turn/turn.ts";
import type { Programs } from "./programs.ts";

/** Something that a rollout counts. */
export interface Counted {
  readonly record: InstanceRecord;
  readonly what: keyof RolloutFigures;
}

const ends: { readonly [status in InstanceRecord["status"]]?: keyof RolloutFigures } = {
  completed: "completed",
  failed: "failed",
  cancelled: "cancelled",
};

/** What one command did that rollouts count; `before` is the record as it was. */
export function countsOf(
  record: InstanceRecord,
  before: { readonly isNew: boolean; readonly incidents: number },
): Counted[] {
  const all: Counted[] = [];
  if (before.isNew) all.push({ record, what: "started" });
  for (let more = record.incidents - before.incidents; more > 0; more--) all.push({ record, what: "incidents" });
  const end = record.endedAt === null ? undefined : ends[record.status];
  if (end !== undefined) all.push({ record, what: end });
  return all;
}

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
  for (const { record, what } of draft.counted) {
    const rollout = changed.get(record.process) ?? programs.rollout(record.process);
    if (rollout === undefined || !isOf(rollout, record, programs)) continue;
    const after = counted(rollout, what, draft.now);
    changed.set(record.process, after);
    if (rollout.rolledBack === null && after.rolledBack !== null) {
      beginAnew({ scope, draft }, after.process);
      const { process, figures } = after;
      scope.warn("a rollout was taken back", { process, reason: after.rolledBack.reason, ...figures });
    }
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
      const rollout = planned(draft, { process, plan }, before);
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
function isOf({ process, plan, after }: StoredRollout, record: InstanceRecord, programs: Programs): boolean {
  return record.number > after && programs.version(process, plan.candidate)?.hash === record.hash;
}

function planned(
  draft: Draft,
  { process, plan }: { readonly process: string; readonly plan: RolloutPlan },
  before: StoredRollout | undefined,
): StoredRollout {
  // Only more or less of the same goes on counting; what was taken back, or is another version, begins anew.
  const goesOn =
    before?.rolledBack === null && before.plan.stable === plan.stable && before.plan.candidate === plan.candidate;
  if (goesOn) return { ...before, plan };
  return { process, plan, since: draft.now, figures: noFigures, rolledBack: null, after: draft.numbers.created };
}

function shownRollout({ after: _after, ...rollout }: StoredRollout): Rollout {
  return rollout;
}
