import { createHash, hash, randomBytes } from "node:crypto";
import { defaultPayloadConverter, type Payload } from "@temporalio/common";
import { memoryArtifacts } from "@tutti/kernel/testing";
import { expect, test } from "vitest";
import { claimCheck, encryption } from "./payload-codecs.ts";

const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");
const key = { secret: Buffer.from(hash("sha256", "secret", "hex"), "hex"), id: "first" };
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const contentOf = (payload: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(payload as Payload);

test("[TE20] what is encrypted is read with the same key alone, and only as it was", async () => {
  const codec = encryption(key);
  const plain = payloadOf({ word: "confidential" });
  const [sealed] = (await codec.encode([plain])) as [Payload];
  expect(Buffer.from(JSON.stringify(sealed)).includes("confidential")).toBe(false);
  expect(Buffer.from(sealed.data ?? []).includes("confidential")).toBe(false);
  expect(contentOf((await codec.decode([sealed]))[0])).toEqual({ word: "confidential" });
  // What was written before there was a key.
  expect(contentOf((await codec.decode([plain]))[0])).toEqual({ word: "confidential" });
  await expect(encryption({ ...key, id: "second" }).decode([sealed])).rejects.toMatchObject({
    code: "payload-unreadable",
    details: { expected: "first", actual: "second" },
  });
  const changed = Buffer.from(sealed.data ?? []);
  changed[20] = (changed[20] ?? 0) ^ 1;
  for (const data of [changed, changed.subarray(0, 10), new Uint8Array()]) {
    await expect(codec.decode([{ ...sealed, data }])).rejects.toMatchObject({ code: "payload-unreadable" });
  }
  const another = encryption({ secret: randomBytes(32), id: "first" });
  await expect(another.decode([sealed])).rejects.toMatchObject({ code: "payload-unreadable" });
});

test("[TE18] what is large goes into the store, what is small does not", async () => {
  const artifacts = memoryArtifacts(sha256);
  const codec = claimCheck({ artifacts, bytesMax: 1_000 });
  const [small, large] = ["x".repeat(998), "x".repeat(999)];
  const encoded = await codec.encode([payloadOf(small), payloadOf(large)]);
  expect(encoded[0]).toEqual(payloadOf(small));
  expect(encoded[1]?.data?.length).toBeLessThan(300);
  expect(artifacts.stored.size).toBe(1);
  expect((await codec.decode(encoded)).map(contentOf)).toEqual([small, large]);
  artifacts.stored.clear();
  await expect(codec.decode(encoded)).rejects.toMatchObject({ code: "artifact-not-found" });
});
