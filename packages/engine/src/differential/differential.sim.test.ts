import { expect, test } from "vitest";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { compare, summary } from "./ground.ts";

// DIFF_SEEDS changes how many, DIFF_FROM where they begin. `npm run differential` for more.
const seeds = Number(process.env["DIFF_SEEDS"] ?? 200);
const from = Number(process.env["DIFF_FROM"] ?? 1);

describeWithTemporal("both engines", () => {
  test(`[TE60, TE67] ${seeds} random paths from seed ${from} are the same on Temporal, and in a replay`, async () => {
    const totals = await compare({ from, seeds });
    process.stdout.write(`${summary(totals)}\n`);
    expect([...totals.differences].map(([seed, what]) => `seed ${seed}: ${what}`)).toEqual([]);
    expect(totals.unlikeReplay).toEqual([]);
    expect(totals.paths).toBe(seeds);
    if (seeds < 200) return;
    // What has never happened has not been tested.
    expect([...totals.actions.keys()].sort()).toEqual(["broadcast", "command", "job", "pass", "publish", "start"]);
    expect(totals.instances, "some of them called").toBeGreaterThan(totals.actions.get("start") ?? 0);
    expect(totals.anew).toBeGreaterThan(0);
  });

  test("[TE60] an engine that decides otherwise is found", async () => {
    const totals = await compare({ from: 1, seeds: 24, module: "planted-workflow.ts", patienceMs: 10_000 });
    expect(totals.differences.size).toBeGreaterThan(0);
  });
});
