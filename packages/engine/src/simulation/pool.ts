import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Log, type Material, simulate } from "./simulate.ts";

export interface Batch {
  readonly from: number;
  readonly seeds: number;
  readonly log: Log;
  readonly material?: Material;
}

export interface Totals {
  /** How many seeds ran: fewer than asked for after too many failures or an abort. */
  readonly ran: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly failures: readonly { readonly seed: number; readonly violation: string }[];
  readonly elapsedMs: number;
}

export interface Watch {
  /** Hands out no more seeds; those under way still count. */
  readonly signal?: AbortSignal;
  progress?(ran: number, failures: Totals["failures"]): void;
}

interface Part {
  readonly counts: ReadonlyMap<string, number>;
  readonly failures: readonly { readonly seed: number; readonly violation: string }[];
}

const failuresMax = 5;
/** Seeds handed out at once: a few rows of seeds, so that a world is made once and nobody waits long at the end. */
const partSeeds = 256;
const mark = "tutti-simulation";

async function runPart({ from, seeds, ...options }: Batch): Promise<Part> {
  const counts = new Map<string, number>();
  const failures: { seed: number; violation: string }[] = [];
  for (let seed = from; seed < from + seeds && failures.length < failuresMax; seed++) {
    const result = await simulate({ seed, ...options });
    add(counts, result.counts);
    if (result.violation !== undefined) failures.push({ seed, violation: result.violation });
  }
  return { counts, failures };
}

function add(into: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [what, count] of counts) into.set(what, (into.get(what) ?? 0) + count);
}

/** Runs the seeds on all cores; stops handing out more once some have failed. */
export async function runSeeds({ from, seeds, ...options }: Batch, watch: Watch = {}): Promise<Totals> {
  const started = performance.now();
  const counts = new Map<string, number>();
  const failures: { seed: number; violation: string }[] = [];
  let next = from;
  let ran = 0;
  const end = from + seeds;
  const size = options.log === "journal" ? partSeeds : 16;
  const take = (): Batch | undefined => {
    if (next >= end || failures.length >= failuresMax || watch.signal?.aborted) return undefined;
    const part = { from: next, seeds: Math.min(size, end - next), ...options };
    next += part.seeds;
    return part;
  };
  const cores = Math.min(availableParallelism(), Math.ceil(seeds / size));
  await Promise.all(
    Array.from({ length: cores }, () =>
      employ(take, (part, seedsOfPart) => {
        add(counts, part.counts);
        failures.push(...part.failures);
        ran += seedsOfPart;
        watch.progress?.(ran, failures);
      }),
    ),
  );
  failures.sort((a, b) => a.seed - b.seed);
  return { ran, counts, failures, elapsedMs: performance.now() - started };
}

function employ(take: () => Batch | undefined, took: (part: Part, seeds: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(import.meta.filename, {
      workerData: mark,
      execArgv: ["--conditions=@tutti/source"],
      // Vitest's own hooks do not belong there.
      env: {},
    });
    let current: Batch | undefined;
    const give = (): void => {
      current = take();
      if (current !== undefined) worker.postMessage(current);
      else worker.terminate().then(() => resolve(), reject);
    };
    worker.on("message", (part: Part) => {
      took(part, current?.seeds ?? 0);
      give();
    });
    worker.on("error", reject);
    give();
  });
}

if (!isMainThread && workerData === mark) {
  const port = parentPort;
  port?.on("message", (batch: Batch) => {
    runPart(batch).then(
      (part) => port.postMessage(part),
      (error: unknown) => {
        throw error;
      },
    );
  });
}
