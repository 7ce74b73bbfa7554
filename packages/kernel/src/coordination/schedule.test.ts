import { expect, test } from "vitest";
import type { DueResult, Host } from "../host.ts";
import { missedMax, nextFiring, type Schedule } from "./schedule.ts";

/** Every ten milliseconds, counting repetitions down. */
const host: Pick<Host, "nextDue"> = {
  nextDue: (_timer, _value, ...[from, remaining]): DueResult => ({
    ok: true,
    due: from + 10,
    remaining: remaining === null || remaining === undefined ? null : remaining - 1,
  }),
};

function schedule(fields: Partial<Schedule> = {}): Schedule {
  return { timer: { kind: "cycle" }, value: "every 10 ms", due: 100, remaining: null, ...fields };
}

test("[Q27] the next firing is counted from the due instant, not from when it was noticed", () => {
  expect(nextFiring(schedule(), 107, host)).toEqual(schedule({ due: 110 }));
  expect(nextFiring(schedule({ remaining: 3 }), 100, host)).toEqual(schedule({ due: 110, remaining: 2 }));
});

test("[Q27] after the last repetition there is none", () => {
  expect(nextFiring(schedule({ remaining: 0 }), 100, host)).toBeUndefined();
});

test("[Q28] what was missed is passed over, and is used up", () => {
  expect(nextFiring(schedule(), 135, host)).toEqual(schedule({ due: 140 }));
  expect(nextFiring(schedule({ remaining: 5 }), 130, host)).toEqual(schedule({ due: 140, remaining: 1 }));
  expect(nextFiring(schedule({ remaining: 2 }), 500, host)).toBeUndefined();
});

test("[Q28] a very long sleep is not counted through: it goes on from now", () => {
  const now = 100 + 10 * (missedMax + 50) + 3;
  expect(nextFiring(schedule(), now, host)).toEqual(schedule({ due: now + 10 }));
});

test("[Q27] a timer that cannot be computed says so", () => {
  const failing: DueResult = { ok: false, code: "timer-invalid", message: "no such zone" };
  expect(nextFiring(schedule(), 100, { nextDue: () => failing })).toEqual(failing);
});
