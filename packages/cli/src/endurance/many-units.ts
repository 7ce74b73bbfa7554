import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "@tutti/engine";
import { historySizes, startTemporalServer, type TemporalServer } from "@tutti/engine/testing/temporal";
import { loadFeaturePrograms } from "@tutti/feature";
import type { Job, JsonObject } from "@tutti/kernel";
import { openTemporal } from "../engines/open-temporal.ts";
import { ensureFolder, stateFolder } from "../state.ts";

/*
 * The flagship's own processes on Temporal, put together as the command does it, with agents and git that are quick and
 * always right: what is left is what the engine keeps of a feature of so many units.
 */

const unitsAtOnce = 50;
const batchMax = 50;
const pageRows = 1_000;

/** The histories of all instances of one process. */
export interface Kept {
  readonly process: string;
  instances: number;
  /** Executions of all of them: more than instances where some went on anew. */
  executions: number;
  /** Of the longest and of the largest execution. */
  eventsMax: number;
  bytesMax: number;
}

export interface Feature {
  /** Ids of the units that are in the result. */
  readonly landed: readonly string[];
  /** Jobs that were given more than once. */
  readonly again: readonly string[];
  readonly kept: readonly Kept[];
}

export interface FeatureWanted {
  readonly units: number;
  /** So many have been done. */
  readonly reached?: (units: number) => void;
}

/** Takes a feature of so many units from its plan to its end, on a server and in a folder of its own. */
export async function developFeature(wanted: FeatureWanted): Promise<Feature> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-units-"));
  const server = await startTemporalServer();
  try {
    const namespace = server.namespace();
    const state = stateFolder(folder, {}, "/");
    ensureFolder(state.path);
    const place = { address: server.address, namespace, taskQueue: "units" };
    const { engine, close } = await openTemporal({ state, place, places: ["repository"], log: silent });
    try {
      const again = await develop(engine, wanted);
      const { outcome } = await engine.instance(instanceId);
      const result = (outcome as { readonly result?: { readonly published?: { readonly landed?: string[] } } }).result;
      return { landed: result?.published?.landed ?? [], again, kept: await keptBy(server, { namespace, engine }) };
    } finally {
      await close(0);
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const instanceId = "many";

type Work = (input: JsonObject) => JsonObject;

/** What each step of the flagship brings. */
function steps(units: number): { readonly [jobType: string]: Work } {
  return {
    "feature.plan": () => ({ plan: planOf(units), findings: [], planning: null }),
    "unit.base": () => ({ base: "base", usage: {}, bundles: [] }),
    "unit.apply": () => ({ commit: "commit", applied: { failure: null, summary: "done" }, usage: {}, bundles: [] }),
    "unit.test": () => ({ tested: { passed: true, results: [] } }),
    "unit.finish": ({ unit }) => ({ result: { unit: (unit as JsonObject)["id"] ?? null, commit: "commit" } }),
    "merge.order": ({ units: done, state }) => {
      const landed = ((state as JsonObject)["landed"] ?? []) as string[];
      const waiting = Object.keys(done as JsonObject).filter((id) => !landed.includes(id));
      return { state: { ...(state as JsonObject), landed, batch: waiting.slice(0, batchMax) } };
    },
    "merge.land": ({ state }) => ({ state: state ?? {}, trouble: null }),
    "merge.verify": () => ({ verdict: { passed: true } }),
    "merge.keep": ({ state }) => {
      const { landed, batch } = state as { readonly landed: string[]; readonly batch: string[] };
      const lists = { resolutions: [], verifications: [], usage: {}, setAside: [] };
      return { state: { ...(state as JsonObject), ...lists, tip: "tip", landed: [...landed, ...batch], batch: [] } };
    },
    "feature.publish": ({ merged }) => ({ published: { landed: (merged as JsonObject)["landed"] ?? [] } }),
  };
}

/** Each builds on the one ten before it. */
function planOf(count: number): JsonObject {
  const unit = (index: number): JsonObject => ({
    ...{ id: unitId(index), title: `Unit ${index}`, dependsOn: index < 10 ? [] : [unitId(index - 10)] },
    ...{ locks: [], resource: "light", priority: 3, verify: [] },
  });
  return { requirements: [], prepare: [], regenerate: [], units: Array.from({ length: count }, (_, at) => unit(at)) };
}

export function unitId(index: number): string {
  return `unit-${index}`;
}

/** Gives the jobs that were given more than once. */
async function develop(engine: Engine, { units, reached }: FeatureWanted): Promise<readonly string[]> {
  const given: Job[] = [];
  let finished = 0;
  for (const [jobType, work] of Object.entries(steps(units))) {
    engine.work(jobType, async (job) => {
      given.push(job);
      if (jobType === "unit.finish") reached?.(++finished);
      return { type: "completed", result: work(job.input) };
    });
  }
  for (const queue of ["light", "standard"] as const) await engine.adjustQueue(queue, unitsAtOnce);
  await engine.deploy(await loadFeaturePrograms());
  const tries = { rounds: 3, attempts: 3, repairs: 3 };
  const options = { ...tries, approve: false, maxParallel: unitsAtOnce, partial: "park", threshold: 1 };
  const variables = { feature: "Many things", context: { run: instanceId, options }, planned: null };
  await engine.start({ requestId: instanceId, instanceId, process: "feature", variables, actor: "tester" });
  for await (const { event, instanceId: id } of engine.history({ rootId: instanceId, follow: true })) {
    if (event.type === "incident-created") throw new Error(`an incident: ${JSON.stringify(event)}`);
    if (id === instanceId && (event.type === "instance-completed" || event.type === "instance-failed")) break;
  }
  const times = Map.groupBy(given, ({ id }) => id);
  return [...times].flatMap(([id, jobs]) => (jobs.length > 1 ? [id] : []));
}

async function keptBy(
  server: TemporalServer,
  { namespace, engine }: { readonly namespace: string; readonly engine: Engine },
): Promise<readonly Kept[]> {
  const kept = new Map<string, Kept>();
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await engine.query("instances", {}, { limit: pageRows, ...(after === undefined ? {} : { after }) });
    for (const { process, instanceId: id } of page.rows) {
      const own = kept.get(process) ?? { process, instances: 0, executions: 0, eventsMax: 0, bytesMax: 0 };
      const sizes = await historySizes(server, { namespace, instanceId: id });
      own.instances++;
      own.executions += sizes.length;
      own.eventsMax = Math.max(own.eventsMax, ...sizes.map(({ events }) => events));
      own.bytesMax = Math.max(own.bytesMax, ...sizes.map(({ bytes }) => bytes));
      kept.set(process, own);
    }
    after = page.next;
  }
  return [...kept.values()];
}

export function keptLine({ process, instances, executions, eventsMax, bytesMax }: Kept): string {
  const most = `at most ${eventsMax} events and ${Math.ceil(bytesMax / 1024)} KiB each`;
  return `${process}: ${instances} instances in ${executions} executions of ${most}`;
}
