import {
  decide,
  type ElementId,
  evolve,
  type MigrationProblem,
  type Program,
  restoreState,
  type State,
  snapshotState,
} from "@tutti/kernel";
import { checkSoundness, type Soundness, type SoundnessOptions } from "./soundness.ts";

export interface MigrationCheck extends Omit<SoundnessOptions, "from"> {
  /** What the instance runs under now, and what it is to go on under. */
  readonly from: Program;
  readonly to: Program;
  /** Elements that are called otherwise in the new program; the others keep their id. */
  readonly mapping?: { readonly [element: ElementId]: ElementId };
}

export type MigrationVerdict =
  /** The kernel would refuse it, for these reasons. */
  { readonly verdict: "refused"; readonly problems: readonly MigrationProblem[] } | Soundness;

/**
 * Whether an instance can finish once it has been migrated: the kernel migrates a copy of its state, and what may follow
 * from there is explored. A program may be sound from its start and still leave stuck what is in the middle of another.
 */
export function checkMigration(state: State, check: MigrationCheck): MigrationVerdict {
  const { from, to, mapping = {}, ...limits } = check;
  const migrated = restoreState(snapshotState(state));
  const { at } = migrated.head;
  const decision = decide(from, migrated, { type: "migrate-instance", to, mapping, reason: "", actor: "check", at });
  if ("rejection" in decision) return { verdict: "refused", problems: decision.rejection.problems ?? [] };
  for (const event of decision.events) evolve(migrated, event);
  return checkSoundness(to.document, { ...limits, from: [migrated] });
}
