import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Host, ProgramDocument } from "@tutti/kernel";
import { createEmbeddedEngine } from "../embedded/engine.ts";
import { openMemoryStore } from "../embedded/memory/store.ts";
import { openSqliteStore } from "../embedded/sqlite/store.ts";
import type { Store, Turn } from "../embedded/store.ts";
import { testHost } from "../testing/host.ts";
import { sequence } from "../testing/programs.ts";

export interface Workload {
  readonly folder: string;
  readonly durable: boolean;
  readonly instances: number;
  /** Service tasks one after the other. */
  readonly steps: number;
  /** Instances under way at once. */
  readonly inFlight: number;
  /** Runs instead of the plain sequence; has the same steps. */
  readonly program?: ProgramDocument;
  readonly host?: Host;
  /**
   * Called with every turn before it is written. Keeping turns costs the engine a third of its time in garbage
   * collection, so no run that is timed keeps them.
   */
  readonly onTurn?: (turn: Turn) => void;
}

export interface Measured {
  readonly seconds: number;
  /** Of the processor, all threads together. */
  readonly cpuSeconds: number;
  /** From the outcome of a job to the start of the next in the same instance, ms. Of every tenth if many are under way. */
  readonly stepMs: readonly number[];
}

export function databasePath(folder: string, name: string): string {
  const path = join(folder, `${name}.sqlite`);
  for (const tail of ["", "-wal", "-shm"]) rmSync(`${path}${tail}`, { force: true });
  return path;
}

/** Runs instances of trivial steps with in-process handlers, from the first start to the last end. */
export async function runSteps(workload: Workload): Promise<Measured> {
  const { folder, durable, instances, steps, inFlight, onTurn, host = testHost } = workload;
  const program = workload.program ?? sequence("steps", steps);
  const inner = durable ? openSqliteStore(databasePath(folder, "steps")) : await openMemoryStore();
  const commit = (turn: Turn): Promise<void> => {
    onTurn?.(turn);
    return inner.commit(turn);
  };
  const store: Store = onTurn === undefined ? inner : { ...inner, commit };
  const engine = await createEmbeddedEngine({ store, host });
  await engine.deploy([program]);
  await engine.adjustQueue("standard", inFlight + 1);
  const outcomes = new Map<string, number>();
  const stepMs: number[] = [];
  const lastStep = `step${steps}`;
  let started = 0;
  let ended = 0;
  const begin = performance.now();
  const cpuBegin = process.cpuUsage();
  await new Promise<void>((resolve, reject) => {
    const startNext = (): void => {
      if (started === instances) return;
      started++;
      const request = { requestId: `r${started}`, process: program.id, variables: {}, actor: "bench" };
      engine.start(request).catch(reject);
    };
    const outcome = { type: "completed" as const, result: {} };
    engine.work("work", async (job) => {
      const { instanceId } = job;
      const isLast = job.elementId === lastStep;
      if (inFlight === 1 || instanceId.endsWith("0")) {
        const before = outcomes.get(instanceId);
        if (before !== undefined) stepMs.push(performance.now() - before);
        if (isLast) outcomes.delete(instanceId);
        else outcomes.set(instanceId, performance.now());
      }
      if (isLast) {
        startNext();
        if (++ended === instances) setImmediate(resolve);
      }
      return outcome;
    });
    for (let n = 0; n < inFlight; n++) startNext();
  });
  const seconds = (performance.now() - begin) / 1_000;
  const { user, system } = process.cpuUsage(cpuBegin);
  await engine.close();
  return { seconds, cpuSeconds: (user + system) / 1e6, stepMs };
}
