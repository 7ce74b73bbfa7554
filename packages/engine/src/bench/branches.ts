import { setTimeout } from "node:timers/promises";
import type { Json, MultiInstance } from "@tutti/kernel";
import { createEmbeddedEngine } from "../embedded/engine.ts";
import { openMemoryStore } from "../embedded/memory/store.ts";
import { testHost } from "../testing/host.ts";
import { branches } from "../testing/programs.ts";
import { type Figure, figure, roundsOf } from "./report.ts";

/** One instance with a branch for each of many items. */
interface Shape {
  readonly name: string;
  readonly loop: Partial<MultiInstance>;
  readonly item: (n: number) => Json;
  readonly counts: readonly number[];
  /** Of the largest count. */
  readonly secondsMax?: number;
}

const atOnce = 10;

const shapes: readonly Shape[] = [
  { name: "branches", loop: {}, item: (n) => n, counts: [1_000, 10_000, 100_000], secondsMax: 2 },
  // The line of what may start stays long to the end, and is asked for its first after every outcome.
  {
    name: "branches.few-at-once",
    loop: { maxParallel: { literal: atOnce } },
    item: (n) => n,
    counts: [10_000, 100_000],
  },
  // So do the lines for the locks.
  {
    name: "graph.locks",
    loop: { mode: "graph", maxParallel: { literal: atOnce } },
    item: (n) => ({ id: `item-${n}`, locks: [`lock-${n % (2 * atOnce)}`] }),
    counts: [10_000, 100_000],
  },
];

const rounds = 3;

/** Branches and their join, in memory; the cost of one must not depend on how many there are. */
export async function measureBranches(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const shape of shapes) {
    const { name, counts, secondsMax } = shape;
    await runBranches(shape, 1_000);
    let before: number | undefined;
    for (const count of counts) {
      const measured: Measured[] = [];
      for (let round = 0; round < rounds; round++) measured.push(await runBranches(shape, count));
      const seconds = roundsOf(measured.map((each) => each.seconds));
      const cpuSeconds = roundsOf(measured.map((each) => each.cpuSeconds)).median;
      const bounded = count === counts.at(-1) && secondsMax !== undefined;
      figures.push(
        figure(`${name}.${count}`, seconds, { unit: "s", ...(bounded ? { goal: `<= ${secondsMax}` } : {}) }),
      );
      // Ten times as many in 2.2 ^ log2(10) = 13.7 times the time is "doubling costs at most 2.2 times".
      if (before !== undefined) {
        figures.push(figure(`${name}.${count}.growth`, cpuSeconds / before, { unit: "ratio", goal: "<= 13.7" }));
      }
      before = cpuSeconds;
    }
  }
  return figures;
}

interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** From the start of an instance to its end. Nothing is waited for, so the processor's time is the same but for others. */
async function runBranches({ loop, item }: Shape, count: number): Promise<Measured> {
  const engine = await createEmbeddedEngine({
    store: await openMemoryStore(),
    host: testHost,
    limits: { recordsInMemoryMax: 1e7 },
  });
  await engine.deploy([branches("many", { loop })]);
  await engine.adjustQueue("standard", 1_000);
  const outcome = { type: "completed" as const, result: {} };
  let worked = 0;
  const allWorked = new Promise<void>((resolve) => {
    engine.work("work", async () => {
      if (++worked === count) resolve();
      return outcome;
    });
  });
  const begin = performance.now();
  const cpuBegin = process.cpuUsage();
  const variables = { items: Array.from({ length: count }, (_, n) => item(n)) };
  await engine.start({ requestId: "r", process: "many", variables, actor: "bench" });
  await allWorked;
  while ((await engine.query("instances", { status: "completed" })).rows.length === 0) await setTimeout(1);
  const seconds = (performance.now() - begin) / 1_000;
  const { user, system } = process.cpuUsage(cpuBegin);
  await engine.close();
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}
