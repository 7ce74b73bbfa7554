#!/usr/bin/env node
// The `tutti` command. It needs Node 24. On an older one it goes on with the Node that is installed beside it (the npm
// package `node`), or says in one line what is missing. This file must run on any Node since 12.17.

import { spawn } from "child_process";
import { existsSync, readFileSync } from "fs";
import { createRequire } from "module";
import { constants } from "os";
import { dirname, join } from "path";
import { fileURLToPath, pathToFileURL } from "url";

const nodeMajorMin = 24;
const main = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "main.js");

/** @param {string} message */
function fail(message) {
  process.stderr.write(`tutti: ${message}\n`);
  process.exitCode = 1;
}

/** @returns {string | undefined} the folder of the npm package `node`, when it is there and new enough */
function nodePackage() {
  try {
    const manifestPath = createRequire(import.meta.url).resolve("node/package.json");
    const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));
    return Number(manifest.version.split(".")[0]) >= nodeMajorMin ? dirname(manifestPath) : undefined;
  } catch {
    // Not installed; the caller says so.
    return undefined;
  }
}

/** @param {string} executable */
function goOnWith(executable) {
  const child = spawn(executable, process.execArgv.concat(main, process.argv.slice(2)), { stdio: "inherit" });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    // A terminal sends Ctrl-C to both processes; passing it on as well would look like a second, impatient one.
    process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY ? undefined : child.kill(signal)));
  }
  child.on("error", (error) => fail(`Node at ${executable} does not start (${error.message}); reinstall @tutti/cli.`));
  child.on("close", (code, signal) => {
    process.exitCode = signal === null ? (code === null ? 1 : code) : 128 + constants.signals[signal];
  });
}

function start() {
  if (!existsSync(main))
    return fail("is not built here: run `npm run build`, or use `npm run tutti --` from the sources.");
  if (Number(process.versions.node.split(".")[0]) >= nodeMajorMin) return import(pathToFileURL(main).href);
  const found = nodePackage();
  const executable = found && join(found, "bin", process.platform === "win32" ? "node.exe" : "node");
  if (executable && existsSync(executable)) return goOnWith(executable);
  const wayOut = found
    ? `the one beside it is not unpacked: run \`npm rebuild node --ignore-scripts=false\` in ${dirname(dirname(found))}`
    : "install it from https://nodejs.org";
  return fail(`needs Node ${nodeMajorMin} or later, this is ${process.versions.node}; ${wayOut}.`);
}

void start();
