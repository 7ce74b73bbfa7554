import { expect, test } from "vitest";
import { eventTypes } from "./testing/event-types.ts";
import { plants } from "./testing/plants.ts";
import { newTally, simulate } from "./testing/simulate.ts";

// The slow run takes about an hour, elsewhere each time: what it begins at is in the name of its test, and `npm run
// simulate:kernel -- --from` begins there again. That takes as many steps as it is told, and tells how it goes.
const slow = process.env["SLOW"] === "1";
const stepsWanted = slow ? 10_000_000 : 100_000;
const firstSeed = slow ? Date.now() % 1_000_000_000 : 1;

test(`[K111] [K114] [K115] ${stepsWanted} random steps from seed ${firstSeed} keep every invariant, and every life of an instance alike`, () => {
  const tally = newTally();
  for (let seed = firstSeed; tally.steps < stepsWanted; seed += 1) simulate(seed, tally);
  // A generator that never gets anywhere would prove nothing.
  expect([...tally.ends.keys()]).toEqual(expect.arrayContaining(["running", "cancelled", "completed", "failed"]));
  expect([...tally.events.keys()].sort()).toEqual(eventTypes);
});

function findingOf(seed: number, bug: string): Error | undefined {
  try {
    simulate(seed, newTally(), plants[bug]?.make());
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

test.each(Object.keys(plants))("[K115] a planted bug is found and told with its seed: %s", (bug) => {
  const seeds = Array.from({ length: 200 }, (_, index) => 1_000 + index);
  const seed = seeds.find((each) => findingOf(each, bug) !== undefined) ?? 0;
  const finding = findingOf(seed, bug);
  expect(finding?.message).toMatch(`seed ${seed} fails in path `);
  expect(finding?.message).toContain(`repeat it with\n  SIM_SEED=${seed} npm run simulate:kernel`);
  expect((finding?.cause as Error | undefined)?.message).toMatch(plants[bug]?.found ?? /^$/);
});
