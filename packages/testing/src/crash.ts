import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import type { CrashSide } from "./machine.ts";
import { openTrial, type Trial, type TrialOptions } from "./trial.ts";

export interface CrashOptions {
  /** Only every n-th durable write; default 1. */
  readonly every?: number;
}

/**
 * Runs a scenario once undisturbed, then once for each durable write with a crash right before it and once with a crash
 * right after it, and expects that nobody can tell: the same elements in the same order, the same ends, results and
 * variables, nothing completed twice. Gives the number of crashes. The scenario gets a new trial each time.
 */
export async function expectCrashProof(
  options: TrialOptions,
  scenario: (trial: Trial) => Promise<void>,
  { every = 1 }: CrashOptions = {},
): Promise<number> {
  const undisturbed = await storyOf(options, scenario);
  let crashes = 0;
  for (let write = 1; write <= undisturbed.writes; write += every) {
    for (const side of ["before-write", "after-write"] as const) {
      await expectSame({ write, side }, undisturbed, storyOf({ ...options, crashes: [{ write, side }] }, scenario));
      crashes++;
    }
  }
  return crashes;
}

interface Story {
  readonly writes: number;
  readonly instances: readonly object[];
}

async function storyOf(options: TrialOptions, scenario: (trial: Trial) => Promise<void>): Promise<Story> {
  const trial = await openTrial(options);
  try {
    await scenario(trial);
    const instances = trial.instances.map(({ id, path, completed, view }) => {
      const { status, outcome, variables, waiting } = view;
      return { id, path, completed, status, outcome, variables, waiting };
    });
    return { writes: trial.writes, instances };
  } finally {
    await trial.close();
  }
}

async function expectSame(
  { write, side }: { readonly write: number; readonly side: CrashSide },
  undisturbed: Story,
  crashed: Promise<Story>,
): Promise<void> {
  const where = `the crash ${side === "before-write" ? "before" : "after"} durable write ${write}`;
  const story = await crashed.catch((cause: unknown) => {
    throw new Error(`Expected the scenario to pass in spite of ${where}, but: ${String(cause)}`, { cause });
  });
  const [expected, actual] = [undisturbed.instances, story.instances];
  if (isDeepStrictEqual(actual, expected)) return;
  const message = `Expected the same story in spite of ${where}, but it is another one`;
  throw new AssertionError({ message, actual, expected, operator: "deepStrictEqual" });
}
