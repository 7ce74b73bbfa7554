import { expect, test } from "vitest";
import { Slots } from "./slots.ts";

const never = new AbortController().signal;

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

test("[TE4] there are as many permits as slots, and more slots count at once", async () => {
  const slots = new Slots(1);
  await slots.reserveSlot({}, never);
  expect(slots.tryReserveSlot()).toBeNull();
  const second = slots.reserveSlot({}, never);
  const third = slots.reserveSlot({}, never);
  expect(await isSettled(second)).toBe(false);
  slots.resize(2);
  expect(await isSettled(second)).toBe(true);
  expect(await isSettled(third)).toBe(false);
  slots.releaseSlot();
  expect(await isSettled(third)).toBe(true);
});

test("[TE4] fewer slots end nothing, and count once enough have been given back", async () => {
  const slots = new Slots(2);
  await slots.reserveSlot({}, never);
  await slots.reserveSlot({}, never);
  slots.resize(1);
  const next = slots.reserveSlot({}, never);
  slots.releaseSlot();
  expect(await isSettled(next)).toBe(false);
  slots.releaseSlot();
  expect(await isSettled(next)).toBe(true);
});

test("[TE4] who no longer wants a slot leaves its place to the next", async () => {
  const slots = new Slots(1);
  await slots.reserveSlot({}, never);
  const leaving = new AbortController();
  const left = slots.reserveSlot({}, leaving.signal);
  const next = slots.reserveSlot({}, never);
  const reason = new Error("the worker ends");
  leaving.abort(reason);
  // By anything else the worker would take it for an error of ours.
  await expect(left).rejects.toBe(reason);
  slots.releaseSlot();
  expect(await isSettled(next)).toBe(true);
});

test("[TE51] a short job has a slot as long as fewer jobs run, waits for other short ones, and for no long one", async () => {
  const slots = new Slots(2);
  await slots.begin();
  expect(await slots.enter(1_000)).toBe(true);
  const second = slots.enter(1_000);
  const long = slots.begin();
  expect(await isSettled(second)).toBe(false);
  expect(await isSettled(long)).toBe(false);
  slots.leave();
  await Promise.race([second, long]);
  // One of the two has the slot, and the other one waits.
  const isSecond = await isSettled(second);
  expect(await isSettled(long)).toBe(!isSecond);
  if (isSecond) slots.leave();
  await long;
  expect(await second).toBe(isSecond);
  expect(await slots.enter(1_000)).toBe(false);
  slots.ended();
  expect(await slots.enter(1_000)).toBe(true);
});
