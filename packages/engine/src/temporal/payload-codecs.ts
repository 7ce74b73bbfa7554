import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from "@temporalio/common";
import proto from "@temporalio/proto";
import { AppError, type ArtifactReference, type ArtifactStore } from "@tutti/kernel";

const { Payload: message } = proto.temporal.api.common.v1;
const keyIdField = "encryption-key-id";
const encrypted = "binary/encrypted";
const checked = "json/tutti-artifact";
/** What Temporal warns of; it refuses 2 MB. */
const defaultBytesMax = 256 * 1024;
const mediaType = "application/vnd.temporal.payload";
const nonceBytes = 12;
const tagBytes = 16;

/** 32 bytes, and a name that tells keys apart and may be seen by everybody. */
export interface PayloadKey {
  readonly secret: Uint8Array;
  readonly id: string;
}

/**
 * Payloads pass through Temporal encrypted: AES-256-GCM, in the form of Temporal's own samples (`binary/encrypted`, nonce
 * before and tag behind), so that a codec server made for those shows them. Ids, types and search attributes stay in the
 * clear. What came without encryption is read as it is. A key is good for 2^32 payloads.
 */
export function encryption(key: PayloadKey): PayloadCodec {
  const codec: PayloadCodec = {
    encode: async (payloads) => payloads.map((payload) => encrypt(payload, key)),
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, key)),
  };
  encryptions.add(codec);
  return codec;
}

const encryptions = new WeakSet<PayloadCodec>();

/** Whether what Temporal has beside payloads is to say nothing that those say. */
export function areSecret(codecs: readonly PayloadCodec[]): boolean {
  return codecs.some((codec) => encryptions.has(codec));
}

/**
 * Payloads of more than `bytesMax` (default 256 KiB) stand in `artifacts`, and Temporal has a reference to them. Keep them
 * as long as Temporal keeps the histories. To be last of the codecs.
 */
export function claimCheck(options: { readonly artifacts: ArtifactStore; readonly bytesMax?: number }): PayloadCodec {
  const { artifacts, bytesMax = defaultBytesMax } = options;
  const codec: PayloadCodec = {
    encode: (payloads) => Promise.all(payloads.map((payload) => checkIn(payload, artifacts, bytesMax))),
    decode: (payloads) => Promise.all(payloads.map((payload) => checkOut(payload, artifacts))),
  };
  claimChecks.add(codec);
  return codec;
}

const claimChecks = new WeakSet<PayloadCodec>();

/** Whether payloads may be larger than what the server takes. */
export function takeLarge(codecs: readonly PayloadCodec[]): boolean {
  return codecs.some((codec) => claimChecks.has(codec));
}

function encrypt(payload: Payload, { secret, id }: PayloadKey): Payload {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", secret, nonce);
  const data = [nonce, cipher.update(message.encode(payload).finish()), cipher.final(), cipher.getAuthTag()];
  return { metadata: { ...encodedAs(encrypted), [keyIdField]: Buffer.from(id) }, data: Buffer.concat(data) };
}

function decrypt(payload: Payload, { secret, id }: PayloadKey): Payload {
  if (encodingOf(payload) !== encrypted) return payload;
  const keyId = Buffer.from(payload.metadata?.[keyIdField] ?? []).toString();
  if (keyId !== id) {
    const details = { expected: keyId, actual: id };
    throw new AppError("payload-unreadable", `A payload needs the key '${keyId}', but the key given is '${id}'`, {
      details,
    });
  }
  const data = payload.data ?? new Uint8Array();
  const border = data.length - tagBytes;
  try {
    const decipher = createDecipheriv("aes-256-gcm", secret, data.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAuthTag(data.subarray(border));
    return message.decode(Buffer.concat([decipher.update(data.subarray(nonceBytes, border)), decipher.final()]));
  } catch (cause) {
    throw new AppError("payload-unreadable", `A payload encrypted with the key '${id}' was changed`, { cause });
  }
}

async function checkIn(payload: Payload, artifacts: ArtifactStore, bytesMax: number): Promise<Payload> {
  if ((payload.data?.length ?? 0) <= bytesMax) return payload;
  const reference = await artifacts.put(message.encode(payload).finish(), { mediaType });
  return { metadata: encodedAs(checked), data: Buffer.from(JSON.stringify(reference)) };
}

async function checkOut(payload: Payload, artifacts: ArtifactStore): Promise<Payload> {
  if (encodingOf(payload) !== checked) return payload;
  const reference: ArtifactReference = JSON.parse(Buffer.from(payload.data ?? []).toString());
  const pieces: Uint8Array[] = [];
  for await (const piece of artifacts.get(reference)) pieces.push(piece);
  return message.decode(Buffer.concat(pieces));
}

function encodedAs(encoding: string): { readonly [METADATA_ENCODING_KEY]: Uint8Array } {
  return { [METADATA_ENCODING_KEY]: Buffer.from(encoding) };
}

function encodingOf({ metadata }: Payload): string {
  return Buffer.from(metadata?.[METADATA_ENCODING_KEY] ?? []).toString();
}
