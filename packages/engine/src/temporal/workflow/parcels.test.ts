import { newState } from "@tutti/kernel";
import { expect, test } from "vitest";
import type { Parcel } from "../message/contract.ts";
import { keptMax, Parcels } from "./parcels.ts";

function parcel(number: number): Parcel {
  return {
    id: `message ${number} 1`,
    command: { type: "deliver-message", key: 1, messageId: `m-${number}`, name: "paid", payload: {}, actor: "message" },
    message: { name: "paid", correlationKey: null, number, receivers: [] },
  };
}

const paused = { ok: false, rejection: { code: "instance-paused", reason: "" } } as const;

test("[TE34] a parcel that comes again has the first one's answer, also in the next execution", async () => {
  const parcels = new Parcels();
  let decided = 0;
  const decide = (answer: (answer: { readonly ok: true; readonly position: number }) => void): void => {
    decided++;
    answer({ ok: true, position: 1 });
  };
  expect(await Promise.all([parcels.once(parcel(1), decide), parcels.once(parcel(1), decide)])).toEqual(["had", "had"]);
  expect(await new Parcels(parcels.carried()).once(parcel(1), decide)).toBe("had");
  expect(decided).toBe(1);
});

test("[TE34] what is kept for a paused instance goes on with it, and there is no more than it may have", async () => {
  const parcels = new Parcels();
  expect(await parcels.once(parcel(0), (answer) => answer(paused))).toBe("kept");
  expect(parcels.keep(parcel(0))).toMatchObject([
    { type: "message-received", number: 0 },
    { type: "subscription-taken", key: 1, taken: true },
  ]);
  const mark = parcels.mark();
  for (let number = 1; number < keptMax; number++) expect(parcels.keep(parcel(number))).toBeDefined();
  expect(parcels.keep(parcel(keptMax))).toBeUndefined();
  parcels.reset(mark);
  const next = new Parcels(parcels.carried());
  const [kept] = next.open();
  expect(kept).toEqual(parcel(0));
  expect(next.open()).toEqual([]);
  // Who had it is noted already, and nobody waits there any more.
  expect(next.take(parcel(0), newState())).toEqual([]);
  expect(next.take(parcel(1), newState())).toMatchObject([{ type: "message-received", number: 1 }]);
});
