import type { ConflictStage } from "../merge-tree.ts";

export interface FileSide {
  readonly blob: string;
  readonly mode: string;
}

export type ConflictKind =
  /** Both changed the file. */
  | "content"
  /** Both added a file of that name. */
  | "both-added"
  | "modify-delete"
  /** Not text, or too large to be treated as text. */
  | "binary"
  | "link"
  | "submodule"
  /** A file against a folder, or renames that contradict each other. */
  | "structure";

/** One path that git could not merge. A side is null where the file is not there. */
export interface FileConflict {
  readonly path: string;
  readonly kind: ConflictKind;
  readonly base: FileSide | null;
  readonly ours: FileSide | null;
  readonly theirs: FileSide | null;
  /** The mode that the merged file gets. */
  readonly mode: string;
}

/** Groups git's stages by path and names what stands against each other. Sorted by path. */
export function fileConflicts(stages: readonly ConflictStage[]): FileConflict[] {
  const byPath = new Map<string, Map<number, FileSide>>();
  for (const { path, stage, mode, blob } of stages) {
    const sides = byPath.get(path) ?? new Map<number, FileSide>();
    byPath.set(path, sides.set(stage, { mode, blob }));
  }
  return [...byPath]
    .sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([path, sides]) => {
      const [base, ours, theirs] = [sides.get(1) ?? null, sides.get(2) ?? null, sides.get(3) ?? null];
      return {
        path,
        kind: kindOf(path, [base, ours, theirs]),
        base,
        ours,
        theirs,
        mode: mergedMode(base, ours, theirs),
      };
    });
}

function kindOf(path: string, sides: readonly (FileSide | null)[]): ConflictKind {
  const modes = sides.map((side) => side?.mode);
  if (modes.includes("160000")) return "submodule";
  if (modes.includes("120000")) return "link";
  const [base, ours, theirs] = sides;
  // Git moves a file that stands in a folder's way to `<path>~<commit>`.
  if (/~[0-9a-f]{40,64}(?:_\d+)?$/.test(path)) return "structure";
  if (ours && theirs) return base ? "content" : "both-added";
  if (base && (ours || theirs)) return "modify-delete";
  return "structure";
}

function mergedMode(base: FileSide | null, ours: FileSide | null, theirs: FileSide | null): string {
  if (ours === null || theirs === null) return (ours ?? theirs ?? base)?.mode ?? "100644";
  if (ours.mode === theirs.mode || theirs.mode === base?.mode) return ours.mode;
  if (ours.mode === base?.mode) return theirs.mode;
  // Both added it, one executable: a file that may be run can also be read.
  return "100755";
}
