import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

/**
 * A folder for what the tests of one run make once for all of them: TUTTI_RUN_CACHE names it, and it goes with the run.
 * Who watches has none, for what is in it would not change with the sources.
 */
export function setup({ config }: TestProject): (() => void) | undefined {
  if (config.watch) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "tutti-run-"));
  process.env["TUTTI_RUN_CACHE"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
