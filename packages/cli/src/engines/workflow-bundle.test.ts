import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { workflowBundle } from "./workflow-bundle.ts";

const cache = mkdtempSync(join(tmpdir(), "tutti-cache-"));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

test("[C111] in a checkout it is made once and kept under its content", async () => {
  vi.stubEnv("XDG_CACHE_HOME", cache);
  const { code } = await workflowBundle();
  const folder = join(cache, "tutti");
  const [file = "", ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  expect(statSync(join(folder, file)).size).toBe(Buffer.byteLength(code));
  // What lies there is taken as it is: nothing is made again.
  writeFileSync(join(folder, file), "kept");
  expect(await workflowBundle()).toEqual({ code: "kept" });
}, 120_000);
