import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ProgramDocument } from "@tutti/kernel";
import { openMemoryStore } from "../../embedded/memory/store.ts";
import { type Appended, type SharedLog, soleLog } from "../../embedded/shared-log.ts";
import { openSqliteStore } from "../../embedded/sqlite/store.ts";
import { bundleProcessWorkflow } from "../../temporal/index.ts";
import { branches, sequence } from "../../testing/programs.ts";
import { startTemporalServer, type TemporalServer } from "../../testing/temporal-server.ts";
import { type Figure, figure, percentile, roundsOf } from "../report.ts";
import { Audit, byRows, watched } from "./audit.ts";
import { openHandWritten } from "./hand-written.ts";
import { type Contestant, openTutti } from "./tutti.ts";

const rounds = 5;
const stepsInARow = 10;
const stepsAtOnce = 100;

interface Shape {
  readonly name: string;
  readonly program: ProgramDocument;
  readonly steps: number;
  readonly atOnce: boolean;
  /** The steps are short ones: local activities. */
  readonly local: boolean;
  readonly inFlight: number;
}

/** Ten steps one after the other with 1, 16 and 64 instances under way, and a hundred at once. */
const shapes: readonly Shape[] = [true, false].flatMap((local) => {
  const kind = local ? "short" : "plain";
  const row = { program: sequence("steps", stepsInARow), steps: stepsInARow, atOnce: false, local };
  const fan = { program: branches("branches"), steps: stepsAtOnce, atOnce: true, local, inFlight: 1 };
  return [
    ...[1, 16, 64].map((inFlight) => ({ ...row, name: `temporal.10-steps.${kind}.${inFlight}`, inFlight })),
    { ...fan, name: `temporal.100-at-once.${kind}` },
  ];
});

/** Instances of a round: some seconds of them. */
function countOf({ inFlight, local, atOnce }: Shape): number {
  if (atOnce) return 10;
  if (inFlight === 1) return local ? 40 : 5;
  return inFlight * (local ? 4 : 2);
}

interface Measured {
  readonly seconds: number;
  /** Of the processor, in this process: client and worker. */
  readonly cpuSeconds: number;
  readonly latencies: readonly number[];
}

async function run(contestant: Contestant, shape: Shape): Promise<Measured> {
  const count = countOf(shape);
  const latencies: number[] = [];
  let started = 0;
  const begin = performance.now();
  const cpuBegin = process.cpuUsage();
  const lane = async (): Promise<void> => {
    while (started < count) {
      started++;
      const before = performance.now();
      await contestant.once();
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: shape.inFlight }, lane));
  const { user, system } = process.cpuUsage(cpuBegin);
  return { seconds: (performance.now() - begin) / 1_000, cpuSeconds: (user + system) / 1e6, latencies };
}

interface Arena {
  readonly server: TemporalServer;
  readonly folder: string;
  readonly bundles: { readonly tutti: { readonly code: string }; readonly handWritten: { readonly code: string } };
}

let databases = 0;

async function logOf({ folder }: Arena, record: boolean): Promise<SharedLog> {
  return soleLog(record ? openSqliteStore(join(folder, `${++databases}.sqlite`)) : await openMemoryStore());
}

/** What the log gets for one instance, each step with a turn of its own. */
async function recorded(arena: Arena, shape: Shape): Promise<readonly Appended[]> {
  const turns: Appended[] = [];
  const log = watched(await logOf(arena, false), (turn) => {
    turns.push(...byRows(turn));
  });
  const tutti = await openTutti({ ...shape, ...arena, log, slots: 1, local: false, bundle: arena.bundles.tutti });
  await tutti.once();
  await tutti.close();
  if (turns.length !== shape.steps + 1) throw new Error(`Expected a turn for each step, but got ${turns.length}.`);
  return turns;
}

/** Both in turns, so that a busy machine slows both. */
async function compare(arena: Arena, shape: Shape, record: boolean): Promise<Figure[]> {
  const { bundles, server } = arena;
  const log = await logOf(arena, record);
  const tutti = await openTutti({ ...shape, server, log, slots: 1_000, bundle: bundles.tutti });
  const auditLog = await logOf(arena, record);
  const audit = record ? new Audit(auditLog, await recorded(arena, shape)) : undefined;
  const handWritten = await openHandWritten({ ...shape, server, audit, bundle: bundles.handWritten });
  const times: { readonly ours: Measured; readonly theirs: Measured }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const [ours, theirs] = [await run(tutti, shape), await run(handWritten, shape)];
    // The first warms up.
    if (round > 0) times.push({ ours, theirs });
  }
  await handWritten.close();
  await auditLog.close();
  await tutti.close();
  return figuresOf({ shape, record }, times);
}

function figuresOf(
  { shape, record }: { readonly shape: Shape; readonly record: boolean },
  times: readonly { readonly ours: Measured; readonly theirs: Measured }[],
): Figure[] {
  const done = countOf(shape) * shape.steps;
  const name = record ? shape.name : `${shape.name}.unrecorded`;
  const median = ({ latencies }: Measured): number => percentile(latencies, 0.5);
  const each = (value: (time: (typeof times)[number]) => number) => roundsOf(times.map(value));
  const goal = record ? { goal: "<= 1.1" } : {};
  return [
    figure(
      name,
      each(({ ours }) => done / ours.seconds),
      { unit: "steps/s" },
    ),
    figure(
      `${name}.p50`,
      each(({ ours }) => median(ours)),
      { unit: "ms" },
    ),
    figure(
      `${name}.by-hand`,
      each(({ theirs }) => done / theirs.seconds),
      { unit: "steps/s" },
    ),
    figure(
      `${name}.by-hand.p50`,
      each(({ theirs }) => median(theirs)),
      { unit: "ms" },
    ),
    figure(
      `${name}.time-of-by-hand`,
      each(({ ours, theirs }) => ours.seconds / theirs.seconds),
      {
        unit: "ratio",
        ...goal,
      },
    ),
    figure(
      `${name}.cpu-of-by-hand`,
      each(({ ours, theirs }) => ours.cpuSeconds / theirs.cpuSeconds),
      { unit: "ratio" },
    ),
    figure(
      `${name}.p50-of-by-hand`,
      each(({ ours, theirs }) => median(ours) / median(theirs)),
      { unit: "ratio" },
    ),
  ];
}

function bundleOf(module: string): Promise<{ readonly code: string }> {
  const workflowsPath = fileURLToPath(new URL(`./${module}`, import.meta.url));
  return bundleProcessWorkflow({ workflowsPath, conditions: ["@tutti/source"] });
}

/** On a server of its own; `print` gets each figure as soon as it is there. With `words` only those that match. */
export async function runTemporalBenchmarks(print: (figure: Figure) => void, words: readonly string[]): Promise<void> {
  const wanted = shapes.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  if (wanted.length === 0) return;
  const folder = mkdtempSync(join(tmpdir(), "tutti-bench-temporal-"));
  const bundles = {
    tutti: await bundleOf("process-workflow.ts"),
    handWritten: await bundleOf("hand-written-workflow.ts"),
  };
  const server = await startTemporalServer();
  try {
    for (const shape of wanted) {
      for (const record of [true, false]) {
        for (const measured of await compare({ server, folder, bundles }, shape, record)) print(measured);
      }
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
