// Tutti on a Temporal server beside a workflow written by hand for the same steps, which records the same rows in a
// log of the same kind. On a server of its own, with everything on this machine.

import { runTemporalBenchmarks } from "../../packages/engine/src/bench/temporal/measure.ts";

const words = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
await runTemporalBenchmarks((measured) => process.stdout.write(`${JSON.stringify(measured)}\n`), words);
