import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryArtifacts } from "@tutti/kernel/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FeatureDeps } from "./deps.ts";
import type { Applied } from "./model.ts";
import { caller, createWorld, planUnit, type World } from "./testing/setup.ts";
import { bringTranscripts, type KeptTranscript } from "./transcript.ts";

const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");
let world: World;
let away: string;

beforeEach(async () => {
  const script = {
    format: "tutti-script/1",
    tasks: { a: [{ steps: [{ write: { path: "b.txt", content: "b\n" } }] }] },
  };
  world = await createWorld({
    base: { "a.txt": "a\n" },
    script: JSON.stringify(script),
    options: { sandbox: "none" },
  });
  away = mkdtempSync(join(tmpdir(), "tutti-away-"));
});

afterEach(() => {
  world.remove();
  rmSync(away, { recursive: true, force: true });
});

async function apply(more: Partial<FeatureDeps>): Promise<Applied> {
  const { base } = world.context.repository;
  const fixed = { feature: "F", context: world.context, plan: { requirements: [], prepare: [] }, unit: planUnit("a") };
  const loop = { round: 1, attempt: 1, tier: "standard", base, origin: base, start: base, checks: ["true"] };
  const input = { ...fixed, ...loop, feedback: [], usage: {} };
  const { applied } = await caller({ ...world.deps, ...more }).result<{ readonly applied: Applied }>(
    "unit.apply",
    input,
  );
  return applied;
}

test("[F9] a transcript travels through the store to a machine that has not got it, and is checked there", async () => {
  const artifacts = memoryArtifacts(sha256);
  const { transcript } = await apply({ artifacts: async () => artifacts });
  expect(transcript).toMatchObject({ file: "1.jsonl", artifact: { mediaType: "application/x-ndjson" } });
  const kept = [transcript as KeptTranscript];
  const here = readFileSync(join(world.deps.stateDir, "transcripts", "r1", "a", "1.jsonl"), "utf8");
  const folder = join(away, "a");
  await bringTranscripts(kept, { folder, artifacts: async () => artifacts });
  expect(readFileSync(join(folder, "1.jsonl"), "utf8")).toBe(here);
  // What is there already needs no store.
  await bringTranscripts(kept, { folder, artifacts: () => Promise.reject(new Error("nobody asks")) });

  rmSync(join(folder, "1.jsonl"));
  artifacts.stored.set(kept[0]?.artifact.digest ?? "", Buffer.from("something else"));
  const damaged = bringTranscripts(kept, { folder, artifacts: async () => artifacts });
  await expect(damaged).rejects.toMatchObject({ code: "artifact-damaged" });
  expect(readdirSync(folder)).toEqual([]);
  await expect(
    bringTranscripts([{ ...(kept[0] as KeptTranscript), file: "../../out" }], {
      folder,
      artifacts: async () => artifacts,
    }),
  ).rejects.toMatchObject({ code: "artifact-damaged" });
  expect(existsSync(join(away, "..", "out"))).toBe(false);
});

test("[F9] without a store nothing is said of it, and one that cannot be used fails no attempt", async () => {
  expect(await apply({})).not.toHaveProperty("transcript");
  const log: string[] = [];
  const applied = await apply({
    artifacts: () => Promise.reject(new Error("the store is away")),
    log: (line) => log.push(line),
  });
  expect(applied).toMatchObject({ claim: "completed", failure: null });
  expect(applied).not.toHaveProperty("transcript");
  expect(log).toEqual([expect.stringContaining("the store is away")]);
});
