import {
  decide,
  evolve,
  type MigrateInstance,
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
  /** Elements that are called otherwise in the new program; and flows whose tokens are to be on another one. */
  readonly mapping?: MigrateInstance["mapping"];
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
  const told = { actor: "check", at } as const;
  const decision = decide(from, migrated, { type: "migrate-instance", to, mapping, reason: "", ...told });
  if ("rejection" in decision) return { verdict: "refused", problems: decision.rejection.problems ?? [] };
  for (const event of decision.events) evolve(migrated, event);
  // A pause is no end: what is asked is what follows it.
  const resumed = decide(to, migrated, { type: "resume-instance", ...told });
  if ("events" in resumed) for (const event of resumed.events) evolve(migrated, event);
  return checkSoundness(to.document, { ...limits, from: [migrated] });
}
