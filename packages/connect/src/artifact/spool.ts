import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ArtifactReference } from "@tutti/kernel";
import { Measure } from "./reference.ts";
import { type ArtifactKey, seal } from "./seal.ts";

export interface Spooled {
  /** The caller moves it away or removes it. */
  readonly path: string;
  readonly reference: ArtifactReference;
}

/**
 * Writes content into a new file of its own in `folder`, flushed to the disk, and learns its name on the way. With a key
 * only what is sealed touches the disk. Nothing is left of what fails.
 */
export async function spool(
  content: AsyncIterable<Uint8Array>,
  options: {
    readonly folder: string;
    readonly bytesMax: number;
    readonly mediaType: string;
    readonly key?: ArtifactKey;
    readonly signal?: AbortSignal;
  },
): Promise<Spooled> {
  const { folder, bytesMax, mediaType, key, signal } = options;
  const path = join(folder, randomBytes(12).toString("hex"));
  const measure = new Measure(bytesMax);
  const measured = measure.through(content);
  try {
    const file = (await open(path, "wx", 0o600)).createWriteStream({ flush: true });
    await pipeline(key === undefined ? measured : seal(measured, key), file, signal === undefined ? {} : { signal });
    return { path, reference: measure.reference(mediaType) };
  } catch (error) {
    await rm(path, { force: true });
    // Who ended it said why.
    signal?.throwIfAborted();
    throw error;
  }
}

/** Content in one piece or many, as many. */
export async function* asPieces(content: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) yield content;
  else yield* content;
}
