import { listRefs, type Repository, removeRefs, runRef } from "@tutti/workspace";

/*
 * What a run keeps in Tutti's bare repository:
 *   refs/tutti/<run>/units/<unit>/<attempt>   what was captured (written by captureWorkspace)
 *   refs/tutti/<run>/finished/<unit>          the commit of a unit that passed
 *   refs/tutti/<run>/rounds/<unit>/<round>    how that round of it ended (`failure-note.ts`)
 *   refs/tutti/<run>/resolutions/…            how conflicts were settled
 *   refs/tutti/<run>/integration              the tip of the merge
 * `finished` is a folder of its own because git cannot hold `units/<unit>` beside `units/<unit>/1`.
 */

export function finishedRef(run: string, unit: string): string {
  return runRef(run, "finished", encode(unit));
}

export function roundRef(run: string, unit: string, round: number): string {
  return runRef(run, "rounds", encode(unit), String(round));
}

export function integrationRef(run: string): string {
  return runRef(run, "integration");
}

/** The commits of all finished units, by unit. */
export async function finishedUnits(repository: Repository, run: string): Promise<ReadonlyMap<string, string>> {
  const folder = `${runRef(run, "finished")}/`;
  const refs = await listRefs(repository, run, "finished");
  return new Map([...refs].map(([ref, commit]) => [decode(ref.slice(folder.length)), commit]));
}

/** Ids may have dots, which refs take only in places: written so that they can be read back. */
function encode(unit: string): string {
  return unit.replaceAll("_", "__").replaceAll(".", "_d");
}

function decode(name: string): string {
  return name.replace(/_([_d])/g, (_all, letter: string) => (letter === "d" ? "." : "_"));
}

/** Forgets the captured attempts of units that are in the result: their commits are part of it. */
export async function forgetAttempts(repository: Repository, run: string, units: readonly string[]): Promise<void> {
  const folders = units.map((unit) => `${runRef(run, "units", unit)}/`);
  const refs = [...(await listRefs(repository, run, "units")).keys()];
  await removeRefs(
    repository,
    refs.filter((ref) => folders.some((folder) => ref.startsWith(folder))),
  );
}
