import { expect, test } from "vitest";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { describeWithPostgres } from "../testing/with-postgres.ts";
import { killWorkers, takeoverMaxMs } from "./kills.ts";

const slow = process.env["SLOW"] === "1";
const kills = Number(process.env["KILLS"] ?? (slow ? 20 : 5));

describeWithTemporal("workers on Temporal", () => {
  describeWithPostgres("with a PostgreSQL", () => {
    test(`[TE62] ${kills} workers are killed, and the server in their midst: nothing is lost or done again`, async () => {
      const survival = await killWorkers({ kills });
      expect(survival.wrong).toEqual([]);
      expect(survival.takeoversMs.length).toBeGreaterThan(0);
      expect(Math.max(...survival.takeoversMs)).toBeLessThan(takeoverMaxMs(survival));
    });
  });
});
