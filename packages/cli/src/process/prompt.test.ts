import { PassThrough } from "node:stream";
import type { Question } from "@tutti/testing";
import { expect, test } from "vitest";
import { plain } from "../terminal/style.ts";
import { Person } from "./prompt.ts";
import { elapsedTime } from "./story.ts";

const question: Question = {
  id: "p/3#1",
  instanceId: "p",
  kind: "job",
  element: "charge",
  item: "a",
  jobType: "payment.charge",
  attempt: 1,
  input: { amount: 3 },
  title: null,
  form: null,
};

async function typed(text: string, asked = question): Promise<{ readonly answer: unknown; readonly shown: string }> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end(text);
  const person = new Person({ input, output, style: plain, signal: new AbortController().signal });
  const answer = await person.ask(asked);
  person.close();
  return { answer, shown: String(output.read()) };
}

test("[C39] a person gives a result, a failure or an error", async () => {
  const { answer, shown } = await typed('{"receipt": "R1"}\n');
  expect(answer).toEqual({ complete: { receipt: "R1" } });
  expect(shown).toContain('charge[a]: job payment.charge {"amount":3}');
  expect((await typed("fail busy try later\n")).answer).toEqual({ fail: { code: "busy", message: "try later" } });
  expect((await typed("throw declined\n")).answer).toEqual({ throw: { code: "declined" } });
});

test("[C39] a person brings messages and signals, too", async () => {
  const waiting: Question = {
    ...question,
    kind: "message",
    title: "paid",
    jobType: null,
    item: null,
    input: { key: "o1" },
  };
  const { answer, shown } = await typed('{"sum": 1}\n', waiting);
  expect([answer, shown]).toEqual([
    { complete: { sum: 1 } },
    expect.stringContaining(`waits for message 'paid' {"key":"o1"}`),
  ]);
});

test("[C39] what cannot be read is asked again; nothing, and nobody, leaves it waiting", async () => {
  const { answer, shown } = await typed("[1]\nfail\n{}\n");
  expect(answer).toEqual({ complete: {} });
  expect(shown.split("> ")).toHaveLength(4);
  expect((await typed("\n")).answer).toBeUndefined();
  expect((await typed("")).answer).toBeUndefined();
  const gone = { input: new PassThrough(), output: new PassThrough(), style: plain, signal: AbortSignal.timeout(10) };
  expect(await new Person(gone).ask(question)).toBeUndefined();
});

test("[C36] times are written as answers write them", () => {
  expect([0, 1_500, 90_061_000, 604_800_000].map(elapsedTime)).toEqual(["0s", "1s500ms", "1d1h1m1s", "7d"]);
});
