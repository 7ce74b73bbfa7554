import { expect, test } from "vitest";
import { describeWithTemporal, historyMax } from "../testing/temporal-server.ts";
import { goRound } from "./loop.ts";

// In its long form the histories are as long as the server lets them be; in the short one a hundred events are long.
const slow = process.env["SLOW"] === "1";
const rounds = Number(process.env["ROUNDS"] ?? (slow ? 10_000 : 60));

describeWithTemporal("a long life on Temporal", () => {
  test(`[TE63] an instance that goes ${rounds} times over a job and a timer keeps its histories short, and does nothing twice`, async () => {
    const short = slow ? {} : { module: "short-history-workflow.ts" };
    const { rounds: done, result, sizes } = await goRound({ rounds, ...short });
    expect(result).toEqual({ type: "completed", result: { n: rounds } });
    expect(done).toBe(rounds);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes.map(({ events }) => events))).toBeLessThan(slow ? historyMax.events : 200);
    expect(Math.max(...sizes.map(({ bytes }) => bytes))).toBeLessThan(historyMax.bytes);
  });
});
