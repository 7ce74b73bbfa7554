import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createEmbeddedEngine } from "../embedded/engine.ts";
import { openSqliteStore } from "../embedded/sqlite/store.ts";
import { testHost } from "../testing/host.ts";
import { sequence } from "../testing/programs.ts";
import { runFloor, type Write, writesOf } from "./floor.ts";
import { type Figure, figure, percentile, roundsOf } from "./report.ts";
import { databasePath, runSteps } from "./workload.ts";

const rounds = 3;

/**
 * Steps of a timed run with several under way: seconds, not tenths of them. In so short a run one sync that the disk
 * takes long for, or what the runtime compiles meanwhile, is most of what is measured.
 */
const stepsTimed = 100_000;
const stepsTimedInMemory = 300_000;
const roundsOfSteps = 5;

/** What one synced append of 4 KiB costs on this disk. */
export function measureSync(folder: string): Figure[] {
  const file = openSync(join(folder, "sync"), "w");
  const block = Buffer.alloc(4_096, 1);
  const times: number[] = [];
  for (let n = 0; n < 300; n++) {
    const before = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    times.push((performance.now() - before) * 1_000);
  }
  closeSync(file);
  return [figure("disk.sync.p50", percentile(times, 0.5), { unit: "µs" })];
}

/** Steps per second beside the floor, measured in turns so that a busy machine slows both. */
export async function measureSteps(
  folder: string,
  options: { readonly inFlight: number; readonly steps: number },
): Promise<Figure[]> {
  const { inFlight, steps } = options;
  const instances = Math.ceil((inFlight === 1 ? 3_000 : stepsTimed) / Math.max(steps, 3));
  const workload = { folder, durable: true, instances, steps, inFlight };
  const speeds: number[] = [];
  const ratios: number[] = [];
  const latencies: number[] = [];
  const commits: number[] = [];
  await runSteps(workload);
  const batches: Write[][] = [];
  await runSteps({ ...workload, onTurn: (turn) => batches.push(writesOf(turn)) });
  for (let round = 0; round < roundsOfSteps; round++) {
    const engine = await runSteps(workload);
    const floor = runFloor(folder, batches);
    speeds.push((instances * steps) / engine.seconds);
    ratios.push(floor.seconds / engine.seconds);
    latencies.push(...engine.stepMs);
    commits.push(...floor.commitMs);
  }
  const name = `${steps === 1 ? "one-task" : `${steps}-steps`}.durable.${inFlight}`;
  const figures = [
    figure(name, roundsOf(speeds), { unit: steps === 1 ? "instances/s" : "steps/s" }),
    figure(`${name}.of-floor`, roundsOf(ratios), { unit: "ratio", goal: ">= 0.5" }),
  ];
  if (latencies.length === 0) return figures;
  const median = percentile(latencies, 0.5);
  for (const share of [0.5, 0.99, 0.999]) {
    figures.push(figure(`${name}.step.p${share * 100}`, percentile(latencies, share), { unit: "ms" }));
  }
  if (inFlight === 1) {
    const goal = "<= 2";
    figures.push(figure(`${name}.step.p50-of-commit`, median / percentile(commits, 0.5), { unit: "ratio", goal }));
  }
  return figures;
}

export async function measureMemory(
  folder: string,
  options: { readonly inFlight: number; readonly steps: number },
): Promise<Figure[]> {
  const { inFlight, steps } = options;
  const instances = Math.ceil(stepsTimedInMemory / steps);
  const speeds: number[] = [];
  await runSteps({ folder, durable: false, instances, steps, inFlight });
  for (let round = 0; round < rounds; round++) {
    const { seconds } = await runSteps({ folder, durable: false, instances, steps, inFlight });
    speeds.push((instances * steps) / seconds);
  }
  const name = `${steps === 1 ? "one-task" : `${steps}-steps`}.memory.${inFlight}`;
  return [figure(name, roundsOf(speeds), { unit: steps === 1 ? "instances/s" : "steps/s" })];
}

/** From opening a database with 10 000 open instances to the first job that runs. */
export async function measureRecovery(folder: string): Promise<Figure[]> {
  const path = databasePath(folder, "recovery");
  const engine = await createEmbeddedEngine({ store: openSqliteStore(path), host: testHost });
  await engine.deploy([sequence("steps", 10)]);
  const starts = Array.from({ length: 10_000 }, (_, n) =>
    engine.start({ requestId: `r${n}`, process: "steps", variables: {}, actor: "bench" }),
  );
  await Promise.all(starts);
  await engine.close();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    const opened = await createEmbeddedEngine({ store: openSqliteStore(path), host: testHost });
    const at = await new Promise<number>((resolve) => {
      opened.work("work", async () => {
        resolve(performance.now());
        return { type: "failed", code: "later", message: "", retryable: false };
      });
    });
    times.push(at - begin);
    await opened.close();
  }
  return [figure("recovery.10000.first-job", roundsOf(times), { unit: "ms", goal: "<= 1000" })];
}
