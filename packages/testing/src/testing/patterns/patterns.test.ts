import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { advanced, basic } from "./branching.ts";
import { cancellation, iteration, multipleInstances, termination } from "./instances.ts";
import { type Pattern, shownWith } from "./pattern.ts";
import { stateBased, triggers } from "./state.ts";

const groups: readonly (readonly [string, readonly Pattern[]])[] = [
  ["Basic control flow", basic],
  ["Advanced branching and synchronization", advanced],
  ["Multiple instances", multipleInstances],
  ["State", stateBased],
  ["Cancellation and force completion", cancellation],
  ["Iteration", iteration],
  ["Termination", termination],
  ["Trigger", triggers],
];
const patterns = groups.flatMap(([, group]) => group);

test.each(patterns.map((pattern) => [pattern.number, pattern.name, pattern] as const))(
  "[T50] WCP-%i %s",
  async (_number, _name, { shows }) => {
    await shows();
  },
);

test.each(patterns.map((pattern) => [pattern.number, pattern.name, pattern] as const))(
  "[T50, T22] WCP-%i %s, with a crash before and after every durable write",
  async (_number, _name, pattern) => {
    const writes = await shownWith([], pattern);
    expect(writes).toBeGreaterThan(1);
    for (let write = 1; write <= writes; write++) {
      for (const side of ["before-write", "after-write"] as const) {
        await shownWith([{ write, side }], pattern).catch((cause: unknown) => {
          throw new Error(`${side} ${write} of ${writes}: ${String(cause)}`, { cause });
        });
      }
    }
  },
);

test("[T50] the page has all 43 patterns, each as its process says it", () => {
  const page = readFileSync(new URL("../../../../../docs/reference/patterns.md", import.meta.url), "utf8");
  const rows = (text: string): string[] => text.split("\n").filter((line) => /^\| WCP|^## /.test(line));
  const written = groups.flatMap(([title, group]) => [
    `## ${title}`,
    ...group.map(({ number, name, how }) => `| WCP-${number} | ${name} | ${how} |`),
  ]);
  expect(rows(page)).toEqual(written);
  expect(patterns.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 43 }, (_, n) => n + 1),
  );
});
