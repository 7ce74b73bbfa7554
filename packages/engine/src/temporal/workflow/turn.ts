import type { Effect, Event, Key, Rejection } from "@tutti/kernel";
import type { Change } from "../../embedded/store.ts";
import type { ProjectedRow, UntimedCommand } from "../contract.ts";
import type { Parcel } from "../message/contract.ts";

export interface Waiting {
  readonly command: UntimedCommand;
  /** Of what was taken it gets the events, too. */
  readonly answer?: (answer: Decided) => void;
  /** What brings it. */
  readonly parcel?: Parcel;
}

export type Decided =
  | { readonly ok: true; readonly position: number; readonly events: readonly Event[] }
  | { readonly ok: false; readonly rejection: Rejection };

/** One command of a turn: who waits for the answer, when it came, and what tells it from others. */
export interface Enacted {
  readonly turn: Turn;
  readonly waiting: Waiting | undefined;
  readonly told: { readonly at: number; readonly cause: number };
}

/** What one turn decided: written first, then told and done. */
export interface Turn {
  readonly rows: ProjectedRow[];
  /** Each with the number of its row in the turn. */
  readonly effects: { readonly effect: Effect; readonly row: number }[];
  /** What changes in the tables beside the rows. */
  readonly changes: Change[];
  /** Jobs of which an attempt came to its end. */
  readonly endedJobs: Key[];
  /** Activities that a migration holds back, to offer their jobs by new names. */
  readonly waitingJobs: string[];
  /** The job that was begun with the rows. */
  begun: Key | undefined;
  /** Called with the position of each row. */
  readonly answers: ((positions: readonly number[]) => void)[];
}

export function newTurn(): Turn {
  return { rows: [], effects: [], changes: [], endedJobs: [], waitingJobs: [], begun: undefined, answers: [] };
}
