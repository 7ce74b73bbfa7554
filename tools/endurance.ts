// `npm run endurance -- kills | loop | units`: what takes long, in the package that it is about.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { root } from "./house/source.ts";

const [name, ...more] = process.argv.slice(2);
const [owner, words] = name === "units" ? ["cli", more] : ["engine", process.argv.slice(2)];
const main = join(root, "packages", owner, "src/endurance/main.ts");
const child = spawn(process.execPath, ["--conditions=@tutti/source", main, ...words], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
child.once("close", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
});
