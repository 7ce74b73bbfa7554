import { expect, test } from "vitest";
import type { Plant } from "./plants.ts";
import { report } from "./shrink.ts";
import { type Log, simulate } from "./simulate.ts";

// A simulation that finds nothing proves something only if it would have found something. Each of these bugs is put in
// on purpose, and has to be found within so many seeds, for the reason given.

interface Found {
  readonly seed: number;
  readonly violation: string;
}

async function hunt(plant: Plant, log: Log, seedsMax: number): Promise<Found | undefined> {
  // In steps, so that the seeds are of many worlds.
  for (let count = 0; count < seedsMax; count++) {
    const seed = 1_000 + count * 37;
    const { violation } = await simulate({ seed, log, plant });
    if (violation !== undefined) return { seed, violation };
  }
  return undefined;
}

test.each<readonly [Plant, Log, RegExp]>([
  ["lost-sync", "journal", /answered rows of the log are gone/],
  ["lost-sync", "sqlite", /answered rows of the log are gone/],
  ["double-dispatch", "journal", /given to two workers|has token/],
  ["double-dispatch", "sqlite", /given to two workers|has token/],
  ["forgotten-outbox", "journal", /waits in vain|nothing tells it|nobody waits for/],
  ["forgotten-outbox", "sqlite", /waits in vain|nothing tells it|nobody waits for/],
  ["torn-row-accepted", "journal", /the table of|does not open/],
  ["half-turn", "sqlite", /the table of/],
  ["reused-token", "journal", /has token/],
  ["stale-load", "journal", /is not what the log says/],
  ["unordered-snapshot", "journal", /is not what the log says/],
  ["forgotten-receipt", "journal", /reached process|in vain/],
  ["forgotten-figures", "journal", /the figures of|there are no figures/],
  ["forgotten-subscription", "sqlite", /the table of subscriptions|is running and waits for/],
])("[S3] a planted bug is found: %s on the %s log", async (plant, log, reason) => {
  const found = await hunt(plant, log, 200);
  expect(found?.violation).toMatch(reason);
});

test("[S4] a failing seed names the command that repeats it, and what little is left of it", async () => {
  const found = await hunt("lost-sync", "journal", 200);
  const text = await report({ seed: found?.seed ?? 0, plant: "lost-sync" });
  expect(text).toContain(`SIM_SEED=${found?.seed} npm run simulate -- --plant lost-sync`);
  expect(text).toMatch(/answered rows of the log are gone/);
  // Deploying, one thing that is answered, and a crash are nearly all it takes.
  expect(text.split("\n").filter((line) => /^ {2}\d+ /.test(line)).length).toBeLessThanOrEqual(5);
});
