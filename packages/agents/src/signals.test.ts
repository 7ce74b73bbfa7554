import { expect, test } from "vitest";
import { LastLines, LineSplitter, plainText } from "./process/text.ts";
import { jsonIn, lastJsonDocument, signalsOf } from "./signals.ts";

test("[A60] filed tasks carry title, priority and tags; medium unless said", () => {
  const text = 'File task: "Add index" priority: high tags: db,speed\nfile task: "Other"\nFile task: no quotes';
  expect(signalsOf(text).filed).toEqual([
    { title: "Add index", priority: "high", tags: ["db", "speed"] },
    { title: "Other", priority: "medium" },
  ]);
});

test("[A60] updated tasks, the next unit and the status are read", () => {
  const text =
    'Update task: t-1 status: done reason: "merged"\nNEXT_STEP: Run Tests\nNEXT_UNIT: other\nSTATUS: COMPLETE';
  expect(signalsOf(text)).toMatchObject({
    updated: [{ id: "t-1", status: "done", reason: "merged" }],
    nextUnit: "run_tests",
    complete: true,
  });
  expect(signalsOf("STATUS: COMPLETE\nno, wait\nSTATUS: PARTIAL").complete).toBe(false);
  expect(signalsOf("The STATUS: COMPLETE line is missing").complete).toBe(null);
});

test("[A61] JSON is found as the whole text or in the last block that parses", () => {
  expect(jsonIn('{"a": 1}')).toEqual({ a: 1 });
  expect(jsonIn('First\n```json\n{"a": 1}\n```\nthen\n```\n{"a": 2}\n```\n```sh\nls\n```')).toEqual({ a: 2 });
  expect(jsonIn("no JSON, 42")).toBe(undefined);
  expect(jsonIn("42")).toBe(undefined);
});

test("[A61] of a program's output the last object counts", () => {
  expect(lastJsonDocument('log {\n{"a": 1}\n{\n  "a": {\n    "b": 2\n  }\n}')).toEqual({ a: { b: 2 } });
  expect(lastJsonDocument('{"a": 1}\ntrailing')).toEqual({ a: 1 });
  expect(lastJsonDocument('{\n  "a": 1\n}\ntrailing')).toEqual({ a: 1 });
  expect(lastJsonDocument("nothing")).toBe(undefined);
});

test("[A61] text made to be slow to read is read in time", () => {
  const startedAt = performance.now();
  expect(jsonIn("```a\n".repeat(200_000))).toBe(undefined);
  const unclosed = `${'{"a":\n'.repeat(200)}[${"1,".repeat(4_000_000)}`;
  expect(lastJsonDocument(unclosed)).toBe(undefined);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test("[A17] plain text has no escape sequences, control characters or overrides, and an end", () => {
  expect(plainText("a\u001b]0;title\u0007b\u001b[1;31mc\u0000\u009b\u202ed\te\n")).toBe("abcd\te\n");
  expect(plainText("x".repeat(50), 10)).toBe(`${"x".repeat(9)}…`);
});

test("[A17] lines are split wherever the chunks end, and the last ones kept", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of ["a\nb", "c", "\r\n\nd"]) splitter.push(chunk);
  splitter.end();
  expect(lines).toEqual(["a", "bc", "", "d"]);
  const last = new LastLines(2);
  for (const line of ["1", "2", " ", "3", "4", "5"]) last.push(line);
  expect(last.get()).toEqual(["4", "5"]);
});
