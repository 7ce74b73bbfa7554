import { createHash } from "node:crypto";
import { AppError, type ArtifactReference } from "@tutti/kernel";

const digestPattern = /^sha256-([0-9a-f]{64})$/;
// It goes into headers, so it is a type and perhaps a charset, in plain characters.
const mediaTypePattern = /^[\w.+-]+\/[\w.+-]+(?:; ?charset=[\w-]+)?$/;
const mediaTypeCharsMax = 100;

/** The 64 hex digits of a digest, safe in any path. Throws `artifact-invalid`. */
export function hexOf(digest: string): string {
  const hex = digestPattern.exec(digest)?.[1];
  if (hex === undefined) throw invalid("a digest 'sha256-<64 hex>'", digest);
  return hex;
}

/** Throws `artifact-invalid` unless it could be one that a store gave. */
export function checkReference({ digest, bytes, mediaType }: ArtifactReference): void {
  hexOf(digest);
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw invalid("a size in bytes", bytes);
  checkMediaType(mediaType);
}

export function checkMediaType(mediaType: string): void {
  if (mediaType.length > mediaTypeCharsMax || !mediaTypePattern.test(mediaType)) {
    throw invalid("a media type such as application/json", mediaType);
  }
}

function invalid(expected: string, actual: unknown): AppError {
  return new AppError("artifact-invalid", `Expected ${expected}, but got ${JSON.stringify(actual)?.slice(0, 120)}`);
}

/** Passes content on and counts and digests it. Throws `artifact-too-large`. */
export class Measure {
  readonly #hash = createHash("sha256");
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#bytesMax) {
      throw new AppError(
        "artifact-too-large",
        `Expected an artifact of at most ${this.#bytesMax} bytes, but it is larger`,
      );
    }
    this.#hash.update(piece);
  }

  async *through(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of content) {
      this.add(piece);
      yield piece;
    }
  }

  /** Of all that has passed; to be asked once. */
  reference(mediaType: string): ArtifactReference {
    return { digest: `sha256-${this.#hash.digest("hex")}`, bytes: this.#bytes, mediaType };
  }
}

/**
 * Passes content on while it may still be what `reference` names. The last piece comes after the digest was compared, so
 * that nobody sees the whole of what is not it. Throws `artifact-damaged`.
 */
export async function* verified(
  content: AsyncIterable<Uint8Array>,
  reference: ArtifactReference,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let bytes = 0;
  let held: Uint8Array | undefined;
  for await (const piece of content) {
    bytes += piece.length;
    if (bytes > reference.bytes) break;
    if (held !== undefined) yield held;
    hash.update(piece);
    held = piece;
  }
  if (bytes > reference.bytes) throw damaged(reference, "it is longer than it was");
  if (bytes < reference.bytes) throw damaged(reference, `only ${bytes} of its ${reference.bytes} bytes are there`);
  if (`sha256-${hash.digest("hex")}` !== reference.digest) throw damaged(reference, "it has another content");
  if (held !== undefined) yield held;
}

export function damaged({ digest }: { readonly digest: string }, what: string, cause?: unknown): AppError {
  return new AppError("artifact-damaged", `The artifact ${digest} is damaged: ${what}`, { cause, details: { digest } });
}

export function notFound({ digest }: ArtifactReference): AppError {
  return new AppError("artifact-not-found", `There is no artifact ${digest} in the store`, { details: { digest } });
}
