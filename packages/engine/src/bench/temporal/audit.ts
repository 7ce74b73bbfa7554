import { setImmediate } from "node:timers/promises";
import type { Appended, SharedLog } from "../../embedded/shared-log.ts";
import type { Change, InstanceRecord } from "../../embedded/store.ts";

/** The same log; `see` is called with each turn of it. */
export function watched(log: SharedLog, see: (turn: Appended) => void): SharedLog {
  return {
    ...log,
    append: (wanted, decide) =>
      log.append(wanted, (standing) => {
        const turn = decide(standing);
        see(turn);
        return turn;
      }),
  };
}

/** Each row of a turn as one of its own, with its share of what changes in the tables. */
export function byRows({ rows, changes }: Appended): Appended[] {
  const share = Math.ceil(changes.length / Math.max(1, rows.length));
  return rows.map((row, index) => ({ rows: [row], changes: changes.slice(index * share, (index + 1) * share) }));
}

interface Entry {
  readonly instanceId: string;
  readonly turns: readonly Appended[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes for a hand-written workflow what Tutti wrote for one instance of the same process: the same rows and tables,
 * under its own names, and what comes while a turn is written together.
 */
export class Audit {
  readonly #log: SharedLog;
  readonly #recorded: readonly Appended[];
  readonly #numbers: Map<string, number> = new Map();
  #waiting: Entry[] = [];
  #writing = false;

  /** `recorded`: one turn for the start, and one for each step. */
  constructor(log: SharedLog, recorded: readonly Appended[]) {
    this.#log = log;
    this.#recorded = recorded;
  }

  /** The rows of one step; those of the start are with the first. */
  write(instanceId: string, step: number): Promise<void> {
    const turns = this.#recorded.slice(step === 1 ? 0 : step, step + 1);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ instanceId, turns, resolve, reject });
      if (!this.#writing) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      await setImmediate();
      const entries = this.#waiting.splice(0, 256);
      try {
        await this.#log.append({ instances: [], requestIds: [], hashes: [] }, ({ counters }) => {
          let { position } = counters;
          const renamed = entries.flatMap(({ instanceId, turns }) => {
            const number = this.#numbers.get(instanceId) ?? this.#numbers.size + 1;
            this.#numbers.set(instanceId, number);
            return turns.map((turn) => renamedTo({ instanceId, number, next: () => ++position }, turn));
          });
          return { rows: renamed.flatMap(({ rows }) => rows), changes: renamed.flatMap(({ changes }) => changes) };
        });
        for (const { resolve } of entries) resolve();
      } catch (error) {
        for (const { reject } of entries) reject(error);
      }
    }
    this.#writing = false;
  }
}

interface Name {
  readonly instanceId: string;
  readonly number: number;
  /** The next position in the log. */
  readonly next: () => number;
}

function renamedTo({ instanceId, number, next }: Name, { rows, changes }: Appended): Appended {
  const names = { instanceId, rootId: instanceId };
  const recordOf = (record: InstanceRecord): InstanceRecord => ({ ...record, ...names, number, requestId: instanceId });
  return {
    rows: rows.map((row) => ({ ...row, ...names, position: next(), instance: number })),
    // What is counted of a process is no row of the instance.
    changes: changes
      .filter(({ type }) => type !== "figures-put")
      .map((change) => {
        if ("record" in change) return { ...change, record: recordOf(change.record) };
        if (change.type === "job-put") return { ...change, job: { ...change.job, instance: number } };
        return { ...change, instance: number } as Change;
      }),
  };
}
