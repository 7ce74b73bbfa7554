import { listRefs, type Repository, readNote, removeRefs, writeNote } from "@tutti/workspace";
import type { Usage } from "./model.ts";
import { decodeUnit, failedRef } from "./unit-refs.ts";

/**
 * What a work loop that gave up leaves: the next round's agent is told, the report counts what it cost and says why
 * the unit is missing. It stands until the unit passes.
 */
export interface FailureNote {
  readonly unit: string;
  readonly round: number;
  /** Class of the failure. */
  readonly code: string;
  readonly message: string;
  /** The last diagnosis; empty when no attempt was made. */
  readonly feedback: string;
  /** Of all rounds that failed so far. */
  readonly usage: Usage;
}

export async function writeFailure(repository: Repository, run: string, note: FailureNote): Promise<void> {
  await writeNote(repository, failedRef(run, note.unit), JSON.stringify(note));
}

export async function readFailure(repository: Repository, run: string, unit: string): Promise<FailureNote | undefined> {
  const text = await readNote(repository, failedRef(run, unit));
  return text === undefined ? undefined : (JSON.parse(text) as FailureNote);
}

export async function forgetFailure(repository: Repository, run: string, unit: string): Promise<void> {
  await removeRefs(repository, [failedRef(run, unit)]);
}

/** Of every unit whose last round failed. */
export async function failures(repository: Repository, run: string): Promise<readonly FailureNote[]> {
  const folder = failedRef(run, "x").slice(0, -1);
  const refs = [...(await listRefs(repository, run)).keys()].filter((ref) => ref.startsWith(folder));
  const notes = await Promise.all(
    refs.map((ref) => readFailure(repository, run, decodeUnit(ref.slice(folder.length)))),
  );
  return notes.filter((note) => note !== undefined);
}
