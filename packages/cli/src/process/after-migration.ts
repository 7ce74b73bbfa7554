import { checkMigration, type SoundnessFinding } from "@tutti/definition";
import type { StateFolder } from "../state.ts";
import { openStateReader } from "../state-reader.ts";

/** What the exploration of a migrated instance says: whether it can still end. */
export interface Afterwards {
  readonly verdict: "sound" | "unsound" | "unknown";
  readonly reason: string | null;
  readonly findings: readonly SoundnessFinding[];
}

/**
 * What can become of an instance under another program, by the check that a process passes before it runs. It is made
 * here and not by the owner, whom seconds of exploring would hold up.
 */
export async function afterMigration(
  state: StateFolder,
  instance: string,
  to: { readonly hash: string; readonly mapping: { readonly [element: string]: string } },
): Promise<Afterwards> {
  const reader = await openStateReader(state);
  try {
    const { program, state: standing } = await reader.standing(instance);
    const checked = checkMigration(standing, {
      from: program,
      to: await reader.program(to.hash),
      mapping: to.mapping,
    });
    // What the owner allowed a moment ago is refused now: the instance has moved on since.
    if (checked.verdict === "refused")
      return { verdict: "unknown", reason: "It has moved on meanwhile.", findings: [] };
    const { verdict, reason = null, findings } = checked;
    return { verdict, reason, findings };
  } finally {
    await reader.close();
  }
}
