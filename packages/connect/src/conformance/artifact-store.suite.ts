import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ArtifactReference, ArtifactStore } from "@tutti/kernel";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asPieces } from "../artifact/spool.ts";

/** One store of its own for a suite, and what a test does to it from outside. */
export interface ArtifactHarness {
  open(options?: { readonly bytesMax?: number }): Promise<ArtifactStore>;
  /** Puts other bytes in the place of an artifact, as a broken disk would. `change` gets what is stored. */
  damage(reference: ArtifactReference, change: (stored: Buffer) => Buffer): Promise<void>;
  /** How many artifacts and parts of such the store holds, by its own means. */
  count(): Promise<number>;
  remove(): Promise<void>;
}

const text = "text/plain; charset=utf-8";
const binary = "application/octet-stream";

export async function contentOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

function digestOf(content: Uint8Array): string {
  return `sha256-${createHash("sha256").update(content).digest("hex")}`;
}

async function* cut(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Every rule that holds for all stores. */
export function artifactStoreSuite(name: string, makeHarness: () => Promise<ArtifactHarness>): void {
  describe(name, () => {
    let harness: ArtifactHarness;
    let store: ArtifactStore;

    beforeAll(async () => {
      harness = await makeHarness();
      store = await harness.open();
    });

    afterAll(async () => {
      await store?.close();
      await harness?.remove();
    });

    const putNew = (bytes = 1_000): Promise<ArtifactReference> => store.put(randomBytes(bytes), { mediaType: binary });

    test("[CN1] gives back what was put, in one piece or many, and names it", async () => {
      const words = Buffer.from("Grüße an alle");
      const reference = await store.put(words, { mediaType: text });
      expect(reference).toEqual({ digest: digestOf(words), bytes: words.length, mediaType: text });
      expect(await contentOf(store.get(reference))).toEqual(words);
      expect(await store.has(reference)).toBe(true);

      const nothing = await store.put(Buffer.alloc(0), { mediaType: binary });
      expect(nothing).toMatchObject({ digest: digestOf(Buffer.alloc(0)), bytes: 0 });
      expect(await contentOf(store.get(nothing))).toEqual(Buffer.alloc(0));
      expect(
        await contentOf(store.get(await store.put(asPieces(Buffer.alloc(0)), { mediaType: binary }))),
      ).toHaveLength(0);

      const large = randomBytes(200_001);
      for (const size of [997, 64 * 1024, 200_001]) {
        const streamed = await store.put(cut(large, size), { mediaType: binary });
        expect(streamed).toMatchObject({ digest: digestOf(large), bytes: large.length });
        expect((await contentOf(store.get(streamed))).equals(large)).toBe(true);
      }
    });

    test("[CN2] has one artifact for one content, also when it is put many times at once", async () => {
      const content = randomBytes(10_000);
      const before = await harness.count();
      const other = await harness.open();
      const references = await Promise.all(
        [store, other, store, other].map((each) => each.put(content, { mediaType: binary })),
      );
      expect(new Set(references.map(({ digest }) => digest))).toEqual(new Set([digestOf(content)]));
      expect(await harness.count()).toBe(before + 1);
      expect(await contentOf(other.get(references[0] as ArtifactReference))).toEqual(content);
      await other.close();
    });

    test("[CN3] leaves nothing of a put that fails, is ended or is too large", async () => {
      const before = await harness.count();
      async function* breaking(): AsyncGenerator<Uint8Array> {
        yield randomBytes(100_000);
        throw new Error("the source broke");
      }
      await expect(store.put(breaking(), { mediaType: binary })).rejects.toThrow("the source broke");

      const ending = new AbortController();
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (let pieces = 0; ; pieces++) {
          if (pieces === 3) ending.abort(new Error("that is enough"));
          yield randomBytes(10_000);
        }
      }
      await expect(store.put(endless(), { mediaType: binary, signal: ending.signal })).rejects.toThrow();

      const small = await harness.open({ bytesMax: 1_000 });
      expect(await small.put(randomBytes(1_000), { mediaType: binary })).toMatchObject({ bytes: 1_000 });
      const tooLarge = { code: "artifact-too-large", message: expect.stringContaining("at most 1000 bytes") };
      await expect(small.put(randomBytes(1_001), { mediaType: binary })).rejects.toMatchObject(tooLarge);
      await expect(small.put(cut(randomBytes(5_000), 400), { mediaType: binary })).rejects.toMatchObject(tooLarge);
      await small.close();
      expect(await harness.count()).toBe(before + 1);
    });

    test("[CN4] says by name what is not there", async () => {
      const missing = { digest: digestOf(randomBytes(9)), bytes: 9, mediaType: binary };
      expect(await store.has(missing)).toBe(false);
      await expect(contentOf(store.get(missing))).rejects.toMatchObject({
        code: "artifact-not-found",
        message: expect.stringContaining(missing.digest),
      });
    });

    test.each([
      ["changed", (stored: Buffer) => Buffer.concat([stored.subarray(0, -1), Buffer.from([(stored.at(-1) ?? 0) ^ 1])])],
      ["cut off", (stored: Buffer) => stored.subarray(0, -1)],
      ["empty", () => Buffer.alloc(0)],
      ["grown", (stored: Buffer) => Buffer.concat([stored, Buffer.from("!")])],
    ])("[CN5] never gives the whole of an artifact that was %s", async (_, change) => {
      for (const bytes of [1_000, 300_000]) {
        const reference = await putNew(bytes);
        await harness.damage(reference, change);
        let given = 0;
        const reading = async (): Promise<void> => {
          for await (const piece of store.get(reference)) given += piece.length;
        };
        await expect(reading()).rejects.toMatchObject({
          code: "artifact-damaged",
          message: expect.stringContaining(reference.digest),
        });
        expect(given).toBeLessThan(bytes);
      }
    });

    test("[CN6] refuses what is no reference and no media type", async () => {
      const good = await putNew();
      for (const wrong of [
        { digest: "sha256-../../../../etc/passwd" },
        { digest: good.digest.toUpperCase() },
        { digest: `${good.digest}0` },
        { bytes: -1 },
        { bytes: 0.5 },
        { mediaType: "text/plain\r\nx: y" },
      ]) {
        const reference = { ...good, ...wrong };
        await expect(contentOf(store.get(reference))).rejects.toMatchObject({ code: "artifact-invalid" });
        await expect(store.has(reference)).rejects.toMatchObject({ code: "artifact-invalid" });
      }
      for (const mediaType of ["", "text", "text/plain\n", `text/${"x".repeat(100)}`]) {
        await expect(store.put(randomBytes(9), { mediaType })).rejects.toMatchObject({ code: "artifact-invalid" });
      }
    });

    test("[CN7] sweeps what is old and not kept", async () => {
      const own = await harness.open();
      await own.sweep({ putBefore: Date.now() + 3_600_000, keep: () => false });
      const [kept, gone, alsoGone] = [await putNew(100), await putNew(200), await putNew(300)];
      const nothing = await own.sweep({ putBefore: Date.now() - 3_600_000, keep: () => false });
      expect(nothing).toEqual({ removed: 0, bytes: 0 });
      const stored = await harness.count();
      expect(stored).toBe(3);
      const asked: string[] = [];
      const swept = await own.sweep({
        putBefore: Date.now() + 3_600_000,
        keep: (digest) => asked.push(digest) > 0 && digest === kept.digest,
      });
      expect(swept.removed).toBe(2);
      expect(swept.bytes).toBeGreaterThanOrEqual(500);
      expect(asked.toSorted()).toEqual([kept, gone, alsoGone].map(({ digest }) => digest).toSorted());
      expect([await own.has(kept), await own.has(gone), await own.has(alsoGone)]).toEqual([true, false, false]);
      await own.close();
    });

    test("[CN8] keeps what was put again meanwhile", async () => {
      const content = randomBytes(2_000);
      const reference = await store.put(content, { mediaType: binary });
      const other = await putNew();
      // Stores tell times by the second.
      await sleep(1_500);
      const putBefore = Date.now();
      await sleep(1_500);
      await store.put(content, { mediaType: binary });
      await store.sweep({ putBefore, keep: () => false });
      expect([await store.has(reference), await store.has(other)]).toEqual([true, false]);
    });

    test("[CN9] passes on what is larger than memory may hold of it", async () => {
      const bytes = 96 * 1024 * 1024;
      const block = randomBytes(1024 * 1024);
      let heldMax = 0;
      // What nobody needs any more is not counted, however long the runtime would have left it lying.
      const watch = (): void => {
        collectGarbage();
        heldMax = Math.max(heldMax, process.memoryUsage().arrayBuffers);
      };
      async function* blocks(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes; at += block.length) {
          if (at % (8 * block.length) === 0) watch();
          yield block;
        }
      }
      collectGarbage();
      const before = process.memoryUsage().arrayBuffers;
      const reference = await store.put(blocks(), { mediaType: binary });
      expect(reference.bytes).toBe(bytes);
      let read = 0;
      for await (const piece of store.get(reference)) {
        if (read % (8 * block.length) < piece.length) watch();
        read += piece.length;
      }
      expect(read).toBe(bytes);
      expect(heldMax - before).toBeLessThan(bytes / 2);
    }, 120_000);
  });
}
