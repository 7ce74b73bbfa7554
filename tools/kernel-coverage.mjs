// `npm run coverage:kernel`: fails unless the kernel's own tests run all of it. With --report it says what is not
// covered, and ends with 0 all the same.

import { runKernelCovered } from "./testing/kernel-coverage.mjs";

const { status, isCovered, summary } = await runKernelCovered();
process.stdout.write(`${summary}\n`);
process.exitCode = status !== 0 || isCovered || process.argv.includes("--report") ? status : 1;
