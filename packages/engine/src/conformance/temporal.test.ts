import { afterAll, beforeAll } from "vitest";
import { openTemporalHouse, type TemporalHouse } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { engineSuite } from "./engine.suite.ts";
import { temporalHarness } from "./temporal-harness.ts";

let house: TemporalHouse;

/** Each is an activity, for which the server needs some 8 ms of a processor, and the worker 5. */
const branchesMany = 1_100;

describeWithTemporal("on a Temporal server", () => {
  beforeAll(async () => {
    house = await openTemporalHouse("told-clock-workflow.ts", { threadless: true });
  }, 120_000);
  afterAll(() => house?.close());
  engineSuite({ name: "Temporal engine", make: () => temporalHarness(house), branchesMany, concurrent: true });
});
