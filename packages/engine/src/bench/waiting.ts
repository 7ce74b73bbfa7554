import { statSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Element, ProgramDocument } from "@tutti/kernel";
import { createEmbeddedEngine } from "../embedded/engine.ts";
import type { EngineLimits } from "../embedded/limits.ts";
import { openSqliteStore } from "../embedded/sqlite/store.ts";
import type { Engine } from "../port.ts";
import { testHost } from "../testing/host.ts";
import { end, from, program, service, start, wait } from "../testing/programs.ts";
import { type Figure, figure, percentile } from "./report.ts";
import { databasePath } from "./workload.ts";

const week = "PT604800S";

const waits: { readonly [name: string]: Element } = {
  timer: wait("wait", week),
  message: {
    kind: "receive-task",
    id: "wait",
    parent: null,
    message: { name: { literal: "paid" }, correlationKey: { variable: "order" } },
  },
  task: { kind: "user-task", id: "wait", parent: null },
  job: service("wait", { type: "nobody" }),
};

/** start → `element` → end. */
function around(element: Element): ProgramDocument {
  return program({
    id: "waits",
    elements: [start(), element, end()],
    flows: [`start>${element.id}`, `${element.id}>end`],
  });
}

function open(path: string, limits: Partial<EngineLimits> = {}): Promise<Engine> {
  return createEmbeddedEngine({ store: openSqliteStore(path), host: testHost, limits });
}

/** As many at once as one turn takes. */
const wave = 1_000;

/** Starts instances number `from` up to `to`, and lets each wave become durable before the next. */
async function startMany(
  engine: Engine,
  { from: first, to, variables }: { readonly from: number; readonly to: number; variables?: (n: number) => object },
): Promise<void> {
  for (let begin = first; begin < to; begin += wave) {
    const starts = Array.from({ length: Math.min(wave, to - begin) }, (_, n) =>
      engine.start({
        requestId: `r${begin + n}`,
        process: "waits",
        variables: { ...variables?.(begin + n) },
        actor: "bench",
      }),
    );
    await Promise.all(starts);
  }
}

/** What an instance that waits takes on the disk: log, tables and indexes. */
export async function measureDisk(folder: string): Promise<Figure[]> {
  const count = 10_000;
  const figures: Figure[] = [];
  for (const [name, element] of Object.entries(waits)) {
    const path = databasePath(folder, "waiting");
    const engine = await open(path);
    await engine.deploy([around(element)]);
    // The one variable that something is asked for: the key of the message.
    await startMany(engine, {
      from: 0,
      to: count,
      ...(name === "message" ? { variables: (n) => ({ order: `o${n}` }) } : {}),
    });
    await engine.close();
    const bytes = statSync(path).size / count;
    figures.push(figure(`waiting.disk.${name}`, bytes, { unit: "B/instance", goal: "<= 1024" }));
  }
  return figures;
}

/** What is reachable, once what is not has been collected. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

/** Memory with ten times as many instances waiting: only as many are kept as the limit says. */
export async function measureIdle(folder: string, { full }: { readonly full: boolean }): Promise<Figure[]> {
  const few = full ? 100_000 : 20_000;
  const many = 10 * few;
  const engine = await open(databasePath(folder, "waiting"), { recordsInMemoryMax: 100_000 });
  await engine.deploy([around(wait("wait", week))]);
  await startMany(engine, { from: 0, to: few });
  const before = heapBytes();
  await startMany(engine, { from: few, to: many });
  const after = heapBytes();
  await engine.close();
  return [
    figure(`waiting.heap.${few}`, before / 1e6, { unit: "MB" }),
    figure(`waiting.heap.${many}`, after / 1e6, { unit: "MB" }),
    figure(`waiting.heap.${many}.growth`, after / before, { unit: "ratio", goal: "<= 1.2" }),
  ];
}

const armed = 1_000_000;
/** Of one instance: an event that waits for the first of them. */
const armedTogether = 1_000;
/** Timers that come due while the others wait, three times as many as are kept in memory. */
const dueSoon = 3_000;
const dueEveryMs = 4;
/** Enough for all of them to be armed. */
const startingMs = 5_000;

/** From the moment a timer is due to the job after it, with a million armed. */
export async function measureTimers(folder: string): Promise<Figure[]> {
  const path = databasePath(folder, "timers");
  await arm(path);
  const engine = await open(path, { nearTimersMax: dueSoon / 3 });
  await engine.deploy([probe]);
  const late: number[] = [];
  const allFired = new Promise<void>((resolve) => {
    engine.work("work", async (job) => {
      late.push(Date.now() - Date.parse(String(job.input["due"])));
      if (late.length === dueSoon) resolve();
      return { type: "completed", result: {} };
    });
  });
  await engine.adjustQueue("standard", 1_000);
  const first = Date.now() + startingMs;
  const requests = Array.from({ length: dueSoon }, (_, n) => ({
    requestId: `probe${n}`,
    process: probe.id,
    variables: { due: new Date(first + n * dueEveryMs).toISOString() },
    actor: "bench",
  }));
  await Promise.all(requests.map((request) => engine.start(request)));
  await allFired;
  await engine.close();
  return [
    figure(`timers.${armed}.late.p50`, percentile(late, 0.5), { unit: "ms" }),
    figure(`timers.${armed}.late.p99`, percentile(late, 0.99), { unit: "ms", goal: "<= 50" }),
    figure(`timers.${armed}.late.max`, Math.max(...late), { unit: "ms" }),
  ];
}

async function arm(path: string): Promise<void> {
  const { trigger } = wait("wait", week) as Extract<Element, { readonly kind: "intermediate-catch-event" }>;
  const triggers = Array.from({ length: armedTogether }, () => trigger as Extract<typeof trigger, { type: "timer" }>);
  const several = { type: "multiple" as const, parallel: false, triggers };
  const engine = await open(path);
  await engine.deploy([around({ kind: "intermediate-catch-event", id: "wait", parent: null, trigger: several })]);
  await startMany(engine, { from: 0, to: armed / armedTogether });
  await engine.close();
}

const probe: ProgramDocument = program({
  id: "probe",
  elements: [
    start(),
    {
      kind: "intermediate-catch-event",
      id: "due",
      parent: null,
      trigger: { type: "timer", timer: { kind: "date", value: { variable: "due" } } },
    },
    service("fired", { inputs: [from("due", { variable: "due" })] }),
    end(),
  ],
  flows: ["start>due", "due>fired", "fired>end"],
});
