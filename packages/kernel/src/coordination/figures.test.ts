import { expect, test } from "vitest";
import { addFigures, durationBucket, durationQuantileMs, type FiguresChange, noVersionFigures } from "./figures.ts";

function took(...durations: readonly number[]) {
  return addFigures(
    noVersionFigures,
    durations.map((durationMs): FiguresChange => ({ completed: 1, durationMs })),
  );
}

test("[Q30] figures are the sum of what happened, in any order, and are kept apart from it", () => {
  const changes: FiguresChange[] = [
    { started: 1, running: 1 },
    { running: 1, incidents: 2 },
    { running: -1, completed: 1, durationMs: 500 },
    { running: -1, failed: 1, incidents: -2 },
    { started: 1, cancelled: 1, durationMs: 0 },
  ];
  const sum = addFigures(noVersionFigures, changes);
  expect(sum).toEqual({
    ...{ started: 2, running: 0, completed: 1, failed: 1, cancelled: 1, incidents: 0 },
    ...{ totalMs: 500, durations: { 0: 1, [durationBucket(500)]: 1 } },
  });
  expect(changes.toReversed().reduce((figures, each) => addFigures(figures, [each]), noVersionFigures)).toEqual(sum);
  expect(noVersionFigures.durations).toEqual({});
});

test("[Q31] a quantile is right within a tenth, from a millisecond to years", () => {
  for (const ms of [1, 2, 3, 7, 10, 99, 1_000, 65_537, 3_600_000, 86_400_000, 31_622_400_000]) {
    const found = durationQuantileMs(took(ms), 0.5) ?? 0;
    expect(Math.abs(found - ms) / ms).toBeLessThan(0.1);
  }
  const thousand = took(...Array.from({ length: 1_000 }, (_, n) => n + 1));
  for (const share of [0.01, 0.5, 0.95, 0.99, 1]) {
    const found = durationQuantileMs(thousand, share) ?? 0;
    expect(Math.abs(found - share * 1_000)).toBeLessThanOrEqual(share * 100 + 1);
  }
});

test("[Q31] what took no time counts as such, and without a completed instance there is no quantile", () => {
  expect(durationQuantileMs(took(0, 0, 8), 0.5)).toBe(0);
  expect(durationQuantileMs(took(0), 0)).toBe(0);
  expect(durationQuantileMs(noVersionFigures, 0.5)).toBeNull();
  // Kept without durations by an older release.
  expect(durationQuantileMs({ ...noVersionFigures, completed: 3 }, 0.5)).toBe(0);
});
