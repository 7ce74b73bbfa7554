// `npm test`: every vitest project in its short form, and one line at the end that says how it went. Options go to
// vitest (`npm test -- packages/definition`), but for these:
//   --slow             sets SLOW=1
//   --kernel-coverage  the kernel's tests run first, and must run all of it
//   --failed=NAME      what failed before the tests: named at the end, and counted

import { runKernelCovered } from "./testing/kernel-coverage.mjs";
import { runVitest } from "./testing/run-vitest.mjs";

const given = process.argv.slice(2);
const isSlow = given.includes("--slow");
const isCovering = given.includes("--kernel-coverage");
const failedPrefix = "--failed=";
const options = given.filter(
  (word) => !["--slow", "--kernel-coverage"].includes(word) && !word.startsWith(failedPrefix),
);
const env = isSlow ? { ...process.env, SLOW: "1" } : process.env;

const faults = given.filter((word) => word.startsWith(failedPrefix)).map((word) => word.slice(failedPrefix.length));
/** @type {import("./testing/run-vitest.mjs").Run[]} */
const runs = [];
if (isCovering) {
  const run = await runKernelCovered(env);
  runs.push(run);
  process.stdout.write(`${run.summary}\n`);
  if (run.status === 0 && !run.isCovered) faults.push(run.summary);
}
runs.push(await runVitest(options, isCovering ? { ...env, TESTED: "packages/kernel/**" } : env));

const sum = (/** @type {"passed" | "failed" | "skipped"} */ kind) => runs.reduce((count, run) => count + run[kind], 0);
for (const fault of faults) process.stdout.write(`tutti: failed beside the tests: ${fault}\n`);
process.stdout.write(`${sum("passed")} passed, ${sum("failed") + faults.length} failed, ${sum("skipped")} skipped\n`);
process.exitCode = runs.find(({ status }) => status !== 0)?.status ?? (faults.length > 0 ? 1 : 0);
