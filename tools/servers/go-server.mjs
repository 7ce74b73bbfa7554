// A server written in Go, for tests: from the PATH, from the cache, or else built once into the cache.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { argv, env, exit, platform, stderr, stdout } from "node:process";

/**
 * @typedef {object} GoServer
 * @property {string} command name of the command
 * @property {string} title what people call it
 * @property {string} module Go's name of what to build
 * @property {string} version without the `v`
 * @property {string} script path of the script that provides it
 * @property {string} buildTime how long building takes, in words
 */

/**
 * Prints the path of the command and builds it first if need be; with --find it builds nothing and says what is missing
 * instead. Ends the process with status 3 where there is none.
 * @param {GoServer} server
 */
export async function provideGoServer(server) {
  const cache = join(
    env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
    "tutti",
    `${server.command}-${server.version}`,
  );
  if (found(server, cache) === undefined) {
    if (argv.includes("--find")) {
      stderr.write(`There is no ${server.title}; this provides one: node ${server.script}\n`);
      exit(3);
    }
    await build(server, cache);
  }
  stdout.write(`${found(server, cache)}\n`);
}

/** @param {GoServer} server @param {string} cache @returns {string | undefined} */
function found({ command }, cache) {
  const file = platform === "win32" ? `${command}.exe` : command;
  const onPath = (env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, file));
  return [...onPath, join(cache, file)].find((path) => existsSync(path));
}

/**
 * Builds beside the cache and moves the result there at once, so that two builds do not meet half a file.
 * @param {GoServer} server @param {string} cache
 */
async function build({ command, title, module, version, buildTime }, cache) {
  if (spawnSync("go", ["version"]).status !== 0) {
    stderr.write(`Expected '${command}' on the PATH, or Go (1.25 or later) to build it with, but there is neither.\n`);
    exit(3);
  }
  mkdirSync(dirname(cache), { recursive: true });
  const folder = mkdtempSync(`${cache}.`);
  stderr.write(`Building the ${title} ${version}: about ${buildTime} on two free cores, once.\n`);
  const begun = Date.now();
  const progress = setInterval(() => stderr.write(`… ${Math.round((Date.now() - begun) / 1_000)} s\n`), 30_000);
  const go = spawn("go", ["install", `${module}@v${version}`], {
    env: { ...env, GOBIN: folder },
    stdio: ["ignore", 2, 2],
  });
  const status = await new Promise((resolve) => go.once("exit", resolve));
  clearInterval(progress);
  if (status === 0 && !existsSync(cache)) renameSync(folder, cache);
  else rmSync(folder, { recursive: true, force: true });
  if (status === 0) return;
  stderr.write(`The ${title} could not be built: Go says why above.\n`);
  exit(3);
}
