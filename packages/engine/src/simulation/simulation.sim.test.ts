import type { Element } from "@tutti/kernel";
import { expect, test } from "vitest";
import { runSeeds, type Totals } from "./pool.ts";
import { report } from "./shrink.ts";
import { type Log, type Material, simulate } from "./simulate.ts";
import { summary } from "./summary.ts";

// SIM_SEEDS changes how many, SIM_FROM where they begin; SLOW=1 makes it a million. One seed again: see its report.
const slow = process.env["SLOW"] === "1";
const journalSeeds = Number(process.env["SIM_SEEDS"] ?? (slow ? 1_000_000 : 20_000));
const sqliteSeeds = Math.ceil(journalSeeds / 40);
const languageSeeds = Math.ceil(journalSeeds / 20);
const from = Number(process.env["SIM_FROM"] ?? 1);

async function run(log: Log, seeds: number, material: Material = "blocks"): Promise<Totals> {
  const totals = await runSeeds({ from, seeds, log, material });
  process.stdout.write(`${log}, ${material}: ${summary(totals)}\n`);
  const [first] = totals.failures;
  if (first !== undefined) expect.fail(await report({ seed: first.seed, log, material }));
  return totals;
}

/** What has never happened has not been tested. */
function expectHappened(totals: Totals, kinds: readonly string[]): void {
  // A few seeds cannot meet everything.
  if (journalSeeds < 20_000) return;
  expect(kinds.filter((kind) => (totals.counts.get(kind) ?? 0) === 0)).toEqual([]);
}

const everywhere = [
  ...["turn-loaded", "before-commit", "after-commit", "after-answers", "after-effects"].map(
    (at) => `died at engine:${at}`,
  ),
  "died at anywhere",
  "died at the end of a closing",
  "left killed",
  "left lost-tail",
  "left torn-tail",
  "left garbled-tail",
  "disk full",
  "disk sync-error",
  "turn refused: full",
  "turn refused: not synced",
  "clock jumps",
  "accepted commands",
  "refused commands",
  "messages given",
  "messages that started",
  "messages again",
  "signals",
  "rollouts",
  "deployments",
];

test(`[S1] ${journalSeeds} crash schedules from seed ${from} lose nothing and do nothing twice: the log in memory`, async () => {
  const totals = await run("journal", journalSeeds);
  expect(totals.counts.get("crashes")).toBeGreaterThanOrEqual(journalSeeds);
  const disk = ["before-append", "after-append", "before-sync", "after-sync", "before-truncate", "after-truncate"];
  expectHappened(totals, [
    ...everywhere,
    "disk short-write",
    "disk sync-error-lost",
    // Too rare for the few schedules on the file.
    "refused starts",
    ...disk.map((at) => `died at disk:${at}`),
  ]);
});

test(`[S1] ${sqliteSeeds} crash schedules from seed ${from} lose nothing and do nothing twice: the SQLite file`, async () => {
  const totals = await run("sqlite", sqliteSeeds);
  expect(totals.counts.get("crashes")).toBeGreaterThanOrEqual(sqliteSeeds);
  const disk = ["before-commit", "in-commit", "after-commit"];
  expectHappened(totals, [...everywhere, ...disk.map((at) => `died at disk:${at}`)]);
});

/** No kind may be forgotten: the compiler asks for a new one. */
const elementKinds: { readonly [K in Element["kind"]]: true } = {
  ...{ "start-event": true, "end-event": true, "intermediate-catch-event": true, "intermediate-throw-event": true },
  ...{ "boundary-event": true, "service-task": true, "send-task": true, "receive-task": true, "script-task": true },
  ...{ "manual-task": true, "business-rule-task": true, "user-task": true, "call-activity": true },
  ...{ "exclusive-gateway": true, "inclusive-gateway": true, "complex-gateway": true, "parallel-gateway": true },
  ...{ "event-based-gateway": true, "sub-process": true, "ad-hoc-sub-process": true },
};
const specialties = [
  ...["event sub-process", "transaction", "compensation handler", "compensation intermediate-throw-event"],
  ...["parallel loop", "sequential loop", "graph loop", "standard loop"],
  ...["conditional intermediate-catch-event", "escalation intermediate-throw-event", "multiple start-event"],
];

test(`[S5] ${languageSeeds} crash schedules from seed ${from} of the whole language: none is lost at any kind of element`, async () => {
  const totals = await run("journal", languageSeeds, "language");
  expect(totals.counts.get("crashes")).toBeGreaterThanOrEqual(languageSeeds);
  expectHappened(
    totals,
    [...Object.keys(elementKinds), ...specialties].map((trait) => `crashed in: ${trait}`),
  );
});

test.each(["journal", "sqlite"] as const)("[S2] a seed always tells the same story: %s", async (log) => {
  const stories = await Promise.all(
    [1, 2].map(async () => {
      const lines: string[] = [];
      for (const [seed, material] of [
        [70, "blocks"],
        [200, "blocks"],
        [333, "blocks"],
        [90, "language"],
      ] as const) {
        const { counts } = await simulate({ seed, log, material, trace: (line) => lines.push(line) });
        lines.push(JSON.stringify([...counts]));
      }
      return lines;
    }),
  );
  expect(stories[0]?.length).toBeGreaterThan(60);
  expect(stories[1]).toEqual(stories[0]);
});
