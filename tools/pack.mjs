// `npm run pack:all -- FOLDER`: builds, packs every workspace into FOLDER/tarballs, and installs the tarballs into the
// empty FOLDER/installed as a user's npm would. Prints the path of the installed `tutti` command on stdout.

import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stepTimeoutMs = 10 * 60 * 1000;

/** Output goes to stderr: stdout has the result alone. @param {string[]} command @param {string} cwd */
function run(command, cwd) {
  const [name = "", ...args] = command;
  const result = spawnSync(name, args, { cwd, stdio: ["ignore", 2, 2], timeout: stepTimeoutMs, env: environment() });
  if (result.status === 0) return;
  process.stderr.write(
    `tutti: \`${command.join(" ")}\` failed: ${result.error?.message ?? `status ${result.status}`}\n`,
  );
  process.exit(1);
}

/**
 * As a user's shell would have it: npm's words to its scripts (prefix, workspace, …) must not reach the npm that installs
 * elsewhere, and that npm must run on the machine's own Node, whose global settings (proxy, certificates) it reads.
 */
function environment() {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|init_cwd$|node_path$|node_env$)/i.test(name));
  const path = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.endsWith(join("node_modules", ".bin")));
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
}

/** @returns {string[]} the workspaces that are not private */
function published() {
  const workspaces = globSync("packages/*/package.json", { cwd: root });
  return workspaces.filter((file) => JSON.parse(readFileSync(join(root, file), "utf8")).private !== true).map(dirname);
}

/** @param {string} folder @returns {string} path of the installed command */
function packInto(folder) {
  const tarballs = join(folder, "tarballs");
  const installed = join(folder, "installed");
  for (const each of [tarballs, installed]) {
    rmSync(each, { recursive: true, force: true });
    mkdirSync(each, { recursive: true });
  }
  run([process.execPath, join(root, "node_modules", "typescript", "bin", "tsc"), "-b"], root);
  const workspaces = published().flatMap((name) => ["--workspace", name]);
  run(["npm", "pack", ...workspaces, "--silent", "--pack-destination", tarballs], root);
  const files = readdirSync(tarballs).map((name) => join(tarballs, name));
  // `allowScripts` lets npm 12 and later run the script that unpacks the pinned Node; older ones do not know it.
  const manifest = { name: "empty", private: true, allowScripts: { node: true } };
  writeFileSync(join(installed, "package.json"), `${JSON.stringify(manifest)}\n`);
  run(["npm", "install", "--no-audit", "--no-fund", "--omit=dev", ...files], installed);
  const command = join(installed, "node_modules", ".bin", "tutti");
  if (existsSync(command)) return command;
  process.stderr.write(`tutti: the installation has no command at ${command}\n`);
  process.exit(1);
}

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write("usage: npm run pack:all -- FOLDER\n");
  process.exit(2);
}
process.stdout.write(`${packInto(resolve(folder))}\n`);
