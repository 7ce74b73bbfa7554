import type { Change, Store } from "../embedded/store.ts";
import type { Engine } from "../port.ts";
import { JournalMedium } from "./journal-medium.ts";
import type { Medium } from "./medium.ts";
import type { Shim } from "./session.ts";

/** A bug put in on purpose, to see that the simulation would find one like it. */
export interface Planted extends Shim {
  /** Changes the journal's disk. */
  readonly disk?: (medium: Medium) => void;
  /** SQLite's files forget the newest answered commit in a crash. */
  readonly loseSynced?: boolean;
}

export type Plant =
  | "lost-sync"
  | "double-dispatch"
  | "forgotten-outbox"
  | "torn-row-accepted"
  | "half-turn"
  | "reused-token"
  | "stale-load"
  | "unordered-snapshot"
  | "forgotten-receipt"
  | "forgotten-subscription"
  | "forgotten-figures";

export const plants: { readonly [P in Plant]: Planted } = {
  // The disk, or whoever should have called it, says "synced" and has not synced.
  "lost-sync": {
    loseSynced: true,
    disk: (medium) => {
      if (medium instanceof JournalMedium) medium.disk.sync = () => undefined;
    },
  },
  "double-dispatch": {
    engine: (engine) => {
      const work: Engine["work"] = (jobType, handler, options) => {
        let jobs = 0;
        const twice: typeof handler = (job, context) => {
          jobs++;
          if (jobs % 5 === 0) handler(job, context).catch(() => undefined);
          return handler(job, context);
        };
        return engine.work(jobType, twice, options);
      };
      return new Proxy(engine, { get: (target, name) => (name === "work" ? work : methodOf(target, name)) });
    },
  },
  "forgotten-outbox": {
    store: (store, random) => ({
      ...store,
      commit: (turn) => {
        const forget = random().chance(0.5);
        const changes = turn.changes.filter((change) => !(forget && change.type === "outbox-put"));
        return store.commit(forget ? { rows: turn.rows, changes } : turn);
      },
    }),
  },
  // What a crash tore off is read back as far as it goes.
  "torn-row-accepted": {
    disk: (medium) => {
      if (medium instanceof JournalMedium) medium.disk.acceptsTorn = true;
    },
  },
  // Rows and the tables that go with them are written apart, and the second does not always follow.
  "half-turn": {
    store: (store, random) => ({
      ...store,
      commit: async (turn) => {
        const torn = random().chance(0.1) && turn.changes.every(({ type }) => type !== "instance-put");
        await store.commit(torn ? { rows: turn.rows, changes: [] } : turn);
      },
    }),
  },
  "reused-token": { store: (store) => ({ ...store, claimEpoch: async () => Math.min(1, await store.claimEpoch()) }) },
  // After a restart the newest command of an instance is missing from what is loaded.
  "stale-load": {
    store: (store) => ({
      ...store,
      find: async (wanted) => {
        const { instances, requests } = await store.find(wanted);
        return { requests, instances: instances.map((each) => ({ ...each, rows: withoutLast(each.rows) })) };
      },
    }),
  },
  // Who has had a message is not written down.
  "forgotten-receipt": { store: (store) => changing(store, (change) => withoutReceivers(change)) },
  "forgotten-subscription": {
    store: (store, random) =>
      changing(store, (change) => (change.type === "subscription-put" && random().chance(0.2) ? [] : [change])),
  },
  "forgotten-figures": {
    store: (store, random) =>
      changing(store, (change) => (change.type === "figures-put" && random().chance(0.2) ? [] : [change])),
  },
  "unordered-snapshot": {
    store: (store) => ({
      ...store,
      commit: (turn) =>
        store.commit({
          rows: turn.rows,
          changes: turn.changes.map((change) =>
            change.type === "snapshot-put" ? { ...change, position: change.position - 1 } : change,
          ),
        }),
    }),
  },
};

function changing(store: Store, replace: (change: Change) => readonly Change[]): Store {
  return { ...store, commit: ({ rows, changes }) => store.commit({ rows, changes: changes.flatMap(replace) }) };
}

function withoutReceivers(change: Change): readonly Change[] {
  if (change.type === "message-received") return [];
  return change.type === "message-put" ? [{ ...change, message: { ...change.message, receivers: [] } }] : [change];
}

function withoutLast<T>(rows: readonly T[]): readonly T[] {
  return rows.length > 2 ? rows.slice(0, -1) : rows;
}

/** The engine keeps its own `this`: it has private fields. */
function methodOf(target: Engine, name: string | symbol): unknown {
  const value = Reflect.get(target, name) as unknown;
  return typeof value === "function" ? (value.bind(target) as unknown) : value;
}
