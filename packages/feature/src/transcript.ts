import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ArtifactReference, ArtifactStore } from "@tutti/kernel";
import type { FeatureDeps } from "./deps.ts";

/** A transcript that other machines can have. */
export interface KeptTranscript {
  /** Its name in the folder of its unit. */
  readonly file: string;
  readonly artifact: ArtifactReference;
}

const mediaType = "application/x-ndjson";

/**
 * Puts a transcript where other machines find it. Undefined where there is no such place, and where it cannot be used: an
 * agent's work does not fail for that, and the log tells it.
 */
export async function keepTranscript(
  { artifacts, log }: Pick<FeatureDeps, "artifacts" | "log">,
  path: string,
): Promise<KeptTranscript | undefined> {
  if (artifacts === undefined) return undefined;
  try {
    const artifact = await (await artifacts()).put(createReadStream(path), { mediaType });
    return { file: basename(path), artifact };
  } catch (error) {
    log(`${path} is on this machine only: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Brings transcripts of another machine into `folder`; those that are there stay as they are. */
export async function bringTranscripts(
  kept: readonly KeptTranscript[],
  { folder, artifacts }: { readonly folder: string; readonly artifacts: () => Promise<ArtifactStore> },
): Promise<void> {
  for (const { file, artifact } of kept) {
    const path = join(folder, basename(file));
    if (existsSync(path)) continue;
    await mkdir(folder, { recursive: true });
    const coming = `${path}.${randomBytes(6).toString("hex")}`;
    try {
      await pipeline((await artifacts()).get(artifact), createWriteStream(coming, { flags: "wx", mode: 0o600 }));
      await rename(coming, path);
    } finally {
      await rm(coming, { force: true });
    }
  }
}
