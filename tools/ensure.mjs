// Runs before `demo`, `test`, `check` and `bench`, so that a fresh clone needs no other command first. It installs what
// package-lock.json asks for when it is not there, and costs a few milliseconds when it is. It runs on whatever Node
// the machine has (18 or later), before any dependency exists, hence plain JavaScript and no imports from npm.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const nodeMajorMin = 18;
/** `git merge-tree --stdin` came with it. */
const gitMin = { major: 2, minor: 39 };
const installTimeoutMs = 15 * 60 * 1000;

/** @param {string} message @returns {never} */
function stop(message) {
  process.stderr.write(`tutti: ${message}\n`);
  process.exit(1);
}

/** @param {string} path @returns {any} undefined when the file is missing or is not JSON */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * npm leaves out packages that are optional or meant for another machine; nothing else may be missing.
 * @param {{ optional?: boolean, devOptional?: boolean, peer?: boolean, os?: string[], cpu?: string[] }} entry
 */
function mayBeAbsent(entry) {
  return Boolean(entry.optional || entry.devOptional || entry.peer || entry.os || entry.cpu);
}

/**
 * The first package of package-lock.json that node_modules lacks or has in another version; undefined when none does.
 * npm writes node_modules/.package-lock.json last, so an interrupted installation never looks complete.
 * @returns {string | undefined}
 */
function firstMissingPackage() {
  const wanted = readJson("package-lock.json");
  if (wanted === undefined)
    stop("package-lock.json is missing or unreadable; restore it with `git checkout package-lock.json`.");
  const installed = readJson("node_modules/.package-lock.json");
  if (installed === undefined) return "node_modules";
  for (const [path, entry] of Object.entries(wanted.packages)) {
    if (!path.includes("node_modules/") || mayBeAbsent(entry)) continue;
    const present = installed.packages[path];
    if (present === undefined) return path;
    if (present.version !== entry.version || Boolean(present.link) !== Boolean(entry.link)) return path;
  }
  return undefined;
}

/** The pinned Node is fetched by an install script, which some npm settings skip. @returns {boolean} */
function pinnedNodeIsThere() {
  return existsSync(join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node"));
}

/**
 * Output goes to stderr: stdout belongs to the command that follows.
 * @param {string[]} args @param {{ cwd?: string }} [options] @returns {boolean} whether it succeeded
 */
function runNpm(args, options = {}) {
  const npmScript = process.env["npm_execpath"];
  // The Node that runs npm, not the pinned one: `npm ci` deletes the pinned one on its way.
  const node = process.env["npm_node_execpath"] ?? process.execPath;
  const viaScript = npmScript?.endsWith(".js") && existsSync(npmScript) && existsSync(node) ? npmScript : undefined;
  const [command, prefix] = viaScript === undefined ? ["npm", []] : [node, [viaScript]];
  const result = spawnSync(command, [...prefix, ...args], {
    cwd: options.cwd ?? root,
    stdio: ["ignore", 2, 2],
    timeout: installTimeoutMs,
    shell: process.platform === "win32" && viaScript === undefined,
  });
  if (result.error !== undefined && "code" in result.error && result.error.code === "ENOENT") {
    stop("npm is missing: install Node 18 or later together with npm, then run this again.");
  }
  return result.status === 0;
}

function checkGit() {
  const result = spawnSync("git", ["--version"], { encoding: "utf8" });
  const way = `install git ${gitMin.major}.${gitMin.minor} or later`;
  if (result.error !== undefined || result.status !== 0) stop(`git is missing: ${way}, then run this again.`);
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(result.stdout) ?? []).map(Number);
  if (major < gitMin.major || (major === gitMin.major && minor < gitMin.minor)) {
    stop(`git ${major}.${minor} is too old: ${way}, then run this again.`);
  }
}

function ensure() {
  const nodeMajor = Number(process.versions.node.split(".")[0]);
  if (nodeMajor < nodeMajorMin) {
    stop(
      `Node ${process.versions.node} is too old to install with: install Node ${nodeMajorMin} or later, then run this again.`,
    );
  }
  checkGit();
  const missing = firstMissingPackage();
  if (missing !== undefined) {
    process.stderr.write(`tutti: installing packages (${missing} is missing or out of date) …\n`);
    if (!runNpm(["ci", "--include=dev", "--loglevel=error", "--no-audit", "--no-fund"])) {
      stop(
        `could not install packages: \`npm ci\` failed, see above (${missing} was missing); it needs the npm registry and a writable folder.`,
      );
    }
    const still = firstMissingPackage();
    if (still !== undefined)
      stop(`\`npm ci\` ran, but ${still} is still missing; delete node_modules and run this again.`);
  }
  if (pinnedNodeIsThere()) return;
  process.stderr.write("tutti: fetching the pinned Node …\n");
  if (!runNpm(["rebuild", "node", "--loglevel=error", "--ignore-scripts=false"]) || !pinnedNodeIsThere()) {
    stop(
      "the pinned Node 24 is missing: its install script did not run; run `npm rebuild node --ignore-scripts=false` to see why.",
    );
  }
}

ensure();
