// PostgreSQL, for tests: `node tools/servers/postgres.mjs` prints the folder of its commands and installs it first if
// need be, where that is possible; with --find it installs nothing and says what is missing instead.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { argv, env, exit, getuid, stderr, stdout } from "node:process";

const needed = ["initdb", "postgres"];
/** Where Debian puts it, a folder a release, none of them on the PATH. */
const debian = "/usr/lib/postgresql";
const install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql"];

/** @returns {string | undefined} */
function found() {
  const releases = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...(env["PATH"] ?? "").split(delimiter), ...releases.map((each) => join(debian, each, "bin"))];
  return folders.find((folder) => needed.every((name) => existsSync(join(folder, name))));
}

if (found() === undefined) {
  const possible = getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  if (argv.includes("--find") || !possible) {
    stderr.write(`There is no PostgreSQL; this provides one: ${install.join(" ")}\n`);
    exit(3);
  }
  spawnSync("apt-get", ["update", "-q"], { stdio: ["ignore", 2, 2] });
  const [command = "", ...options] = install;
  if (spawnSync(command, options, { stdio: ["ignore", 2, 2] }).status !== 0 || found() === undefined) {
    stderr.write("PostgreSQL could not be installed: apt-get says why above.\n");
    exit(3);
  }
}
stdout.write(`${found()}\n`);
