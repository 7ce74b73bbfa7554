import { describeWithTemporal, historyMax } from "@tutti/engine/testing/temporal";
import { expect, test } from "vitest";
import { developFeature, unitId } from "../endurance/many-units.ts";

// UNITS changes how many. `npm run endurance -- units` tells how it goes.
const units = Number(process.env["UNITS"] ?? (process.env["SLOW"] === "1" ? 1_000 : 100));

describeWithTemporal("a large feature on Temporal", () => {
  test(`[C130] a feature of ${units} units stays inside the limits of a history, and does each step once`, async () => {
    const { landed, again, kept } = await developFeature({ units });
    expect([...landed].sort()).toEqual(Array.from({ length: units }, (_, index) => unitId(index)).sort());
    expect(again).toEqual([]);
    expect(kept.map(({ process, instances }) => [process, instances]).sort()).toEqual([
      ["feature", 1],
      ["merge", 1],
      ["unit", units],
      ["work-loop", units],
    ]);
    expect(Math.max(...kept.map(({ eventsMax }) => eventsMax))).toBeLessThan(historyMax.events);
    expect(Math.max(...kept.map(({ bytesMax }) => bytesMax))).toBeLessThan(historyMax.bytes);
  });
});
