import { expect, test } from "vitest";
import { expectCrashProof } from "./crash.ts";
import { catching, message, signal, sketch } from "./testing/patterns/sketch.ts";
import { openTrial } from "./trial.ts";

const keyed = { type: "message", message: { name: { literal: "paid" }, correlationKey: { literal: "o1" } } };
const outputs = [{ target: "sum", source: { variable: "sum" } }];
const waits = [
  sketch({
    id: "waits",
    variables: { sum: 0 },
    parts: { W: { ...catching(keyed), outputs }, S: catching(signal("go")) },
    flows: "start>A A>W W>S S>end",
  }),
];
const answers = { work: { complete: {}, after: "1h" } };

test("[T9] messages and signals come after the time they say, counted from the start or from an element", async () => {
  const publish = [
    { message: "paid", key: "o2", after: "2h", ttl: "1m" },
    { message: "paid", key: "o1", on: "W", after: "3h", payload: { sum: 5 } },
    { signal: "go", after: "6h" },
  ];
  const trial = await openTrial({ programs: waits, answers: { answers, publish } });
  const instance = await trial.start();
  await trial.finish();
  instance.expectEnd("completed").expectVariables({ sum: 5 });
  const hours = instance.steps
    .filter(({ type }) => type === "ended")
    .map(({ element, at }) => [element, (at - Date.UTC(2024, 0, 1)) / 3_600_000]);
  expect(hours).toEqual([
    ["A", 1],
    ["W", 4],
    ["S", 6],
  ]);
  expect(trial.unused()).toEqual([]);
});

test("[T9] what was never sent, and a message that met nobody, are named", async () => {
  const publish = [
    { message: "paid", key: "o1" },
    { signal: "go", on: "S" },
  ];
  const trial = await openTrial({ programs: waits, answers: { answers, publish } });
  const instance = await trial.start();
  expect(await trial.finish()).toBe("waiting");
  instance.expectWaiting("W");
  expect(trial.unused()).toEqual(["signal go on S", "message paid, which nobody waited for"]);
  await trial.publish({ message: "paid", key: "o1" });
  await trial.publish({ signal: "go", after: "1s" });
  await trial.advance("1s");
  instance.expectEnd("completed");
});

test("[T9] a message starts a process, and a crash neither loses nor repeats it", async () => {
  const programs = [
    sketch({
      id: "started",
      parts: { start: { kind: "start-event", trigger: message("new") }, W: catching(keyed) },
      flows: "start>A A>W W>end",
    }),
  ];
  const publish = [
    { message: "new", after: "1m" },
    { message: "paid", key: "o1", after: "30m", ttl: "1d" },
  ];
  const crashes = await expectCrashProof({ programs, answers: { answers, publish } }, async (trial) => {
    await trial.begin();
    expect(await trial.finish()).toBe("ended");
    expect(trial.instances).toHaveLength(1);
    trial.instances[0]?.expectEnd("completed");
  });
  expect(crashes).toBeGreaterThan(6);
});

test("[T7] somebody is asked for messages and signals, too, once each, before time passes", async () => {
  const asked: string[] = [];
  const trial = await openTrial({
    programs: waits,
    answers: { answers },
    ask: async ({ kind, element, title, input }) => {
      asked.push(`${element} ${kind} ${title} ${JSON.stringify(input)}`);
      return { complete: { sum: asked.length }, after: "1h" };
    },
  });
  const instance = await trial.start();
  expect(await trial.finish()).toBe("ended");
  expect(asked).toEqual(['W message paid {"key":"o1"}', "S signal go {}"]);
  instance.expectEnd("completed").expectVariables({ sum: 1 });
  const silent = await openTrial({ programs: waits, answers: { answers }, ask: async () => undefined });
  await silent.start();
  expect(await silent.finish()).toBe("waiting");
});
