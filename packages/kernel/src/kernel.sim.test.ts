import { expect, test } from "vitest";
import { newTally, simulate } from "./testing/simulate.ts";

// The slow run takes ten times as many; `npm run simulate:kernel` as many as it is told.
const stepsWanted = process.env["SLOW"] === "1" ? 1_000_000 : 100_000;

test(`[K111] [K114] ${stepsWanted} random steps keep every invariant, and every life of an instance alike`, () => {
  const tally = newTally();
  for (let seed = 1; tally.steps < stepsWanted; seed += 1) simulate(seed, tally);
  // A generator that never gets anywhere would prove nothing.
  expect([...tally.ends.keys()]).toEqual(expect.arrayContaining(["running", "cancelled", "completed", "failed"]));
});
