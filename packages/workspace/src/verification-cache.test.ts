import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openVerificationCache, type Verification } from "./verification-cache.ts";

let folder: string;
let file: string;
let runs: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-cache-"));
  file = join(folder, "deep", "verified.jsonl");
  runs = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const check = async (): Promise<Verification> => {
  runs += 1;
  await new Promise((resolve) => setTimeout(resolve, 5));
  return { green: false, report: "3 failed" };
};
const [tree, other] = ["1".repeat(40), "2".repeat(40)];

test("[W82] the same tree under the same checks is verified once, across restarts", async () => {
  const cache = await openVerificationCache(file);
  const both = await Promise.all([1, 2].map(() => cache.verifyOnce({ tree, checks: ["npm test"] }, check)));
  expect(both).toEqual([
    { green: false, report: "3 failed", cached: false },
    { green: false, report: "3 failed", cached: true },
  ]);
  const reopened = await openVerificationCache(file);
  expect(await reopened.verifyOnce({ tree, checks: ["npm test"] }, check)).toMatchObject({ cached: true });
  expect(runs).toBe(1);
  await reopened.verifyOnce({ tree, checks: ["npm run build"] }, check);
  await reopened.verifyOnce({ tree: other, checks: ["npm test"] }, check);
  expect(runs).toBe(3);
});

test("[W82] a torn line costs one verification", async () => {
  const cache = await openVerificationCache(file);
  await cache.verifyOnce({ tree, checks: [] }, check);
  appendFileSync(file, '{"key":"half');
  const reopened = await openVerificationCache(file);
  await reopened.verifyOnce({ tree: other, checks: [] }, check);
  const again = await openVerificationCache(file);
  expect([again.get(tree, []), again.get(other, [])]).toMatchObject([{ green: false }, { green: false }]);
});

test("[W82] a check that could not run is not remembered", async () => {
  const cache = await openVerificationCache(file);
  const broken = cache.verifyOnce({ tree, checks: [] }, () => Promise.reject(new Error("no disk")));
  await expect(broken).rejects.toThrow("no disk");
  expect(cache.get(tree, [])).toBeUndefined();
  expect(await cache.verifyOnce({ tree, checks: [] }, check)).toMatchObject({ cached: false });
});
