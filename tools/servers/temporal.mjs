// Temporal's own server, for tests: `node tools/servers/temporal.mjs` prints the path of its command and builds it first
// if need be; with --find it builds nothing and says what is missing instead.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { argv, env, exit, platform, stderr, stdout } from "node:process";

const version = "1.5.1";
const file = platform === "win32" ? "temporal.exe" : "temporal";
const cache = join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tutti", `temporal-${version}`);

/** @returns {string | undefined} */
function found() {
  const onPath = (env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, file));
  return [...onPath, join(cache, file)].find((path) => existsSync(path));
}

/** Builds beside the cache and moves the result there at once, so that two builds do not meet half a file. */
async function build() {
  if (spawnSync("go", ["version"]).status !== 0) {
    stderr.write(`Expected 'temporal' on the PATH, or Go (1.25 or later) to build it with, but there is neither.\n`);
    exit(3);
  }
  mkdirSync(dirname(cache), { recursive: true });
  const folder = mkdtempSync(`${cache}.`);
  stderr.write(`Building the Temporal server ${version}: about three minutes on two free cores, once.\n`);
  const begun = Date.now();
  const progress = setInterval(() => stderr.write(`… ${Math.round((Date.now() - begun) / 1_000)} s\n`), 30_000);
  const go = spawn("go", ["install", `github.com/temporalio/cli/cmd/temporal@v${version}`], {
    env: { ...env, GOBIN: folder },
    stdio: ["ignore", 2, 2],
  });
  const status = await new Promise((resolve) => go.once("exit", resolve));
  clearInterval(progress);
  if (status === 0 && !existsSync(cache)) renameSync(folder, cache);
  else rmSync(folder, { recursive: true, force: true });
  if (status === 0) return;
  stderr.write("The Temporal server could not be built: Go says why above.\n");
  exit(3);
}

if (found() === undefined) {
  if (argv.includes("--find")) {
    stderr.write("There is no Temporal server; this provides one: node tools/servers/temporal.mjs\n");
    exit(3);
  }
  await build();
}
stdout.write(`${found()}\n`);
