import { expect, test } from "vitest";
import { conflictText } from "./conflict-text.ts";
import { fileName, oneLine, plainTail } from "./text.ts";
import { addUsage } from "./usage.ts";

test("[F23] output loses what would paint on a terminal, and keeps its end", () => {
  expect(plainTail("\u001b[31mred\u001b[0m\r\nok\u0007\u202e\ttab\n", 100)).toBe("red\nok\ttab\n");
  expect(plainTail("abcdef", 3)).toBe("def");
  expect(plainTail("äöü", 3)).toBe("ü");
});

test("[F23] names become parts of paths that never meet and never lead up", () => {
  expect(fileName("..")).toBe("%2E.");
  expect(fileName("resolve:src/app.js")).toBe("resolve%3Asrc%2Fapp.js");
  const [long, other] = [fileName(`${"ä/".repeat(200)}a`), fileName(`${"ä/".repeat(200)}b`)];
  expect([long.length <= 150, other.length <= 150, long === other]).toEqual([true, true, false]);
  expect(oneLine("a\u001b[2J\u202eb")).toBe("ab");
  expect(oneLine("a\n  b", 3)).toBe("a b");
  expect(oneLine("abcdef", 4)).toBe("abc…");
});

test("[F55] a conflict is shown with all three versions, what they share only once", () => {
  const base = "head\none\ntail\n";
  expect(conflictText({ base, ours: "head\none\ntwo\ntail\n", theirs: "head\none\nthree\ntail\n" })).toBe(
    "head\none\n<<<<<<< ours\ntwo\n||||||| base\n=======\nthree\n>>>>>>> theirs\ntail\n",
  );
  expect(conflictText({ base: null, ours: "x", theirs: null })).toBe(
    "<<<<<<< ours\nx\n||||||| base\n=======\n>>>>>>> theirs\n",
  );
  // Repeated lines at the seam must not be counted for both ends.
  expect(conflictText({ base: "a\n", ours: "a\na\n", theirs: "a\na\na\n" })).toBe(
    "a\n<<<<<<< ours\na\n||||||| base\n=======\na\na\n>>>>>>> theirs\n",
  );
});

test("[F14] usage adds up, and a cost that was unknown once stays unknown", () => {
  const first = addUsage({}, { inputTokens: 1, outputTokens: 2, costUsd: 0.5 }, 10.4);
  expect(first).toEqual({ inputTokens: 1, outputTokens: 2, costUsd: 0.5, agentMs: 10 });
  const second = addUsage(first, undefined, 5);
  expect(second).toEqual({ inputTokens: 1, outputTokens: 2, costUsd: null, agentMs: 15 });
  expect(addUsage(second, { inputTokens: 1, outputTokens: 1, costUsd: 1 }, 0).costUsd).toBeNull();
});
