import { constants, createReadStream } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  AppError,
  type ArtifactPutOptions,
  type ArtifactReference,
  type ArtifactStore,
  type ArtifactSweep,
  type ArtifactsSwept,
} from "@tutti/kernel";
import { checkMediaType, checkReference, damaged, hexOf, notFound, verified } from "./reference.ts";
import { type ArtifactKey, unseal } from "./seal.ts";
import { asPieces, spool } from "./spool.ts";

export interface FolderOptions {
  /** Absolute path; made when it is not there. */
  readonly folder: string;
  /** With it what is put is encrypted. */
  readonly key?: ArtifactKey;
  /** Default 4 GiB. */
  readonly bytesMax?: number;
}

const defaultBytesMax = 4 * 1024 ** 3;
const leftoverAgeMs = 24 * 3_600_000;
const sealedEnding = ".sealed";
const artifactName = /^([0-9a-f]{64})(\.sealed)?$/;
const shardName = /^[0-9a-f]{2}$/;
const incoming = "incoming";

/**
 * Artifacts as files: `<folder>/<two digits>/<64 digits>`, with `.sealed` behind when it is encrypted. What is not whole
 * yet lies in `incoming`.
 */
export async function openFolderArtifactStore(options: FolderOptions): Promise<ArtifactStore> {
  await guarded("be opened", () => mkdir(join(options.folder, incoming), { recursive: true, mode: 0o700 }));
  return new FolderArtifactStore(options);
}

class FolderArtifactStore implements ArtifactStore {
  readonly #folder: string;
  readonly #key: ArtifactKey | undefined;
  readonly #bytesMax: number;

  constructor({ folder, key, bytesMax = defaultBytesMax }: FolderOptions) {
    this.#folder = folder;
    this.#key = key;
    this.#bytesMax = bytesMax;
  }

  async put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    { mediaType, signal }: ArtifactPutOptions,
  ): Promise<ArtifactReference> {
    checkMediaType(mediaType);
    const folder = join(this.#folder, incoming);
    await this.#requireFolder(folder);
    const { path, reference } = await guarded("be written to", () =>
      spool(asPieces(content), {
        ...{ folder, mediaType, bytesMax: this.#bytesMax },
        ...(this.#key === undefined ? {} : { key: this.#key }),
        ...(signal === undefined ? {} : { signal }),
      }),
    );
    try {
      await guarded("be written to", () => this.#settle(path, hexOf(reference.digest)));
    } finally {
      await rm(path, { force: true });
    }
    return reference;
  }

  async *get(
    reference: ArtifactReference,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array> {
    checkReference(reference);
    const { handle, isSealed } = await guarded("be read", () => this.#open(reference));
    try {
      const raw = createReadStream("", { fd: handle, autoClose: false, ...(signal === undefined ? {} : { signal }) });
      yield* verified(isSealed ? this.#unsealed(raw, reference) : raw, reference);
    } catch (error) {
      throw storeFailure(error, "be read");
    } finally {
      await handle.close();
    }
  }

  async has(reference: ArtifactReference): Promise<boolean> {
    checkReference(reference);
    try {
      const { handle } = await guarded("be read", () => this.#open(reference));
      await handle.close();
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === "artifact-not-found") return false;
      throw error;
    }
  }

  async link(): Promise<undefined> {
    return undefined;
  }

  async sweep({ putBefore, keep }: ArtifactSweep): Promise<ArtifactsSwept> {
    return guarded("be swept", async () => {
      const swept = { removed: 0, bytes: 0 };
      for (const shard of await readdir(this.#folder)) {
        if (!shardName.test(shard)) continue;
        await this.#requireFolder(join(this.#folder, shard));
        for (const name of await readdir(join(this.#folder, shard))) {
          const hex = artifactName.exec(name)?.[1];
          if (hex === undefined || keep(`sha256-${hex}`)) continue;
          const bytes = await removeOlder(join(this.#folder, shard, name), putBefore);
          if (bytes === undefined) continue;
          swept.removed++;
          swept.bytes += bytes;
        }
      }
      for (const name of await readdir(join(this.#folder, incoming))) {
        await removeOlder(join(this.#folder, incoming, name), Math.min(putBefore, Date.now() - leftoverAgeMs));
      }
      return swept;
    });
  }

  async close(): Promise<void> {
    // Nothing is held open between two calls.
  }

  #pathOf(hex: string, isSealed: boolean): string {
    return join(this.#folder, hex.slice(0, 2), `${hex}${isSealed ? sealedEnding : ""}`);
  }

  /** Moves a whole file to its name, and makes that last. */
  async #settle(path: string, hex: string): Promise<void> {
    const shard = join(this.#folder, hex.slice(0, 2));
    const isNew = (await mkdir(shard, { recursive: true, mode: 0o700 })) !== undefined;
    await this.#requireFolder(shard);
    await rename(path, this.#pathOf(hex, this.#key !== undefined));
    // What was put in the clear before there was a key.
    if (this.#key !== undefined) await rm(this.#pathOf(hex, false), { force: true });
    await syncFolder(shard);
    if (isNew) await syncFolder(this.#folder);
  }

  async #open(reference: ArtifactReference): Promise<{ readonly handle: FileHandle; readonly isSealed: boolean }> {
    const hex = hexOf(reference.digest);
    for (const isSealed of [true, false]) {
      const handle = await openPlainFile(this.#pathOf(hex, isSealed), reference);
      if (handle !== undefined) return { handle, isSealed };
    }
    throw notFound(reference);
  }

  #unsealed(raw: AsyncIterable<Uint8Array>, { digest }: ArtifactReference): AsyncIterable<Uint8Array> {
    if (this.#key !== undefined) return unseal(raw, { key: this.#key, digest });
    const message = `The artifact ${digest} is encrypted, but no key was given`;
    throw new AppError("artifact-key-missing", message, { details: { digest } });
  }

  async #requireFolder(path: string): Promise<void> {
    const status = await guarded("be read", () => lstat(path));
    if (!status.isDirectory()) {
      throw new AppError("artifact-store-failed", `Expected ${path} to be a folder, but it is something else`);
    }
  }
}

/** Undefined when there is none. A link is not followed, and nothing special is waited for. Throws `artifact-damaged`. */
async function openPlainFile(path: string, reference: ArtifactReference): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") throw damaged(reference, "a link is in its place");
    throw error;
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw damaged(reference, "something that is no file is in its place");
}

/** The size of what was removed; undefined when it is younger, or gone. */
async function removeOlder(path: string, before: number): Promise<number | undefined> {
  try {
    const { mtimeMs, size } = await lstat(path);
    if (mtimeMs >= before) return undefined;
    await rm(path);
    return size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function guarded<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw storeFailure(error, what);
  }
}

/** What the system refused becomes ours; what somebody else threw (a stream of the caller's, an abort) stays theirs. */
function storeFailure(error: unknown, what: string): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof AppError || syscall === undefined) return error;
  return new AppError("artifact-store-failed", `The folder of artifacts cannot ${what}: ${message}`, { cause: error });
}
