import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HeadObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import type { ArtifactReference } from "@tutti/kernel";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { contentOf } from "../conformance/artifact-store.suite.ts";
import { openBadLine, type Trouble } from "../testing/bad-line.ts";
import { describeWithMinio } from "../testing/minio-server.ts";
import { openS3House, type S3House } from "../testing/s3-house.ts";
import type { S3Options } from "./s3.ts";

const mediaType = "application/octet-stream";
// A busy machine takes a second for an answer now and then.
const timing = { connectMs: 2_000, silenceMs: 2_000, attemptsMax: 6 };
const partBytes = 8 * 1024 ** 2;

function keyOf({ digest }: ArtifactReference, prefix = "tests/"): string {
  return `${prefix}${digest.slice("sha256-".length)}`;
}

/** A house whose server is reached over a line with trouble; `use` may open stores at its endpoint. */
async function overBadLine(
  house: S3House,
  troubleOf: (connection: number) => Trouble,
  use: (line: { readonly endpoint: string; count(): number }) => Promise<void>,
): Promise<void> {
  const line = await openBadLine(house.server.endpoint, troubleOf);
  try {
    await use(line);
  } finally {
    await line.close();
  }
}

describeWithMinio("artifacts on a MinIO server", () => {
  let house: S3House;

  beforeAll(async () => {
    house = await openS3House({ encrypts: false });
  });

  afterAll(() => house?.close());

  test("[CN40] sends what is large in parts, and leaves nothing of them when it fails", async () => {
    const store = await house.open();
    const large = randomBytes(2 * partBytes + 1);
    const reference = await store.put(large, { mediaType });
    const { ETag, ContentType } = await house.raw.send(
      new HeadObjectCommand({ Bucket: house.bucket, Key: keyOf(reference) }),
    );
    // Amazon's mark of an object that came in three parts.
    expect(ETag).toMatch(/-3"$/);
    expect(ContentType).toBe(mediaType);
    expect((await contentOf(store.get(reference))).equals(large)).toBe(true);
    expect(readdirSync(house.scratch)).toEqual([]);

    const other = randomBytes(3 * partBytes);
    const ending = new AbortController();
    async function* content(): AsyncGenerator<Uint8Array> {
      yield other;
    }
    const Key = keyOf(await store.put(content(), { mediaType }));
    const parts = async (): Promise<number> => {
      const query = { Bucket: house.bucket, Prefix: Key };
      return (await house.raw.send(new ListMultipartUploadsCommand(query))).Uploads?.length ?? 0;
    };
    let partsSeen = 0;
    await overBadLine(
      house,
      (connection) => {
        if (connection !== 2) return undefined;
        // The first connection asks and begins; the second brings a part, whose answer stays away.
        setTimeout(async () => {
          partsSeen = await parts();
          ending.abort(new Error("enough"));
        }, 200);
        return { afterBytes: 0, then: "silence" };
      },
      async ({ endpoint }) => {
        const slow = await house.open({ endpoint, youngMs: 0 });
        await expect(slow.put(content(), { mediaType, signal: ending.signal })).rejects.toThrow("enough");
        await vi.waitFor(async () => expect(await parts()).toBe(0), { timeout: 15_000 });
        await slow.close();
      },
    );
    expect(partsSeen).toBe(1);
    expect(readdirSync(house.scratch)).toEqual([]);
    await store.close();
  });

  test("[CN41] finds what somebody else put first, and does not send again what is young", async () => {
    const content = randomBytes(100_000);
    const stores = await Promise.all(Array.from({ length: 6 }, () => house.open()));
    const references = await Promise.all(stores.map((store) => store.put(content, { mediaType })));
    const [reference] = references as [ArtifactReference];
    const place = { Bucket: house.bucket, Key: keyOf(reference) };
    const first = await house.raw.send(new HeadObjectCommand(place));
    await sleep(1_100);
    await stores[0]?.put(content, { mediaType });
    expect((await house.raw.send(new HeadObjectCommand(place))).LastModified).toEqual(first.LastModified);
    const older = await house.open({ youngMs: 500 });
    await older.put(content, { mediaType });
    expect((await house.raw.send(new HeadObjectCommand(place))).LastModified).not.toEqual(first.LastModified);
    await Promise.all([older, ...stores].map((store) => store.close()));
  });

  test("[CN42] refuses a server that cannot encrypt where that is required", async () => {
    const store = await house.open({ encryption: "required" });
    const putting = store.put(randomBytes(100), { mediaType });
    await expect(putting).rejects.toMatchObject({ code: "artifact-encryption-unavailable" });
    const inParts = store.put(randomBytes(partBytes + 1), { mediaType });
    await expect(inParts).rejects.toMatchObject({ code: "artifact-encryption-unavailable" });
    await store.close();
  });

  test("[CN42] stores nothing in the clear where the server encrypts", async () => {
    const encrypting = await openS3House({ encrypts: true });
    const secret = Buffer.from("a sentence that nobody else may read");
    const onDisk = (): string =>
      readdirSync(encrypting.server.data, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
        .join();
    try {
      const plain = await encrypting.open({ prefix: "plain/" });
      await plain.put(Buffer.from("a sentence for all"), { mediaType });
      expect(onDisk().includes("a sentence for all")).toBe(true);
      const store = await encrypting.open({ encryption: "required" });
      const reference = await store.put(secret, { mediaType });
      expect(onDisk().includes(secret.toString())).toBe(false);
      const head = await encrypting.raw.send(
        new HeadObjectCommand({ Bucket: encrypting.bucket, Key: keyOf(reference) }),
      );
      expect(head.ServerSideEncryption).toBe("AES256");
      expect(await contentOf(store.get(reference))).toEqual(secret);
      await Promise.all([plain.close(), store.close()]);
    } finally {
      await encrypting.close();
    }
  });

  test("[CN43] a link gives the content to anybody until it expires", async () => {
    const store = await house.open();
    const content = Buffer.from("for everybody, for a while");
    const reference = await store.put(content, { mediaType: "text/plain" });
    const link = (await store.link(reference, { validMs: 5_000 })) ?? "";
    const answer = await fetch(link);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain");
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(content);
    expect((await fetch(link.replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=999"))).status).toBe(403);
    await sleep(6_000);
    expect((await fetch(link)).status).toBe(403);
    const missing = { ...reference, digest: `sha256-${"0".repeat(64)}` };
    await expect(store.link(missing, { validMs: 2_000 })).rejects.toMatchObject({ code: "artifact-not-found" });
    for (const validMs of [0, 8 * 24 * 3_600_000, Number.NaN]) {
      await expect(store.link(reference, { validMs })).rejects.toMatchObject({ code: "artifact-invalid" });
    }
    await store.close();
  });

  test("[CN44] tries again over broken connections, and reads on where one broke", async () => {
    const content = randomBytes(3_000_000);
    const cut = (afterBytes: number): Trouble => ({ afterBytes, then: "cut" });
    await overBadLine(
      house,
      (connection) => (connection <= 2 ? cut(0) : connection <= 5 ? cut(1_200_000) : undefined),
      async (line) => {
        const store = await house.open({ endpoint: line.endpoint, timing });
        const reference = await store.put(content, { mediaType });
        expect((await contentOf(store.get(reference))).equals(content)).toBe(true);
        expect(line.count()).toBeGreaterThan(3);
        await store.close();
      },
    );
  });

  test("[CN44] tries again where the server is overloaded", async () => {
    let asked = 0;
    const server = await listening(
      createServer((_, response) => {
        response.writeHead(++asked < 3 ? 503 : 200).end();
      }),
    );
    const store = await house.open({ endpoint: server.endpoint, timing });
    expect(asked).toBe(3);
    await store.close();
    server.close();
  });

  test("[CN45] says that nobody answers, within its limits", async () => {
    const unreachable = { code: "artifact-store-unreachable", message: expect.stringContaining("127.0.0.1") };
    await expect(house.open({ endpoint: "http://127.0.0.1:1", timing })).rejects.toMatchObject(unreachable);
    const silent = await listening(createServer(() => undefined));
    const begun = Date.now();
    await expect(
      house.open({ endpoint: silent.endpoint, timing: { ...timing, attemptsMax: 2 } }),
    ).rejects.toMatchObject(unreachable);
    expect(Date.now() - begun).toBeLessThan(15_000);
    silent.close();
    const broken = await listening(createServer((_, response) => response.writeHead(500).end()));
    await expect(house.open({ endpoint: broken.endpoint, timing })).rejects.toMatchObject({
      code: "artifact-store-unreachable",
      message: expect.stringContaining("500"),
    });
    broken.close();
  });

  test("[CN45] does not wait for ever in the middle of an answer", async () => {
    const store = await house.open();
    const reference = await store.put(randomBytes(3_000_000), { mediaType });
    await overBadLine(
      house,
      (connection) => ({ afterBytes: connection === 1 ? 1_000_000 : 0, then: "silence" }),
      async ({ endpoint }) => {
        const slow = await house.open({ endpoint, timing: { ...timing, attemptsMax: 2 } });
        await expect(lengthOf(slow.get(reference))).rejects.toMatchObject({ code: "artifact-store-unreachable" });
        await slow.close();
      },
    );
    await store.close();
  }, 60_000);

  test.each<[string, (house: S3House) => Partial<S3Options>, string]>([
    ["no credentials", () => ({ environment: {} }), "artifact-credentials-missing"],
    [
      "half of them",
      ({ server }) => ({ environment: { AWS_ACCESS_KEY_ID: server.environment.AWS_ACCESS_KEY_ID } }),
      "artifact-credentials-missing",
    ],
    [
      "an unknown user",
      () => ({ environment: { AWS_ACCESS_KEY_ID: "nobody", AWS_SECRET_ACCESS_KEY: "hush-hush" } }),
      "artifact-store-denied",
    ],
    [
      "a wrong secret",
      ({ server }) => ({ environment: { ...server.environment, AWS_SECRET_ACCESS_KEY: "hush-hush" } }),
      "artifact-store-denied",
    ],
    ["another bucket", () => ({ bucket: "elsewhere" }), "artifact-bucket-not-found"],
  ])("[CN46] %s: said when it is opened", async (_, wrong, code) => {
    const error: Error = await house.open(wrong(house)).then(
      () => new Error("it was opened"),
      (reason) => reason,
    );
    expect(error).toMatchObject({ code });
    expect(error.message).not.toContain("hush-hush");
    expect(error.message).not.toContain(house.server.environment.AWS_SECRET_ACCESS_KEY);
  });

  test("[CN47] stores with different prefixes do not meet", async () => {
    const [one, two] = [await house.open({ prefix: "one/" }), await house.open({ prefix: "two/" })];
    const reference = await one.put(Buffer.from("mine"), { mediaType });
    expect(await two.has(reference)).toBe(false);
    const all = { putBefore: Date.now() + 60_000, keep: () => false };
    expect(await two.sweep(all)).toEqual({ removed: 0, bytes: 0 });
    expect(await one.has(reference)).toBe(true);
    expect(await one.sweep(all)).toEqual({ removed: 1, bytes: 4 });
    await Promise.all([one.close(), two.close()]);
  });
});

async function listening(server: Server): Promise<{ readonly endpoint: string; close(): void }> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening server has a port");
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Reads to the end, and shows little where a test fails. */
async function lengthOf(stream: AsyncIterable<Uint8Array>): Promise<number> {
  return (await contentOf(stream)).length;
}
