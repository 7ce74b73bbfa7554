import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { must } from "@tutti/kernel";
import { canMeet, type Footprint, footprintOf } from "./footprint.ts";
import { git, objectId } from "./git.ts";
import { mergeTrees } from "./merge-tree.ts";
import { parseRawChanges } from "./objects.ts";
import type { Repository } from "./repository.ts";

/** Two commits that do not merge by themselves; `a` sorts before `b`. */
export interface ConflictPair {
  readonly a: string;
  readonly b: string;
  /** Sorted. */
  readonly paths: readonly string[];
}

/** Which captured commits conflict with which, measured. Grows one commit at a time; not for concurrent calls. */
export interface ConflictMatrix {
  /** Measures a commit against all others, and gives the pairs it is part of. A known key is measured anew. */
  add(key: string, commit: string): Promise<readonly ConflictPair[]>;
  /** The same for many at once, in fewer processes. */
  addAll(entries: ReadonlyMap<string, string>): Promise<void>;
  remove(key: string): void;
  /** All conflicting pairs, sorted. */
  pairs(): readonly ConflictPair[];
  /** How many pairs were really merged so far; the others share nothing. */
  readonly merged: number;
}

interface Measured {
  readonly commit: string;
  readonly footprint: Footprint;
}

const processes = 2;

/** Only pairs whose footprints can meet are merged; see `canMeet` for why that loses nothing. */
export function createConflictMatrix(repository: Repository, options: { readonly base: string }): ConflictMatrix {
  const base = objectId(options.base);
  const known = new Map<string, Measured>();
  const found = new Map<string, ConflictPair>();
  let merged = 0;

  async function measure(pairs: readonly (readonly [string, string])[]): Promise<void> {
    if (pairs.length === 0) return;
    // Trial merges write objects that nobody needs: they go where they can be thrown away.
    const scratch = await mkdtemp(join(repository.gitDir, "trial-"));
    try {
      const parts = pairs.length < 32 ? [pairs] : slices(pairs, processes);
      await Promise.all(parts.map((part) => measurePart(part, scratch)));
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    merged += pairs.length;
  }

  async function measurePart(pairs: readonly (readonly [string, string])[], scratch: string): Promise<void> {
    const commitOf = (key: string): string => must(known.get(key), `no footprint for ${key}`).commit;
    const results = await mergeTrees(
      { gitDir: repository.gitDir, scratchObjects: scratch },
      pairs.map(([a, b]) => [commitOf(a), commitOf(b)] as const),
    );
    for (const [i, result] of results.entries()) {
      const [a, b] = must(pairs[i], "a result without a pair");
      if (result.clean) continue;
      found.set(pairName(a, b), { a, b, paths: [...new Set(result.stages.map(({ path }) => path))].sort() });
    }
  }

  function remove(key: string): void {
    known.delete(key);
    for (const [name, pair] of found) if (pair.a === key || pair.b === key) found.delete(name);
  }

  async function addAll(entries: ReadonlyMap<string, string>): Promise<void> {
    const read = await Promise.all(
      [...entries].map(async ([key, commit]) => [key, await measureFootprint(repository, { base, commit })] as const),
    );
    const pairs: (readonly [string, string])[] = [];
    for (const [key, mine] of read) {
      remove(key);
      for (const [other, theirs] of known)
        if (canMeet(mine.footprint, theirs.footprint)) pairs.push(ordered(key, other));
      known.set(key, mine);
    }
    await measure(pairs);
  }

  return {
    addAll,
    remove,
    async add(key, commit) {
      await addAll(new Map([[key, commit]]));
      return this.pairs().filter(({ a, b }) => a === key || b === key);
    },
    pairs: () => [...found.values()].sort((x, y) => compare(x.a, y.a) || compare(x.b, y.b)),
    get merged() {
      return merged;
    },
  };
}

/**
 * Everything that any commit between the base and this one touched, not only the difference at the end: what was
 * changed and changed back still meets another's change of it.
 */
async function measureFootprint(repository: Repository, range: { base: string; commit: string }): Promise<Measured> {
  const args = [
    "log",
    "-m",
    "--format=",
    "--raw",
    "--no-abbrev",
    "--no-renames",
    "-z",
    objectId(range.commit),
    `^${range.base}`,
  ];
  const { stdout } = await git([...args, "--"], { gitDir: repository.gitDir });
  const tokens = stdout
    .toString("utf8")
    .split("\0")
    .filter((token) => token !== "");
  return { commit: objectId(range.commit), footprint: footprintOf(parseRawChanges(tokens)) };
}

function slices<T>(items: readonly T[], count: number): T[][] {
  const size = Math.ceil(items.length / count);
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size)).filter(
    ({ length }) => length > 0,
  );
}

const pairName = (a: string, b: string): string => `${a}\0${b}`;
const ordered = (x: string, y: string): readonly [string, string] => (compare(x, y) < 0 ? [x, y] : [y, x]);
const compare = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
