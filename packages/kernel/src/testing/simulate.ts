import type { EventType } from "../event.ts";
import { limits, loadProgram } from "../load.ts";
import { isEnded } from "../state/state.ts";
import { Driver, type Kernel, kernel as soundKernel } from "./driver.ts";
import { testHost } from "./host.ts";
import { Random } from "./random.ts";
import { randomCommand } from "./random-command.ts";
import { randomProgram } from "./random-program.ts";

const pathsPerProgram = 3;
const commandsPerPathMax = 60;
/** One that circles makes thousands of events a command: enough was seen of it. */
const eventsPerPathMax = 1_500;

/** What one or many seeds did. */
export interface Tally {
  programs: number;
  /** Ways that instances took through them. */
  paths: number;
  /** Commands that changed something; after each, every life of the instance was compared. */
  steps: number;
  refused: number;
  /** How often each type was emitted. */
  readonly events: Map<EventType, number>;
  /** How the instances ended up. */
  readonly ends: Map<string, number>;
}

export function newTally(): Tally {
  return { programs: 0, paths: 0, steps: 0, refused: 0, events: new Map(), ends: new Map() };
}

function count<K>(counts: Map<K, number>, what: K): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** Made as one of the process's events would make it, or by nobody, or by a call activity. */
function begin(random: Random, driver: Driver): void {
  const parent = random.chance(0.3) ? { parent: { instanceId: "above", key: 1 } } : {};
  const { processStarts, entries } = driver.program;
  const byEvent = !entries.has(null) || (processStarts.length > 0 && random.chance(0.6));
  const started = byEvent ? random.pick(processStarts).id : undefined;
  const start =
    started === undefined ? {} : { start: { element: started, payload: { n: random.below(5) }, trigger: 1 } };
  driver.create({}, { ...parent, ...start });
}

/** One instance under random commands; the driver checks after each. */
function walk(random: Random, driver: Driver, tally: Tally): void {
  begin(random, driver);
  wander(random, driver, tally);
  const { undoable } = driver.state.head;
  if (undoable === undefined || undoable.work === null) return;
  const undoing = new Driver(driver.program, driver);
  undoing.create({}, { parent: { instanceId: "above", key: 2 }, undoes: undoable });
  wander(random, undoing, tally);
}

function wander(random: Random, driver: Driver, tally: Tally): void {
  tally.paths += 1;
  tally.steps += 1;
  for (let left = commandsPerPathMax; left > 0 && driver.history.length < eventsPerPathMax; left -= 1) {
    if (driver.try(randomCommand(random, driver)) === undefined) tally.steps += 1;
    else tally.refused += 1;
    if (isEnded(driver.state) && random.chance(0.5)) break;
  }
  driver.check();
  for (const { type } of driver.history) count(tally.events, type);
  count(tally.ends, driver.status ?? "none");
}

/**
 * One random program and some random ways through it, added to `tally`. Throws what an invariant or a comparison found.
 * Another `kernel` is one with a bug planted in it.
 */
export function simulate(seed: number, tally: Tally, kernel: Kernel = soundKernel): void {
  const random = new Random(seed);
  const tangled = seed % 3 === 0;
  const activationsPerCommandMax = random.pick([1, 4, 30, limits.activationsPerCommandMax]);
  const continuationsMax = random.pick([1, 5, limits.continuationsMax]);
  const program = loadProgram(randomProgram(random, tangled), testHost, { activationsPerCommandMax, continuationsMax });
  tally.programs += 1;
  for (let left = pathsPerProgram; left > 0; left -= 1) {
    const driver = new Driver(program, { kernel });
    try {
      walk(random, driver, tally);
    } catch (error) {
      const at = `path ${pathsPerProgram - left + 1}, after ${driver.history.length} events`;
      throw new Error(`seed ${seed} fails in ${at}; repeat it with\n  ${repeatCommand(seed)}`, { cause: error });
    }
  }
}

export function repeatCommand(seed: number): string {
  return `SIM_SEED=${seed} npm run simulate:kernel`;
}
