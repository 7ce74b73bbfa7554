import { type FileHandle, open } from "node:fs/promises";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

/** What is larger goes in parts of at least this size, some at once. */
export const partBytes: number = 8 * 1024 ** 2;
const partsAtOnce = 3;
/** The protocol has 10 000. */
const partsMax = 9_000;

export interface UploadRequest {
  readonly place: { readonly Bucket: string; readonly Key: string };
  /** Content in memory, or the path of the file that has it. */
  readonly source: Uint8Array | string;
  readonly bytes: number;
  readonly mediaType: string;
  /** Refused with 412 when there is one already. */
  readonly onlyNew: boolean;
  /** Asks the server to encrypt with its own key. */
  readonly encrypted: boolean;
  readonly signal?: AbortSignal;
}

/** Sends one object. Each request is tried again by the client; of what fails no part is left. */
export async function upload(client: S3Client, request: UploadRequest): Promise<void> {
  const { place, source, bytes } = request;
  if (typeof source !== "string") {
    await client.send(
      new PutObjectCommand({ ...place, Body: source, ...made(request), ...condition(request) }),
      ending(request),
    );
    return;
  }
  const file = await open(source, "r");
  try {
    if (bytes > partBytes) await uploadParts(client, file, request);
    else await upload(client, { ...request, source: await readPart(file, { at: 0, size: bytes }) });
  } finally {
    await file.close();
  }
}

async function uploadParts(client: S3Client, file: FileHandle, request: UploadRequest): Promise<void> {
  const { place, bytes, signal } = request;
  const size = Math.max(partBytes, Math.ceil(bytes / partsMax));
  const begin = new CreateMultipartUploadCommand({ ...place, ...made(request), ChecksumAlgorithm: "CRC32" });
  const { UploadId } = await client.send(begin, ending(request));
  const failing = new AbortController();
  const abortSignal = signal === undefined ? failing.signal : AbortSignal.any([signal, failing.signal]);
  const parts: { PartNumber: number; ETag: string | undefined; ChecksumCRC32: string | undefined }[] = [];
  let sent = 0;
  const sendParts = async (): Promise<void> => {
    for (let at = sent; at < bytes; at = sent) {
      sent = at + size;
      const PartNumber = at / size + 1;
      const Body = await readPart(file, { at, size: Math.min(size, bytes - at) });
      const command = new UploadPartCommand({ ...place, UploadId, PartNumber, Body, ChecksumAlgorithm: "CRC32" });
      const { ETag, ChecksumCRC32 } = await client.send(command, { abortSignal });
      parts[PartNumber - 1] = { PartNumber, ETag, ChecksumCRC32 };
    }
  };
  const senders = Array.from({ length: partsAtOnce }, sendParts);
  try {
    await Promise.all(senders);
    const whole = { ...place, UploadId, MultipartUpload: { Parts: parts }, ...condition(request) };
    await client.send(new CompleteMultipartUploadCommand(whole), { abortSignal });
  } catch (error) {
    failing.abort();
    await Promise.allSettled(senders);
    // Where this fails too, the bucket's rules have to end what was begun.
    await client.send(new AbortMultipartUploadCommand({ ...place, UploadId })).catch(() => undefined);
    throw error;
  }
}

function made({ mediaType, encrypted }: UploadRequest): { ContentType: string; ServerSideEncryption?: "AES256" } {
  return { ContentType: mediaType, ...(encrypted ? { ServerSideEncryption: "AES256" } : {}) };
}

function condition({ onlyNew }: UploadRequest): { IfNoneMatch?: string } {
  return onlyNew ? { IfNoneMatch: "*" } : {};
}

function ending({ signal }: UploadRequest): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

async function readPart(
  file: FileHandle,
  { at, size }: { readonly at: number; readonly size: number },
): Promise<Buffer> {
  const part = Buffer.allocUnsafe(size);
  for (let read = 0; read < size; ) {
    const { bytesRead } = await file.read(part, read, size - read, at + read);
    if (bytesRead === 0) throw new Error(`a file on its way to S3 was cut off at ${at + read} bytes`);
    read += bytesRead;
  }
  return part;
}
