import { mkdir, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import {
  AppError,
  type ArtifactPutOptions,
  type ArtifactReference,
  type ArtifactStore,
  type ArtifactSweep,
  type ArtifactsSwept,
} from "@tutti/kernel";
import { checkMediaType, checkReference, hexOf, Measure, notFound, verified } from "./reference.ts";
import { defaultTiming, type S3Access, s3Client } from "./s3-client.ts";
import { isMissing, isTransient, requestFailure } from "./s3-failure.ts";
import { partBytes, upload } from "./s3-upload.ts";
import { asPieces, spool } from "./spool.ts";

export interface S3Options extends S3Access {
  readonly bucket: string;
  /** Stands before every key; empty, or with a slash at its end. */
  readonly prefix: string;
  /** `required`: what the server does not encrypt with its own key is refused. `bucket`: as the bucket's owner set it. */
  readonly encryption: "bucket" | "required";
  /** Absolute folder for what is on its way: a stream's name is known at its end only. */
  readonly scratch: string;
  /** Default 4 GiB. */
  readonly bytesMax?: number;
  /** What was put within this time is not sent again. Default: one hour. */
  readonly youngMs?: number;
}

const defaultBytesMax = 4 * 1024 ** 3;
const defaultYoungMs = 3_600_000;
const linkMsMax = 7 * 24 * 3_600_000;
const resumePauseMs = 200;

/** Artifacts as objects `<prefix><64 hex digits>`. Rejects where the bucket cannot be used, with what is wrong. */
export async function openS3ArtifactStore(options: S3Options): Promise<ArtifactStore> {
  await mkdir(options.scratch, { recursive: true, mode: 0o700 });
  const client = s3Client(options);
  const store = new S3ArtifactStore(client, options);
  try {
    await store.requireBucket();
  } catch (error) {
    client.destroy();
    throw error;
  }
  return store;
}

class S3ArtifactStore implements ArtifactStore {
  readonly #client: S3Client;
  readonly #options: Required<Pick<S3Options, "bytesMax" | "youngMs">> & S3Options;

  constructor(client: S3Client, options: S3Options) {
    this.#client = client;
    this.#options = {
      ...options,
      bytesMax: options.bytesMax ?? defaultBytesMax,
      youngMs: options.youngMs ?? defaultYoungMs,
    };
  }

  requireBucket(): Promise<unknown> {
    return this.#request(() => this.#client.send(new HeadBucketCommand({ Bucket: this.#options.bucket })));
  }

  async put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    { mediaType, signal }: ArtifactPutOptions,
  ): Promise<ArtifactReference> {
    checkMediaType(mediaType);
    const { bytesMax, scratch: folder } = this.#options;
    if (content instanceof Uint8Array && content.length <= partBytes) {
      const measure = new Measure(bytesMax);
      measure.add(content);
      const reference = measure.reference(mediaType);
      await this.#upload(reference, content, signal);
      return reference;
    }
    const ending = signal === undefined ? {} : { signal };
    const { path, reference } = await spool(asPieces(content), { folder, bytesMax, mediaType, ...ending });
    try {
      await this.#upload(reference, path, signal);
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
    yield* verified(this.#body(reference, signal), reference);
  }

  async has(reference: ArtifactReference): Promise<boolean> {
    return (await this.#head(reference)) !== undefined;
  }

  async link(reference: ArtifactReference, { validMs }: { readonly validMs: number }): Promise<string> {
    if (!(validMs >= 1_000 && validMs <= linkMsMax)) {
      throw new AppError(
        "artifact-invalid",
        `Expected a link to be valid for 1000 to ${linkMsMax} ms, but got ${validMs}`,
      );
    }
    if (!(await this.has(reference))) throw notFound(reference);
    const { mediaType: ResponseContentType } = reference;
    const command = new GetObjectCommand({
      ...this.#place(reference),
      ...{ ResponseContentType, ResponseContentDisposition: "attachment" },
    });
    return getSignedUrl(this.#client, command, { expiresIn: Math.floor(validMs / 1_000) });
  }

  async sweep({ putBefore, keep }: ArtifactSweep): Promise<ArtifactsSwept> {
    const { bucket: Bucket, prefix: Prefix } = this.#options;
    const swept = { removed: 0, bytes: 0 };
    for (let token: string | undefined, more = true; more; more = token !== undefined) {
      const query = { Bucket, Prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
      const page = await this.#request(() => this.#client.send(new ListObjectsV2Command(query)));
      token = page.NextContinuationToken;
      const old = (page.Contents ?? []).filter((object) => this.#isUnwanted(object, { putBefore, keep }));
      if (old.length === 0) continue;
      const Objects = old.map(({ Key }) => ({ Key: Key as string }));
      const Delete = { Objects, Quiet: true };
      const answer = await this.#request(() => this.#client.send(new DeleteObjectsCommand({ Bucket, Delete })));
      const [failed] = answer.Errors ?? [];
      if (failed !== undefined) {
        throw new AppError("artifact-store-failed", `The object ${failed.Key} cannot be removed: ${failed.Message}`);
      }
      swept.removed += old.length;
      for (const { Size = 0 } of old) swept.bytes += Size;
    }
    return swept;
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  #place({ digest }: ArtifactReference): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#options.bucket, Key: `${this.#options.prefix}${hexOf(digest)}` };
  }

  #isUnwanted(
    { Key = "", LastModified }: NonNullable<ListObjectsV2CommandOutput["Contents"]>[number],
    { putBefore, keep }: ArtifactSweep,
  ): boolean {
    const hex = Key.slice(this.#options.prefix.length);
    if (!/^[0-9a-f]{64}$/.test(hex) || LastModified === undefined) return false;
    return LastModified.getTime() < putBefore && !keep(`sha256-${hex}`);
  }

  async #head(reference: ArtifactReference): Promise<HeadObjectCommandOutput | undefined> {
    checkReference(reference);
    try {
      return await this.#client.send(new HeadObjectCommand(this.#place(reference)));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw requestFailure(error, this.#options);
    }
  }

  async #upload(
    reference: ArtifactReference,
    source: Uint8Array | string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { encryption, youngMs } = this.#options;
    const encrypted = encryption === "required";
    const present = await this.#head(reference);
    const isEncrypted = !encrypted || present?.ServerSideEncryption !== undefined;
    const isYoung = Date.now() - (present?.LastModified?.getTime() ?? 0) < youngMs;
    if (isYoung && isEncrypted && present?.ContentLength === reference.bytes) return;
    const { bytes, mediaType } = reference;
    // Whoever is first counts; what is put again must be written, to be young again.
    const onlyNew = present === undefined;
    try {
      await upload(this.#client, {
        ...{ place: this.#place(reference), source, bytes, mediaType, onlyNew, encrypted },
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      // Somebody else put the same content at the same time.
      if (!onlyNew || !(await this.has(reference))) throw requestFailure(error, this.#options);
    }
    if (!encrypted || (await this.#head(reference))?.ServerSideEncryption !== undefined) return;
    throw new AppError("artifact-encryption-unavailable", "The S3 server took an artifact without encrypting it");
  }

  /** Goes on behind what has been read when the connection breaks: the digest tells whether it is one content. */
  async *#body(reference: ArtifactReference, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const { attemptsMax } = this.#options.timing ?? defaultTiming;
    let at = 0;
    for (let attempt = 1; ; attempt++) {
      try {
        const range = at === 0 ? {} : { Range: `bytes=${at}-` };
        const command = new GetObjectCommand({ ...this.#place(reference), ...range });
        const answer = await this.#client.send(command, signal === undefined ? {} : { abortSignal: signal });
        for await (const piece of answer.Body as Readable) {
          at += piece.length;
          yield piece;
        }
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (isMissing(error)) throw notFound(reference);
        if (at === 0 || at >= reference.bytes || attempt >= attemptsMax || !isTransient(error)) {
          throw requestFailure(error, this.#options);
        }
        await new Promise((resolve) => setTimeout(resolve, resumePauseMs * 2 ** attempt));
      }
    }
  }

  async #request<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw requestFailure(error, this.#options);
    }
  }
}
