import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { AppError } from "@tutti/kernel";
import { damaged } from "./reference.ts";

/*
 * Encryption of a stream of any length: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online
 * authenticated-encryption and its nonce-reuse misuse-resistance", 2015) over AES-256-GCM, as age and Tink have it. Each
 * file has a key of its own, derived from a random salt, so counting nonces never meet. The last segment says that it is
 * the last: what is cut off is found. The format is told in the README; what was written stays readable.
 */

const magic = Buffer.from("TUTTISE1", "latin1");
const keyIdBytes = 8;
const saltBytes = 32;
export const headerBytes: number = magic.length + keyIdBytes + saltBytes;
const segmentBytes = 64 * 1024;
const tagBytes = 16;

/** A key for artifacts: 32 bytes that nobody else has. */
export interface ArtifactKey {
  readonly secret: Uint8Array;
  /** Tells keys apart and reveals nothing: 16 hex digits. */
  readonly id: string;
}

export const keyBytes = 32;

/** Throws when the secret does not have 32 bytes: whoever reads it from a person has said so before. */
export function artifactKey(secret: Uint8Array): ArtifactKey {
  if (secret.length !== keyBytes) throw new RangeError(`a key has ${keyBytes} bytes, not ${secret.length}`);
  const id = createHmac("sha256", secret).update("tutti artifact key").digest().subarray(0, keyIdBytes);
  return { secret, id: id.toString("hex") };
}

export async function* seal(content: AsyncIterable<Uint8Array>, key: ArtifactKey): AsyncGenerator<Buffer> {
  const keyId = Buffer.from(key.id, "hex");
  const salt = randomBytes(saltBytes);
  yield Buffer.concat([magic, keyId, salt]);
  const fileKey = keyOfFile(key, salt);
  for await (const { piece, index, isLast } of inPieces(content, segmentBytes)) {
    const cipher = createCipheriv("aes-256-gcm", fileKey, nonce(index, isLast));
    yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
  }
}

/** Throws `artifact-key-wrong` and `artifact-damaged` by `digest`. A segment is given only when it is as it was written. */
export async function* unseal(
  sealed: AsyncIterable<Uint8Array>,
  { key, digest }: { readonly key: ArtifactKey; readonly digest: string },
): AsyncGenerator<Buffer> {
  const { header, rest } = await splitHeader(sealed);
  if (header.length < headerBytes || !header.subarray(0, magic.length).equals(magic)) {
    throw damaged({ digest }, "it does not begin as a sealed artifact does");
  }
  const keyId = header.subarray(magic.length, magic.length + keyIdBytes).toString("hex");
  if (keyId !== key.id) {
    const message = `The artifact ${digest} was encrypted with the key ${keyId}, but the key given is ${key.id}`;
    throw new AppError("artifact-key-wrong", message, { details: { digest, expected: keyId, actual: key.id } });
  }
  const fileKey = keyOfFile(key, header.subarray(magic.length + keyIdBytes));
  for await (const { piece, index, isLast } of inPieces(rest, segmentBytes + tagBytes)) {
    yield open(piece, { fileKey, nonce: nonce(index, isLast), digest });
  }
}

function open(
  piece: Buffer,
  { fileKey, nonce, digest }: { readonly fileKey: Buffer; readonly nonce: Buffer; readonly digest: string },
): Buffer {
  const border = piece.length - tagBytes;
  if (border < 0) throw damaged({ digest }, "it ends too early");
  const decipher = createDecipheriv("aes-256-gcm", fileKey, nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(piece.subarray(border));
  try {
    return Buffer.concat([decipher.update(piece.subarray(0, border)), decipher.final()]);
  } catch (cause) {
    throw damaged({ digest }, "its encryption does not hold", cause);
  }
}

function keyOfFile({ secret, id }: ArtifactKey, salt: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, `tutti artifact 1 ${id}`, keyBytes));
}

/** Eleven bytes count the segments, the twelfth says whether it is the last. */
function nonce(index: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUIntBE(index, 5, 6);
  bytes[11] = isLast ? 1 : 0;
  return bytes;
}

interface Piece {
  readonly piece: Buffer;
  readonly index: number;
  readonly isLast: boolean;
}

/** Cuts a stream into pieces of `size` bytes; the last one may be shorter, and there is always a last one. */
async function* inPieces(content: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Piece> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  let index = 0;
  for await (const chunk of content) {
    held.push(chunk);
    bytes += chunk.length;
    // A full piece is kept until more comes: it may be the last.
    if (bytes <= size) continue;
    const all = Buffer.concat(held);
    let at = 0;
    for (; all.length - at > size; at += size) {
      yield { piece: all.subarray(at, at + size), index: index++, isLast: false };
    }
    held = [all.subarray(at)];
    bytes = all.length - at;
  }
  yield { piece: Buffer.concat(held), index, isLast: true };
}

async function splitHeader(
  sealed: AsyncIterable<Uint8Array>,
): Promise<{ readonly header: Buffer; readonly rest: AsyncIterable<Uint8Array> }> {
  const source = sealed[Symbol.asyncIterator]();
  let begun = Buffer.alloc(0);
  while (begun.length < headerBytes) {
    const { value, done } = await source.next();
    if (done === true) break;
    begun = Buffer.concat([begun, value]);
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    try {
      yield begun.subarray(headerBytes);
      for (;;) {
        const { value, done } = await source.next();
        if (done === true) return;
        yield value;
      }
    } finally {
      await source.return?.();
    }
  }
  return { header: begun.subarray(0, headerBytes), rest: rest() };
}
