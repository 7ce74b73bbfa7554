import { join } from "node:path";
import { type Ownership, ownFolder } from "@tutti/engine";
import { createFeatureDeps, recoverFeature, roamingHandlers } from "@tutti/feature";
import { AppError, type JobHandler } from "@tutti/kernel";
import { isCommon, namedArtifacts } from "../artifacts.ts";
import type { Context } from "../command.ts";
import { codeOf } from "../problem.ts";
import { ensureFolder } from "../state.ts";

/** Agents and checks of the runs of other machines. */
export interface FeatureWorker {
  readonly handlers: { readonly [jobType: string]: JobHandler };
  /** When nothing runs any more. */
  close(): Promise<void>;
}

const foldersMax = 1_000;

/**
 * Undefined where machines have no store of artifacts in common. Each process works in a folder of its own within the
 * state folder, which an owner may have; what one that was killed has left there is cleared away by the next.
 */
export async function openFeatureWorker({ state, out, environment }: Context): Promise<FeatureWorker | undefined> {
  const artifacts = isCommon(state) ? namedArtifacts(state, environment) : undefined;
  if (artifacts === undefined) return undefined;
  ensureFolder(state.path);
  const { folder, ownership } = takeFolder(join(state.path, "workers"));
  try {
    const log = (line: string): void => out.note(line);
    const deps = createFeatureDeps({ stateDir: folder, log, artifacts: () => artifacts.open() });
    await recoverFeature(deps);
    // Told now and not by the first job.
    await artifacts.open();
    const close = async (): Promise<void> => {
      await artifacts.close();
      ownership.release();
    };
    return { handlers: await roamingHandlers(deps), close };
  } catch (error) {
    await artifacts.close();
    ownership.release();
    throw error;
  }
}

function takeFolder(above: string): { readonly folder: string; readonly ownership: Ownership } {
  for (let number = 1; number <= foldersMax; number++) {
    const folder = join(above, String(number));
    try {
      return { folder, ownership: ownFolder(folder, { now: Date.now() }) };
    } catch (error) {
      if (codeOf(error) !== "state-owned") throw error;
    }
  }
  throw new AppError("state-owned", `Expected at most ${foldersMax} workers in ${above}, but there are as many`);
}
