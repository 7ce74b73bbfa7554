import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openArtifactStore } from "@tutti/connect";
import type { ArtifactReference } from "@tutti/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { policyOf } from "./commands/clean.ts";
import { CliHouse } from "./testing/cli-house.ts";

const dayMs = 86_400_000;

let house: CliHouse;
beforeEach(async () => {
  house = await CliHouse.open();
});
afterEach(() => house.close());

/** Puts texts into the folder of artifacts, each as many days ago as is said. */
async function put(...texts: readonly (readonly [text: string, daysAgo: number])[]): Promise<ArtifactReference[]> {
  const store = await openArtifactStore({ setting: "folder", stateDir: house.state, environment: {} });
  const references: ArtifactReference[] = [];
  for (const [text, daysAgo] of texts) {
    const reference = await store.put(Buffer.from(text), { mediaType: "text/plain" });
    references.push(reference);
    const at = new Date(Date.now() - daysAgo * dayMs);
    const hex = reference.digest.replace("sha256-", "");
    await utimes(join(house.state, "artifacts", hex.slice(0, 2), hex), at, at);
  }
  await store.close();
  return references;
}

async function left(references: readonly ArtifactReference[]): Promise<readonly boolean[]> {
  const store = await openArtifactStore({ setting: "folder", stateDir: house.state, environment: {} });
  const found = await Promise.all(references.map((reference) => store.has(reference)));
  await store.close();
  return found;
}

test("[C120] clean removes what is old, but nothing that an open instance names", async () => {
  const file = join(house.folder, "ask.yaml");
  const variables = { report: "object" };
  await writeFile(file, stringify({ process: "ask", variables, steps: { choose: { user: { title: "Which?" } } } }));
  expect((await house.tutti("process", "deploy", file)).exit).toBe(0);
  const references = await put(["named by who is open", 40], ["needed by nobody", 40], ["old, but not that old", 20]);
  const vars = JSON.stringify({ report: references[0] });
  expect((await house.tutti("process", "start", "ask", "--id", "one", "--vars", vars)).exit).toBe(0);
  expect(await house.json("clean")).toEqual({ removed: 1, bytes: "needed by nobody".length });
  expect(await left(references)).toEqual([true, false, true]);
  // Once it has ended nobody needs what it named; without an owner it is the same.
  expect((await house.tutti("task", "complete", "one:1", "--result", "{}")).exit).toBe(0);
  expect((await house.tutti("stop")).exit).toBe(0);
  expect((await house.tutti("clean", "--days", "10")).stdout).toContain("2 artifacts removed");
  expect(await left(references)).toEqual([false, false, false]);
});

test("[C120] what was put since the oldest that is open began stays, however old it is", () => {
  const [now, began] = [Date.now(), Date.now() - 90 * dayMs];
  const open = policyOf({ since: began, digests: new Set(["sha256-a"]) }, now - 30 * dayMs);
  expect(open.putBefore).toBe(began - 3_600_000);
  expect([open.keep("sha256-a"), open.keep("sha256-b")]).toEqual([true, false]);
  const idle = policyOf({ since: Number.POSITIVE_INFINITY, digests: new Set() }, now - 30 * dayMs);
  expect(idle.putBefore).toBe(now - 30 * dayMs);
});

test("[C120] a folder that others can read and that holds other things is left as it is", async () => {
  const folder = join(house.folder, "home-of-ann");
  await mkdir(folder, { mode: 0o755 });
  await writeFile(join(folder, "thesis.txt"), "");
  const { exit, stderr } = await house.tutti("clean", "--state", folder);
  expect([exit, stderr]).toEqual([1, expect.stringContaining("state-unusable")]);
  expect(await readdir(folder)).toEqual(["thesis.txt"]);
});

test("[C120] a PostgreSQL without a store of artifacts has nothing to clean, and that is said", async () => {
  const { exit, stderr } = await house.tutti("clean", "--store", "postgres://127.0.0.1:1/none");
  expect(exit).toBe(2);
  expect(stderr).toContain("artifacts-unnamed");
});
