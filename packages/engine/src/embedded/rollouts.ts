import {
  AppError,
  counted,
  noFigures,
  planProblem,
  type Rollout,
  type RolloutFigures,
  type RolloutPlan,
} from "@tutti/kernel";
import type { Programs } from "./programs.ts";
import type { InTurn } from "./scope.ts";
import type { InstanceRecord } from "./store.ts";

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

/** Writes down what the turn counted, and takes a candidate back that failed too often. */
export function settleCounts({ scope, draft }: InTurn): void {
  const changed = new Map<string, Rollout>();
  for (const { record, what } of draft.counted) {
    const rollout = changed.get(record.process) ?? scope.programs.rollout(record.process);
    if (rollout === undefined || !isOf(rollout, record, scope.programs)) continue;
    changed.set(record.process, counted(rollout, what, draft.now));
  }
  for (const rollout of changed.values()) {
    const before = scope.programs.rollout(rollout.process);
    if (rollout.rolledBack !== null && before?.rolledBack === null) {
      const { process, rolledBack, figures } = rollout;
      scope.warn("a rollout was taken back", { process, reason: rolledBack.reason, ...figures });
    }
    putRollout({ scope, draft }, rollout);
  }
}

/** Only what began under the rollout counts: what ran before says nothing about how it is dealt out. */
function isOf({ process, plan, since }: Rollout, record: InstanceRecord, programs: Programs): boolean {
  return record.startedAt >= since && programs.version(process, plan.candidate)?.hash === record.hash;
}

function putRollout({ scope, draft }: InTurn, rollout: Rollout): void {
  draft.changes.push({ type: "rollout-put", rollout });
  draft.answers.push(() => scope.programs.setRollout(rollout.process, rollout));
}

/** Begins, changes or ends a rollout. Throws `rollout-invalid`. */
export function planRollout(turn: InTurn, process: string, plan: RolloutPlan | null): Rollout | null {
  const { scope, draft } = turn;
  const { programs } = scope;
  if (plan === null) {
    draft.changes.push({ type: "rollout-delete", process });
    draft.answers.push(() => programs.setRollout(process, undefined));
    return null;
  }
  const problem = planProblem(plan);
  if (problem !== undefined) throw new AppError("rollout-invalid", `The rollout cannot be followed: ${problem}.`);
  for (const version of [plan.stable, plan.candidate]) programs.named(process, version);
  const before = programs.rollout(process);
  // Only more or less of the same goes on counting; what was taken back, or is another version, begins anew.
  const goesOn =
    before?.rolledBack === null && before.plan.stable === plan.stable && before.plan.candidate === plan.candidate;
  const rollout: Rollout = goesOn
    ? { ...before, plan }
    : { process, plan, since: draft.now, figures: noFigures, rolledBack: null };
  putRollout(turn, rollout);
  return rollout;
}
