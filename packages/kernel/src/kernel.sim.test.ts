import { expect, test } from "vitest";
import { newTally, simulate } from "./testing/simulate.ts";

// The slow run takes about an hour; `npm run simulate:kernel` takes as many steps as it is told, and tells how it goes.
const stepsWanted = process.env["SLOW"] === "1" ? 10_000_000 : 100_000;

test(`[K111] [K114] ${stepsWanted} random steps keep every invariant, and every life of an instance alike`, () => {
  const tally = newTally();
  for (let seed = 1; tally.steps < stepsWanted; seed += 1) simulate(seed, tally);
  // A generator that never gets anywhere would prove nothing.
  expect([...tally.ends.keys()]).toEqual(expect.arrayContaining(["running", "cancelled", "completed", "failed"]));
});
