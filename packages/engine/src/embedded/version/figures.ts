import { addFigures, type FiguresChange, must, noVersionFigures, type VersionFigures } from "@tutti/kernel";
import type { InstanceNumber, InstanceRecord, StoredFigures } from "../store.ts";
import type { InTurn } from "../turn/scope.ts";

/** What one command changed of how a version fares. */
export interface Counted {
  readonly number: InstanceNumber;
  readonly process: string;
  readonly version: string;
  readonly hash: string;
  readonly change: FiguresChange;
}

const ends: { readonly [status in InstanceRecord["status"]]?: "completed" | "failed" | "cancelled" } = {
  completed: "completed",
  failed: "failed",
  cancelled: "cancelled",
};

/** `before` is the record as it was. Nearly every command changes nothing. */
export function countedOf(
  record: InstanceRecord,
  before: { readonly isNew: boolean; readonly incidents: number },
): Counted | undefined {
  const { number, process, version, hash, status, startedAt, endedAt } = record;
  const incidents = record.incidents - before.incidents;
  if (!before.isNew && endedAt === null && incidents === 0) return undefined;
  const end = endedAt === null ? undefined : ends[status];
  const started = before.isNew ? 1 : 0;
  const change: FiguresChange = {
    started,
    running: started - (endedAt === null ? 0 : 1),
    incidents,
    completed: end === "completed" ? 1 : 0,
    failed: end === "failed" ? 1 : 0,
    cancelled: end === "cancelled" ? 1 : 0,
  };
  const took = end === "completed" && endedAt !== null;
  return { number, process, version, hash, change: took ? { ...change, durationMs: endedAt - startedAt } : change };
}

/** It has come back from another engine, with its open incidents. */
export function countedReturn({ number, process, version, hash, incidents }: InstanceRecord): Counted {
  return { number, process, version, hash, change: { running: 1, incidents } };
}

/** It is of another version now, with its open incidents. */
export function countedMove(record: InstanceRecord, before: InstanceRecord): Counted[] {
  const { number, process, version, hash, incidents } = record;
  const change = { running: -1, incidents: -incidents };
  return [
    { number, process: before.process, version: before.version, hash: before.hash, change },
    { number, process, version, hash, change: { running: 1, incidents } },
  ];
}

/** How every version fares, as the log has it: kept beside it, and changed with it. */
export class Figures {
  readonly #all: Map<string, VersionFigures> = new Map();

  reset(stored: readonly StoredFigures[]): void {
    this.#all.clear();
    for (const { hash, figures } of stored) this.#all.set(hash, figures);
  }

  of(hash: string): VersionFigures {
    return this.#all.get(hash) ?? noVersionFigures;
  }

  set(hash: string, figures: VersionFigures): void {
    this.#all.set(hash, figures);
  }
}

/** The figures of each version after what was counted, as changes of the tables. */
export function summedFigures(
  counted: readonly Counted[],
  before: (hash: string) => VersionFigures | undefined,
): (StoredFigures & { readonly type: "figures-put" })[] {
  return [...Map.groupBy(counted, ({ hash }) => hash)].map(([hash, all]) => {
    const changes = all.map(({ change }) => change);
    const figures = addFigures(before(hash) ?? noVersionFigures, changes);
    return { type: "figures-put", hash, process: must(all[0], "a group is not empty").process, figures };
  });
}

/** Writes down what the turn did to the figures of each version. */
export function settleFigures({ scope, draft }: InTurn): void {
  for (const put of summedFigures(draft.counted, (hash) => scope.figures.of(hash))) {
    draft.changes.push(put);
    draft.answers.push(() => scope.figures.set(put.hash, put.figures));
  }
}
