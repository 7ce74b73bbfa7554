import { join } from "node:path";
import { createWorkspace, listWorkspaces, type Repository, removeWorkspace, type Workspace } from "@tutti/workspace";
import type { FeatureDeps } from "./deps.ts";
import type { Running } from "./job.ts";

export interface WorkspaceRequest {
  readonly repository: Repository;
  readonly run: string;
  readonly unit: string;
  readonly attempt: number;
  /** Tells apart what one lease makes for the same unit and attempt. */
  readonly purpose: string;
  readonly commit: string;
}

/** A workspace and the folder beside its tree for HOME, temporary files and artifacts; both go together. */
export interface Bench extends Workspace {
  readonly scratch: string;
}

/** Makes a workspace for one use under this lease, and removes it however the use ends. */
export async function withWorkspace<T>(
  { deps, at, request }: { deps: FeatureDeps; at: Running; request: WorkspaceRequest },
  use: (workspace: Bench) => Promise<T>,
): Promise<T> {
  const { repository, run, unit, attempt, purpose, commit } = request;
  const token = `${at.token}-${purpose}`;
  try {
    const key = { run, unit, attempt, token };
    const place = { stateDir: deps.stateDir, base: commit, signal: at.signal };
    const workspace = await createWorkspace(repository, { ...key, ...place });
    return await use({ ...workspace, scratch: join(workspace.folder, "scratch") });
  } finally {
    // Found by its token, so that one which an abort left half-made goes too.
    await removeOwn(deps, { run, token }).catch((error: unknown) => {
      // The next start sweeps it away; the result of the work must not hang on it.
      deps.log(`a workspace of ${unit} could not be removed: ${error instanceof Error ? error.message : error}`);
    });
  }
}

async function removeOwn(deps: FeatureDeps, own: { run: string; token: string }): Promise<void> {
  const entries = await listWorkspaces(deps.stateDir, own.run);
  for (const entry of entries.filter(({ token }) => token === own.token)) await removeWorkspace(entry);
}
