import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArtifactReference, ArtifactStore } from "@tutti/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contentOf } from "../conformance/artifact-store.suite.ts";
import { openFolderArtifactStore } from "./folder.ts";
import { artifactKey } from "./seal.ts";

const mediaType = "application/octet-stream";
const secret = Buffer.from("a sentence that nobody else may read");
const key = artifactKey(new Uint8Array(32).fill(1));
let folder: string;
let store: ArtifactStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tutti-artifacts-"));
  store = await openFolderArtifactStore({ folder: join(folder, "artifacts") });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function pathOf({ digest }: ArtifactReference, ending = ""): string {
  const hex = digest.slice("sha256-".length);
  return join(folder, "artifacts", hex.slice(0, 2), `${hex}${ending}`);
}

function sealedStore(fill = 1): Promise<ArtifactStore> {
  return openFolderArtifactStore({
    folder: join(folder, "artifacts"),
    key: artifactKey(new Uint8Array(32).fill(fill)),
  });
}

test("[CN20] files are their owner's alone, and unfinished ones have no name yet", async () => {
  async function* slowly(): AsyncGenerator<Uint8Array> {
    for (let piece = 0; piece < 10_000; piece++) yield secret;
    const aside = readdirSync(join(folder, "artifacts", "incoming"));
    expect(aside).toHaveLength(1);
    expect(statSync(join(folder, "artifacts", "incoming", aside[0] ?? "")).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, "artifacts"))).toEqual(["incoming"]);
  }
  const reference = await store.put(slowly(), { mediaType });
  expect(statSync(pathOf(reference)).mode & 0o777).toBe(0o600);
  expect(statSync(join(pathOf(reference), "..")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, "artifacts", "incoming"))).toEqual([]);
});

test("[CN21] a link, a pipe or a folder in the place of an artifact is refused, a link as a folder too", async () => {
  const reference = await store.put(secret, { mediaType });
  const outside = join(folder, "outside");
  writeFileSync(outside, secret);
  for (const replace of [
    () => symlinkSync(outside, pathOf(reference)),
    () => expect(spawnSync("mkfifo", [pathOf(reference)]).status).toBe(0),
    () => mkdirSync(pathOf(reference)),
  ]) {
    rmSync(pathOf(reference), { recursive: true });
    replace();
    const refused = { code: "artifact-damaged", message: expect.stringContaining(reference.digest) };
    await expect(contentOf(store.get(reference))).rejects.toMatchObject(refused);
  }
  rmSync(join(pathOf(reference), ".."), { recursive: true });
  mkdirSync(join(folder, "elsewhere"));
  symlinkSync(join(folder, "elsewhere"), join(pathOf(reference), ".."));
  await expect(store.put(secret, { mediaType })).rejects.toMatchObject({ code: "artifact-store-failed" });
  await expect(store.sweep({ putBefore: Date.now(), keep: () => false })).rejects.toMatchObject({
    code: "artifact-store-failed",
  });
  expect(readdirSync(join(folder, "elsewhere"))).toEqual([]);
});

test("[CN22] putting again mends what was damaged", async () => {
  const reference = await store.put(secret, { mediaType });
  writeFileSync(pathOf(reference), "x".repeat(secret.length));
  await expect(contentOf(store.get(reference))).rejects.toMatchObject({ code: "artifact-damaged" });
  await store.put(secret, { mediaType });
  expect(await contentOf(store.get(reference))).toEqual(secret);
});

test("[CN23] what a killed put left aside goes after a day, not before", async () => {
  const incoming = join(folder, "artifacts", "incoming");
  for (const [name, hours] of [
    ["old", 25],
    ["young", 1],
  ] as const) {
    writeFileSync(join(incoming, name), "half");
    const at = new Date(Date.now() - hours * 3_600_000);
    utimesSync(join(incoming, name), at, at);
  }
  expect(await store.sweep({ putBefore: Date.now(), keep: () => true })).toEqual({ removed: 0, bytes: 0 });
  expect(readdirSync(incoming)).toEqual(["young"]);
});

test("[CN24] without a key any tool can check a file", async () => {
  const reference = await store.put(secret, { mediaType });
  const file = readFileSync(pathOf(reference));
  expect(`sha256-${createHash("sha256").update(file).digest("hex")}`).toBe(reference.digest);
});

test("[CN25] a folder that cannot be used is said in the system's words", async () => {
  writeFileSync(join(folder, "file"), "");
  const open = openFolderArtifactStore({ folder: join(folder, "file", "artifacts") });
  await expect(open).rejects.toMatchObject({
    code: "artifact-store-failed",
    message: expect.stringContaining("ENOTDIR"),
  });
  rmSync(join(folder, "artifacts"), { recursive: true });
  await expect(store.put(secret, { mediaType })).rejects.toMatchObject({
    code: "artifact-store-failed",
    message: expect.stringContaining("ENOENT"),
  });
});

test("[CN30] nothing is on the disk in the clear, also not while it is put, and names do not change", async () => {
  const sealed = await sealedStore();
  const everything = (): string =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((name) => join(folder, name))
      .filter((path) => lstatSync(path).isFile())
      .map((path) => readFileSync(path, "latin1"))
      .join();
  async function* content(look: () => void): AsyncGenerator<Uint8Array> {
    // More than one segment, so that the first has been written at the end.
    for (let piece = 0; piece < 10_000; piece++) yield secret;
    look();
  }
  const look = (): void => {
    expect(everything().length).toBeGreaterThan(65_536);
    expect(everything()).not.toContain(secret.toString());
  };
  const reference = await sealed.put(content(look), { mediaType });
  expect(everything()).not.toContain(secret.toString());
  expect(
    await store.put(
      content(() => undefined),
      { mediaType },
    ),
  ).toEqual(reference);
  expect(everything()).toContain(secret.toString());
});

test("[CN31] another key and no key are refused by name", async () => {
  const reference = await (await sealedStore()).put(secret, { mediaType });
  const other = await sealedStore(2);
  const told = expect.stringContaining(reference.digest);
  await expect(contentOf(other.get(reference))).rejects.toMatchObject({
    code: "artifact-key-wrong",
    message: told,
    details: { expected: key.id, actual: expect.not.stringContaining(key.id) },
  });
  await expect(contentOf(store.get(reference))).rejects.toMatchObject({ code: "artifact-key-missing", message: told });
});

test("[CN32] every byte of a sealed file counts, and so does the order of its parts", async () => {
  const sealed = await sealedStore();
  const content = randomBytes(150_000);
  const reference = await sealed.put(content, { mediaType });
  const path = pathOf(reference, ".sealed");
  const whole = readFileSync(path);
  const [header, segment] = [48, 65_536 + 16];
  expect(whole.length).toBe(header + content.length + 3 * 16);
  const first = whole.subarray(header, header + segment);
  const second = whole.subarray(header + segment, header + 2 * segment);
  const third = whole.subarray(header + 2 * segment);
  const flipped = (at: number): Buffer => Buffer.from(whole.map((byte, index) => (index === at ? byte ^ 1 : byte)));
  const wrong: Buffer[] = [
    ...[0, 7, 20, 47, 48, 65_000, header + segment - 1, whole.length - 1].map(flipped),
    ...[0, 30, 48, 50, header + segment, header + 2 * segment].map((length) => whole.subarray(0, length)),
    Buffer.concat([whole.subarray(0, header), second, first, third]),
    Buffer.concat([whole.subarray(0, header), first, third]),
    Buffer.concat([whole, third]),
  ];
  for (const stored of wrong) {
    writeFileSync(path, stored);
    await expect(contentOf(sealed.get(reference))).rejects.toMatchObject({ code: "artifact-damaged" });
  }
  writeFileSync(path, flipped(8));
  await expect(contentOf(sealed.get(reference))).rejects.toMatchObject({ code: "artifact-key-wrong" });
  writeFileSync(path, whole);
  expect((await contentOf(sealed.get(reference))).equals(content)).toBe(true);
});

test("[CN33] with a key what is in the clear stays readable, and is sealed when it is put again", async () => {
  const reference = await store.put(secret, { mediaType });
  const sealed = await sealedStore();
  expect(await contentOf(sealed.get(reference))).toEqual(secret);
  await sealed.put(secret, { mediaType });
  expect(existsSync(pathOf(reference))).toBe(false);
  expect(await contentOf(sealed.get(reference))).toEqual(secret);
});
