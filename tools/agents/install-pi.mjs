// Installs the coding agent that the acp end-to-end test drives (Pi with its ACP adapter, about 170 MB) into the
// user's cache, so that `npm ci` stays light. Prints the folder of its commands; with --find it installs nothing and
// prints nothing when they are not there. Runs on any Node.js from 18.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const packages = ["@earendil-works/pi-coding-agent@0.87.1", "pi-acp@0.0.34"];
const installMsMax = 300_000;

function piFolder() {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "tutti", "agents", "pi-0.87.1-acp-0.0.34");
}

/** The folder with `pi` and `pi-acp`, when they are installed. */
function installedPi() {
  const commands = join(piFolder(), "node_modules", ".bin");
  return existsSync(join(commands, "pi-acp")) && existsSync(join(commands, "pi")) ? commands : undefined;
}

function installPi() {
  const installed = installedPi();
  if (installed !== undefined) return installed;
  const folder = piFolder();
  mkdirSync(dirname(folder), { recursive: true });
  // Beside its place and renamed when complete: an interrupted install is never taken for one.
  const partial = mkdtempSync(`${folder}.partial-`);
  try {
    writeFileSync(join(partial, "package.json"), '{ "private": true }\n');
    const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", ...packages];
    execFileSync("npm", args, { cwd: partial, stdio: ["ignore", "ignore", "inherit"], timeout: installMsMax });
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return installedPi();
}

if (process.argv[2] === "--find") {
  console.log(installedPi() ?? "");
} else {
  const commands = installPi();
  if (commands === undefined) throw new Error("npm reported success, but the commands pi and pi-acp are not there");
  console.log(commands);
}
