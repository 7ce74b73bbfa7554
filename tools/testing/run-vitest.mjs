// Runs vitest and counts what became of the tests.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** @typedef {{ status: number, passed: number, failed: number, skipped: number }} Run */

/**
 * What it says goes to this process's own streams. A run that fails in whatever way has something in `failed`.
 * @param {string[]} options @param {NodeJS.ProcessEnv} [env] @returns {Promise<Run>}
 */
export async function runVitest(options, env = process.env) {
  const folder = mkdtempSync(join(tmpdir(), "tutti-test-"));
  const report = join(folder, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const status = await ended([vitestEntry(), "run", ...reporters, ...options], env);
    return { status, ...counts(report, status) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns {string} the file that the `vitest` command runs */
function vitestEntry() {
  const manifest = createRequire(import.meta.url).resolve("vitest/package.json");
  return join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.vitest);
}

/** @param {string[]} words @param {NodeJS.ProcessEnv} env @returns {Promise<number>} exit status */
function ended(words, env) {
  const child = spawn(process.execPath, words, { cwd: root, stdio: "inherit", env });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.once(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("error", (error) => {
      process.stderr.write(`tutti: vitest did not start: ${error.message}\n`);
      resolve(1);
    });
    child.on("close", (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  });
}

/** @param {string} report @param {number} status */
function counts(report, status) {
  const found = readCounts(report);
  if (found === undefined) return { passed: 0, failed: 1, skipped: 0 };
  // An error outside every test (an unhandled rejection, a worker that died) fails the run without failing a test.
  if (status !== 0 && found.failed === 0) {
    process.stderr.write(`tutti: every test passed, yet vitest ended with status ${status}: see the errors above.\n`);
    return { ...found, failed: 1 };
  }
  return found;
}

/**
 * A file that could not even be loaded has no tests in the report: it counts as one that failed.
 * @param {string} report @returns {{ passed: number, failed: number, skipped: number } | undefined} undefined when
 * vitest left none
 */
function readCounts(report) {
  try {
    const found = JSON.parse(readFileSync(report, "utf8"));
    const broken = found.testResults.filter(
      (/** @type {any} */ file) => file.status === "failed" && !file.assertionResults.some(isFailed),
    );
    return {
      passed: found.numPassedTests,
      failed: found.numFailedTests + broken.length,
      skipped: found.numPendingTests + found.numTodoTests,
    };
  } catch {
    return undefined;
  }
}

/** @param {{ status: string }} result */
function isFailed(result) {
  return result.status === "failed";
}
