// `npm test`: every vitest project in its short form, and one line at the end that says how it went. Options go to
// vitest (`npm test -- packages/kernel`); `--slow` sets SLOW=1.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = mkdtempSync(join(tmpdir(), "tutti-test-"));
const report = join(folder, "report.json");

/** @returns {string} the file that the `vitest` command runs */
function vitestEntry() {
  const manifest = createRequire(import.meta.url).resolve("vitest/package.json");
  return join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.vitest);
}

/** @param {string[]} options @param {NodeJS.ProcessEnv} env @returns {Promise<number>} exit status */
function runVitest(options, env) {
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [vitestEntry(), "run", ...reporters, ...options], {
    cwd: root,
    stdio: "inherit",
    env,
  });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("error", (error) => {
      process.stderr.write(`tutti: vitest did not start: ${error.message}\n`);
      resolve(1);
    });
    child.on("close", (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  });
}

/**
 * A file that could not even be loaded has no tests in the report: it counts as one that failed.
 * @returns {{ passed: number, failed: number, skipped: number } | undefined} undefined when vitest left no report
 */
function readCounts() {
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

const given = process.argv.slice(2);
const options = given.filter((option) => option !== "--slow");
const env = given.length === options.length ? process.env : { ...process.env, SLOW: "1" };
const status = await runVitest(options, env);
const counts = readCounts() ?? { passed: 0, failed: 1, skipped: 0 };
rmSync(folder, { recursive: true, force: true });
// An error outside every test (an unhandled rejection, a worker that died) fails the run without failing a test.
if (status !== 0 && counts.failed === 0) {
  process.stderr.write(`tutti: every test passed, yet vitest ended with status ${status}: see the errors above.\n`);
  counts.failed = 1;
}
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = status === 0 && counts.failed > 0 ? 1 : status;
