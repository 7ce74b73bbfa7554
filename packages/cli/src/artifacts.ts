import { openArtifactStore } from "@tutti/connect";
import type { ArtifactStore } from "@tutti/kernel";
import type { StateFolder } from "./state.ts";

/** The store of artifacts that a state folder names, opened when somebody first needs it. */
export interface Artifacts {
  /** Rejects while it cannot be used; the next call tries again. */
  open(): Promise<ArtifactStore>;
  close(): Promise<void>;
}

/** Whether other machines have it, too: a folder is this one's. */
export function isCommon({ artifacts }: Pick<StateFolder, "artifacts">): boolean {
  return artifacts !== undefined && artifacts !== "folder";
}

/**
 * Where large payloads of Temporal are: in the store that somebody named, else in the state folder, unless the log is one
 * that other machines have in common, for they have not got that. Undefined: in none.
 */
export function payloadSetting({ artifacts, store }: Pick<StateFolder, "artifacts" | "store">): string | undefined {
  return artifacts ?? (store === undefined ? "folder" : undefined);
}

/** Undefined where nobody named one. */
export function namedArtifacts(
  { path: stateDir, artifacts: setting }: StateFolder,
  environment: { readonly [name: string]: string | undefined },
): Artifacts | undefined {
  if (setting === undefined) return undefined;
  let opening: Promise<ArtifactStore> | undefined;
  return {
    open() {
      opening ??= openArtifactStore({ setting, stateDir, environment }).catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}
