import { expect, test } from "vitest";
import { whyWaiting } from "./waits.ts";

test("[C37] a reason that ends with a message is a sentence of its own, whatever the message ends with", () => {
  const until = "A person retries or cancels.";
  expect(whyWaiting({ reason: "It failed (no-disk): the disk is full", until })).toBe(
    "It failed (no-disk): the disk is full. Until: A person retries or cancels.",
  );
  expect(whyWaiting({ reason: "It failed (odd): Is it on?", until })).toBe(
    "It failed (odd): Is it on? Until: A person retries or cancels.",
  );
});
