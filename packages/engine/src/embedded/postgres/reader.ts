import { lists, type Query } from "../sql/list.ts";
import type { StoreReader } from "../store.ts";
import { explain, openPool, type Place, placeOf } from "./connect.ts";
import { rollouts, schedules } from "./coordination.ts";
import { requireSchema } from "./migrate.ts";
import { deployments, find, program, rows, slots } from "./read.ts";
import { ask, type Connection, numberedPlaces } from "./session.ts";

/** Runs a read, and says in our words what goes wrong. */
export type Run = <T>(work: () => Promise<T>) => Promise<T>;

/** Reads a store that another process may own, and writes nothing. Rejects with `database-missing` where none is. */
export async function openPostgresReader(url: string): Promise<StoreReader> {
  const place = placeOf(url);
  const pool = await openPool(place);
  const run = runOn(place);
  try {
    await run(() => requireSchema(pool, place));
  } catch (error) {
    await pool.end();
    throw error;
  }
  return readerOf(pool, run, () => pool.end());
}

function runOn(place: Place): Run {
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      throw explain(error, place);
    }
  };
}

export function readerOf(on: Connection, run: Run, close: () => Promise<void>): StoreReader {
  const list = <T>(query: () => Query<T>): Promise<T> =>
    run(async () => {
      const { text, values, read } = query();
      return read(await ask(on, { text: numberedPlaces(text), values }));
    });
  return {
    find: (wanted) => run(() => find(on, wanted)),
    rows: (request) => run(() => rows(on, request)),
    program: (hash) => run(() => program(on, hash)),
    listInstances: (filter, page) => list(() => lists.instances(filter, page)),
    listJobs: (filter, page) => list(() => lists.jobs(filter, page)),
    listTasks: (filter, page) => list(() => lists.tasks(filter, page)),
    listIncidents: (filter, page) => list(() => lists.incidents(filter, page)),
    listSubscriptions: (filter, page) => list(() => lists.subscriptions(filter, page)),
    listMessages: (filter, page) => list(() => lists.messages(filter, page)),
    listRefusals: (filter, page) => list(() => lists.refusals(filter, page)),
    versionFigures: (process) => list(() => lists.versionFigures(process)),
    rollouts: () => run(() => rollouts(on)),
    schedules: () => run(() => schedules(on)),
    deployments: () => run(() => deployments(on)),
    slots: () => run(() => slots(on)),
    close,
  };
}
