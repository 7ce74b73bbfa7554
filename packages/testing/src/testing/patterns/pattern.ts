import type { ProgramDocument } from "@tutti/kernel";
import type { Answer, Answers } from "../../answers.ts";
import type { PlannedCrash } from "../../machine.ts";
import { openTrial, type Trial, type TrialOptions } from "../../trial.ts";
import type { TrialInstance } from "../../trial-instance.ts";
import { type Sketch, sketch } from "./sketch.ts";

/**
 * One of the 43 control-flow patterns of Russell, ter Hofstede, van der Aalst and Mulyar (Workflow Control-Flow Patterns: A
 * Revised View, 2006), and a process that shows it.
 */
export interface Pattern {
  /** n of WCP-n. */
  readonly number: number;
  readonly name: string;
  /** How a process says it, for the reference page. */
  readonly how: string;
  /** Rejects unless the process does what the pattern asks for. */
  readonly shows: () => Promise<void>;
}

export interface Tried {
  readonly trial: Trial;
  readonly instance: TrialInstance;
}

/** Crashes of every trial that is opened meanwhile; and the durable writes of the longest of them. */
let ambient: { readonly crashes: readonly PlannedCrash[]; writes: number } = { crashes: [], writes: 0 };

/** Shows a pattern on engines that crash so. Gives the number of durable writes. */
export async function shownWith(crashes: readonly PlannedCrash[], { shows }: Pattern): Promise<number> {
  ambient = { crashes, writes: 0 };
  try {
    await shows();
    return ambient.writes;
  } finally {
    ambient = { crashes: [], writes: 0 };
  }
}

const begin = Date.UTC(2024, 0, 1);
const hourMs = 3_600_000;

/** Starts the process. A job that `hours` does not name is done at once; one that it names takes so long. */
export async function tried(
  given: Sketch | readonly ProgramDocument[],
  options: {
    readonly hours?: { readonly [element: string]: number };
    readonly answers?: Answers["answers"];
    readonly publish?: Answers["publish"];
  } & Partial<Omit<TrialOptions, "answers">> = {},
): Promise<Tried> {
  const { hours = {}, answers = {}, publish = [], ...rest } = options;
  const later = Object.entries(hours).map(([id, count]): [string, Answer] => [
    id,
    { complete: {}, after: `${count}h` },
  ]);
  const programs = "flows" in given ? [sketch(given)] : given;
  const trial = await openTrial({
    now: begin,
    programs,
    crashes: ambient.crashes,
    answers: { answers: { work: { complete: {} }, ...Object.fromEntries(later), ...answers }, publish },
    ...rest,
  } as TrialOptions);
  const instance = await trial.start();
  ambient.writes = Math.max(ambient.writes, trial.writes);
  return { trial, instance };
}

/** The same, to its end. */
export async function finished(...call: Parameters<typeof tried>): Promise<Tried> {
  const run = await tried(...call);
  await run.trial.finish();
  ambient.writes = Math.max(ambient.writes, run.trial.writes);
  run.instance.expectEnd("completed");
  return run;
}

/** After how many hours each start of the element came. */
export function startsOf({ instance }: Tried, element: string): readonly number[] {
  return instance.steps
    .filter((step) => step.element === element && (step.type === "started" || step.type === "passed"))
    .map(({ at }) => (at - begin) / hourMs);
}
