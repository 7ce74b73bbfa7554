import { testHost } from "@tutti/kernel/testing";
import { FakeClock } from "../testing/fake-clock.ts";
import { openTemporalHouse } from "../testing/temporal-house.ts";
import { Book } from "./book.ts";
import { follow, type Ground } from "./follow.ts";
import { Hands } from "./hands.ts";
import { epoch, type Path, walk } from "./path.ts";

/** Paths that are under way at once: each holds some jobs, which give a sign of life every second. */
const pathsAtOnce = 24;
const patienceMs = 60_000;

/** Histories stay in the server's memory: after so many paths another one begins. */
const pathsPerServer = 1_000;

export interface Totals {
  paths: number;
  steps: number;
  events: number;
  instances: number;
  /** Instances that went on in a new execution. */
  anew: number;
  /** How often each kind of step was taken. */
  readonly actions: Map<string, number>;
  /** By seed. */
  readonly differences: Map<number, string>;
  /** Executions that a replay has go otherwise, and how. */
  readonly unlikeReplay: string[];
}

export interface Wanted {
  readonly from: number;
  readonly seeds: number;
  /** The module of the workflow, beside this one. */
  readonly module?: string;
  readonly patienceMs?: number;
  readonly differs?: (seed: number, what: string) => void;
  /** So many paths are gone. */
  readonly reached?: (paths: number) => void;
}

/** Goes the paths of some seeds on both engines, with a server and a worker of its own. */
export async function compare(wanted: Wanted): Promise<Totals> {
  const totals: Totals = {
    ...{ paths: 0, steps: 0, events: 0, instances: 0, anew: 0 },
    actions: new Map(),
    differences: new Map(),
    unlikeReplay: [],
  };
  const end = wanted.from + wanted.seeds;
  for (let from = wanted.from; from < end; from += pathsPerServer) {
    await compareSome({ ...wanted, from, seeds: Math.min(pathsPerServer, end - from) }, totals);
    wanted.reached?.(totals.paths);
  }
  return totals;
}

async function compareSome(wanted: Wanted, totals: Totals): Promise<void> {
  const house = await openTemporalHouse(`../differential/${wanted.module ?? "path-workflow.ts"}`);
  const home = house.home();
  // Nothing but instances goes by this clock, and each has its own.
  const engine = await home.open({ host: testHost, clock: new FakeClock({ now: epoch, realDefer: true }) });
  const [hands, book] = [new Hands(), new Book()];
  try {
    await hands.work(engine);
    const following = book.follow(engine);
    const ground = { engine, hands, book, client: home.workflow, patienceMs: wanted.patienceMs ?? patienceMs };
    await goAll(wanted, ground, totals);
    await engine.close({ graceMs: 0 });
    await following;
    totals.unlikeReplay.push(...(await home.replay()));
  } finally {
    await engine.close({ graceMs: 0 });
    home.remove();
    await house.close();
  }
}

async function goAll({ from, seeds, differs }: Wanted, ground: Ground, totals: Totals): Promise<void> {
  let next = from;
  const go = async (): Promise<void> => {
    while (next < from + seeds) {
      const seed = next++;
      const path = await walk(seed);
      await ground.engine.deploy(path.documents);
      const { difference, anew } = await follow(path, ground);
      count(totals, path, anew);
      if (difference === undefined) continue;
      totals.differences.set(seed, difference);
      differs?.(seed, difference);
    }
  };
  await Promise.all(Array.from({ length: pathsAtOnce }, go));
}

function count(totals: Totals, { steps, shadows }: Path, anew: number): void {
  totals.paths++;
  totals.steps += steps.length;
  totals.instances += shadows.size;
  totals.anew += anew;
  for (const { events } of shadows.values()) totals.events += events.length;
  for (const { action } of steps) totals.actions.set(action.type, (totals.actions.get(action.type) ?? 0) + 1);
}

export function summary({ paths, steps, events, instances, anew, actions, differences, unlikeReplay }: Totals): string {
  const kinds = [...actions].sort().map(([kind, times]) => `${kind} ${times}`);
  return [
    `${paths} paths of ${steps} steps (${kinds.join(", ")})`,
    `${events} events of ${instances} instances, ${anew} of them in several executions`,
    `${differences.size} differences, ${unlikeReplay.length} executions unlike their replay`,
  ].join("\n");
}
