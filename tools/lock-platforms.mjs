// `npm run lock`: completes package-lock.json after a dependency changed. npm leaves out of it the optional packages
// for other platforms when the registry at hand does not carry them, and `npm ci` then refuses the file everywhere.
// This adds them by the version that their parent names; npm adds the digest when it first sees the package.
// With --check it changes nothing and ends with 1 when something is missing.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const path = join(dirname(fileURLToPath(import.meta.url)), "..", "package-lock.json");
const systems = /(?:^|[-/@])(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)(?=$|[-/])/;
const processors = /(?:^|[-/@])(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|wasm32|x64)(?=$|[-/])/;

/** @typedef {{ version?: string, optionalDependencies?: Record<string, string>, dev?: boolean }} Entry */
/** @type {{ packages: Record<string, Entry> }} */
const lock = JSON.parse(readFileSync(path, "utf8"));

/** Whether Node would find `name` from the package at `from`. @param {string} from @param {string} name */
function isLocked(from, name) {
  const folders = from.split("/node_modules/");
  const places = folders.map(
    (_, index) => `${folders.slice(0, index + 1).join("/node_modules/")}/node_modules/${name}`,
  );
  return [...places, `node_modules/${name}`].some((place) => lock.packages[place] !== undefined);
}

/** @param {string} name @param {string} version @param {Entry} parent */
function entryFor(name, version, parent) {
  const system = systems.exec(name)?.[1];
  const processor = processors.exec(name)?.[1];
  const libc = /-musl/.test(name) ? "musl" : system === "linux" && /-gnu/.test(name) ? "glibc" : undefined;
  return {
    version,
    ...(processor === undefined ? {} : { cpu: [processor] }),
    ...(parent.dev ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    ...(system === undefined ? {} : { os: [system] }),
  };
}

/** @type {string[]} */
const added = [];
for (const [from, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (isLocked(from, name) || !/^\d/.test(version)) continue;
    lock.packages[`node_modules/${name}`] = entryFor(name, version, parent);
    added.push(`${name}@${version}`);
  }
}
const checking = process.argv.includes("--check");
for (const each of added) process.stderr.write(`${checking ? "missing" : "added"} in package-lock.json: ${each}\n`);
if (checking) {
  process.exitCode = added.length === 0 ? 0 : 1;
} else if (added.length > 0) {
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
}
