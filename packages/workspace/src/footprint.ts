import type { Change } from "./objects.ts";

/** What a set of changes touches, as far as it can meet another set. */
export interface Footprint {
  readonly paths: ReadonlySet<string>;
  /** Every folder above one of the paths: a file there that the other makes is a clash. */
  readonly folders: ReadonlySet<string>;
  readonly adds: boolean;
  /** It has deleted and added files, so it may have moved some, or a whole folder. */
  readonly moves: boolean;
}

export function footprintOf(changes: readonly Change[]): Footprint {
  const paths = new Set(changes.map(({ path }) => path));
  const folders = new Set<string>();
  for (const path of paths) {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) folders.add(path.slice(0, at));
  }
  const adds = changes.some(({ status }) => status === "added");
  const moves = adds && changes.some(({ status }) => status === "deleted");
  return { paths, folders, adds, moves };
}

/**
 * Two sets of changes can only conflict where both touched the same path, where one's file is the other's folder, or
 * where one moved files and the other added some (it may have moved their folder).
 */
export function canMeet(x: Footprint, y: Footprint): boolean {
  if ((x.moves && y.adds) || (y.moves && x.adds)) return true;
  const [small, large] = x.paths.size <= y.paths.size ? [x, y] : [y, x];
  for (const path of small.paths) if (large.paths.has(path) || large.folders.has(path)) return true;
  for (const path of large.paths) if (small.folders.has(path)) return true;
  return false;
}
