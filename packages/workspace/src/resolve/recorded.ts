import { git, gitText } from "../git.ts";
import { digest } from "../name.ts";
import { commitTree, writeBlob } from "../objects.ts";
import { type Repository, readRef, runRef, setRef } from "../repository.ts";
import type { FileConflict } from "./file-conflict.ts";

/** How one conflicted path was settled. */
export interface Resolution {
  readonly path: string;
  /** `json`, `list`, `regenerate`, `agent` or `person`. */
  readonly rule: string;
  /** True when an earlier merge of the same three blobs had settled it. */
  readonly recorded: boolean;
  /** Null where the file is not there. */
  readonly base: string | null;
  readonly ours: string | null;
  readonly theirs: string | null;
  /** What the file became; null: it was deleted. */
  readonly blob: string | null;
  readonly mode: string;
  /** One sentence, or what the agent or person said. */
  readonly note: string;
  /** Lines that a side had added and the file does not have; only an agent or person may leave any out. */
  readonly leftOut: readonly string[];
}

type Settled = Pick<Resolution, "rule" | "blob" | "note" | "leftOut">;

interface ThreeBlobs {
  readonly base: string | null;
  readonly ours: string | null;
  readonly theirs: string | null;
}

/**
 * Resolutions are remembered by the three blobs, whichever side was ours, as commits under
 * `refs/tutti/<run>/resolutions/`: they travel and live with the run. Each says when it was recorded (`at`, epoch ms),
 * for a run that is forked from an earlier moment goes without those that came later.
 */
function resolutionRef(run: string, { base, ours, theirs }: ThreeBlobs): string {
  const key = [base ?? "", ...[ours ?? "", theirs ?? ""].sort()].join("\n");
  return runRef(run, "resolutions", digest(key).slice(0, 40));
}

function blobsOf(conflict: FileConflict): ThreeBlobs {
  return {
    base: conflict.base?.blob ?? null,
    ours: conflict.ours?.blob ?? null,
    theirs: conflict.theirs?.blob ?? null,
  };
}

/** What an earlier merge made of the same blobs, or undefined. */
export async function findResolution(
  repository: Repository,
  run: string,
  conflict: FileConflict,
): Promise<Resolution | undefined> {
  const commit = await readRef(repository, resolutionRef(run, blobsOf(conflict)));
  if (commit === undefined) return undefined;
  const message = await gitText(["show", "-s", "--format=%B", commit, "--"], repository);
  return { ...settle(conflict, JSON.parse(message) as Settled), recorded: true };
}

/** Remembers a resolution. The first one stands: a second for the same blobs gives the first. */
export async function recordResolution(
  repository: Repository,
  run: string,
  entry: { readonly conflict: FileConflict; readonly settled: Settled },
): Promise<Resolution> {
  const { conflict, settled } = entry;
  const lines = settled.blob === null ? "" : `100644 blob ${settled.blob}\tresolution\n`;
  const { stdout } = await git(["mktree"], { gitDir: repository.gitDir, stdin: lines });
  const { rule, blob, note, leftOut } = settled;
  const commit = await commitTree(repository, {
    tree: stdout.toString("utf8").trim(),
    parents: [],
    message: JSON.stringify({ rule, blob, note, leftOut, at: Date.now() } satisfies Settled & { readonly at: number }),
    identity: { name: "Tutti", email: "tutti@tutti.invalid", at: 0 },
  });
  const ref = resolutionRef(run, blobsOf(conflict));
  if (await setRef(repository, ref, { commit, expected: null })) return settle(conflict, settled);
  return (await findResolution(repository, run, conflict)) ?? settle(conflict, settled);
}

function settle(conflict: FileConflict, settled: Settled): Resolution {
  const { rule, blob, note, leftOut } = settled;
  return {
    path: conflict.path,
    rule,
    recorded: false,
    ...blobsOf(conflict),
    blob,
    mode: conflict.mode,
    note,
    leftOut,
  };
}

/** What a person decided about a parked conflict; the next merge takes it. It replaces what was remembered before. */
export async function resolveByPerson(
  repository: Repository,
  run: string,
  decision: {
    readonly conflict: FileConflict;
    /** Null deletes the file. */
    readonly content: string | Uint8Array | null;
    readonly note: string;
  },
): Promise<Resolution> {
  const { conflict, content, note } = decision;
  await forgetResolution(repository, run, blobsOf(conflict));
  const blob = content === null ? null : await writeBlob(repository, content);
  return recordResolution(repository, run, { conflict, settled: { rule: "person", blob, note, leftOut: [] } });
}

/** Forgets a resolution, for example one whose result failed its checks: the next merge climbs the ladder anew. */
export async function forgetResolution(
  repository: Repository,
  run: string,
  resolution: Pick<Resolution, "base" | "ours" | "theirs">,
): Promise<void> {
  await git(["update-ref", "-d", resolutionRef(run, resolution)], { gitDir: repository.gitDir });
}
