import type { EngineLimits } from "../embedded/limits.ts";
import { act, beforeDeployment } from "./action.ts";
import { checkEnding } from "./ending.ts";
import { JournalMedium } from "./journal-medium.ts";
import { languageWorld } from "./language-world.ts";
import { type Plant, plants } from "./plants.ts";
import { Random, seedOf } from "./random.ts";
import { explain, Session } from "./session.ts";
import { SqliteMedium } from "./sqlite-medium.ts";
import { blockWorld, type World } from "./world.ts";

export type Log = "journal" | "sqlite";

/** What the processes are made of: sound blocks with tasks, timers and calls, or anything at all that the language has. */
export type Material = "blocks" | "language";

const worlds: { readonly [M in Material]: (seed: number) => World } = { blocks: blockWorld, language: languageWorld };

export interface SimulationOptions {
  readonly seed: number;
  readonly log?: Log;
  readonly material?: Material;
  readonly plant?: Plant;
  /** Actions left out: the others stay what they were. */
  readonly skip?: ReadonlySet<number>;
  readonly trace?: (line: string) => void;
}

export interface Result {
  readonly seed: number;
  /** What was found wrong; absent when nothing was. */
  readonly violation?: string;
  readonly counts: ReadonlyMap<string, number>;
  /** How many actions there were, of those that the seed has. */
  readonly actions: number;
}

/** So many seeds in a row share their programs; half of those rows share their actions too. */
const rowSeeds: { readonly [M in Material]: number } = { blocks: 64, language: 16 };
export const actionsMax = 22;

/**
 * One seed, one history: random programs under random actions, with crashes. In every other row of seeds the actions
 * are the same and only the first crash differs: it comes at the first touch of the disk, the second, the third …, so
 * that between any two durable writes there is a crash.
 */
export async function simulate(options: SimulationOptions): Promise<Result> {
  const { seed, log = "journal", material = "blocks", plant, skip = new Set(), trace } = options;
  const row = Math.floor(seed / rowSeeds[material]);
  const sweep = row % 2 === 0;
  const source = sweep ? seedOf(row, 1) : seedOf(seed, 2);
  const planted = plant === undefined ? undefined : plants[plant];
  const medium =
    log === "journal" ? new JournalMedium() : new SqliteMedium({ loseSynced: planted?.loseSynced ?? false });
  const random = new Random(seedOf(seed, 3));
  planted?.disk?.(medium);
  const session = new Session({
    medium,
    world: worldOf(material, row),
    limits: limitsOf(new Random(seedOf(seed, 4))),
    shim: planted ?? {},
    random,
    trace,
  });
  let index = 0;
  try {
    if (sweep) session.life.expect({ at: "disk:", left: seed % rowSeeds[material] });
    for (; index < actionsMax && session.ledger.violation === undefined; index++) {
      if (!skip.has(index)) await step(session, new Random(seedOf(source, 10 + index)), index);
    }
    if (session.ledger.violation === undefined) await checkEnding(session);
  } catch (error) {
    session.ledger.check(false, () => `the simulation itself ended: ${explain(error)}`);
  } finally {
    medium.dispose();
  }
  const { violation } = session.ledger;
  session.count("schedules");
  session.count("log rows", session.ledger.rows.length);
  return { seed, counts: session.counts, actions: index, ...(violation === undefined ? {} : { violation }) };
}

async function step(session: Session, random: Random, index: number): Promise<void> {
  await session.ensureOpen();
  if (session.ledger.violation !== undefined) return;
  if (session.refused && random.chance(0.5)) {
    session.refused = false;
    await session.clock.advance(1_000);
  }
  const what = session.deployed ? await act(session, random) : await beforeDeployment(session, random);
  session.trace(() => `${index} ${what}`);
  // Without a rest in between several commands meet in one turn.
  if (!session.deployed || random.chance(0.7)) await session.settle();
  if (session.life.dead) await session.ensureOpen();
}

let last: { readonly material: Material; readonly row: number; readonly world: World } | undefined;

function worldOf(material: Material, row: number): World {
  if (last?.row !== row || last.material !== material) {
    last = { material, row, world: worlds[material](seedOf(row, 0)) };
  }
  return last.world;
}

/** Small bounds, so that small worlds reach them: eviction, snapshots, short turns, timers left in their table. */
function limitsOf(random: Random): Partial<EngineLimits> {
  return {
    ...(random.chance(0.4) ? { snapshotEventsMin: 1 + random.below(30) } : {}),
    ...(random.chance(0.4) ? { recordsInMemoryMax: random.below(20) } : {}),
    ...(random.chance(0.3) ? { commandsPerTurnMax: 1 + random.below(3) } : {}),
    ...(random.chance(0.4) ? { nearTimersMax: 1 + random.below(3) } : {}),
    ...(random.chance(0.4) ? { recentRowsMax: 1 + random.below(4) } : {}),
    abortGraceMs: random.pick([100, 5_000]),
  };
}
