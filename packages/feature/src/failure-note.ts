import { type Repository, readNotes, writeNote } from "@tutti/workspace";
import type { Usage } from "./model.ts";
import { roundRef } from "./unit-refs.ts";

/**
 * What a work loop that gave up leaves: the next round's agent is told, the report counts what it cost and says why
 * the unit is missing. Every round has a note of its own, so that a fork from an earlier moment finds that moment's.
 */
export interface FailureNote extends UnitRound {
  /** Class of the failure. */
  readonly code: string;
  readonly message: string;
  /** The last diagnosis; empty when no attempt was made. */
  readonly feedback: string;
  /** Of all rounds that failed so far. */
  readonly usage: Usage;
}

/** What stands behind a failure that no longer counts: the unit passed. */
interface PassedNote extends UnitRound {
  readonly passed: true;
}

interface UnitRound {
  readonly unit: string;
  readonly round: number;
}

type RoundNote = FailureNote | PassedNote;

export function writeFailure(repository: Repository, run: string, note: FailureNote): Promise<void> {
  return writeRound(repository, run, note);
}

/** What earlier rounds left is in the unit's result now, and stands for nothing any more. */
export async function writePassed(repository: Repository, run: string, at: UnitRound): Promise<void> {
  if ((await failureBefore(repository, run, at)) === undefined) return;
  await writeRound(repository, run, { ...at, passed: true });
}

function writeRound(repository: Repository, run: string, note: RoundNote): Promise<void> {
  return writeNote(repository, roundRef(run, note.unit, note.round), JSON.stringify({ ...note, at: Date.now() }));
}

/** How the unit's last round before this one failed; undefined when there was none or it passed. */
export async function failureBefore(
  repository: Repository,
  run: string,
  { unit, round }: UnitRound,
): Promise<FailureNote | undefined> {
  const notes = (await rounds(repository, run)).filter((note) => note.unit === unit && note.round < round);
  return failureIn(notes);
}

/** Of every unit whose last round failed. */
export async function failures(repository: Repository, run: string): Promise<readonly FailureNote[]> {
  const byUnit = Map.groupBy(await rounds(repository, run), ({ unit }) => unit);
  return [...byUnit.values()].flatMap((notes) => failureIn(notes) ?? []);
}

async function rounds(repository: Repository, run: string): Promise<RoundNote[]> {
  const notes = await readNotes(repository, run, "rounds");
  return [...notes.values()].map(({ text }) => JSON.parse(text) as RoundNote);
}

function failureIn(notes: readonly RoundNote[]): FailureNote | undefined {
  const last = notes.reduce<RoundNote | undefined>((a, b) => (a === undefined || b.round > a.round ? b : a), undefined);
  return last === undefined || "passed" in last ? undefined : last;
}
