// The scripted agent's own program: started as a process of its own, like every agent, so that capture, gates and
// tests meet its edits as they would meet any other's. Reads one JSON document on standard input, edits files below
// its working directory, reports in JSON lines. Imports nothing but Node.js: it must start in an empty cage.

import { spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ScriptAttempt, ScriptStep, ScriptWrite } from "./script.ts";

const beatMs = 2_000;

// An agent whose owner was killed goes on as an orphan until it is ended: that its reports find no reader must not
// end it early, or the crash tests would test less than what real agents do.
process.stdout.on("error", () => undefined);

async function main(): Promise<void> {
  const attempt = JSON.parse(readFileSync(0, "utf8")) as ScriptAttempt;
  await pause(attempt.delayMs);
  for (const step of attempt.steps) await perform(step);
  await misbehave(attempt.misbehave);
  report({ type: "outcome", outcome: attempt.outcome });
}

function report(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function pause(delayMs: number): Promise<void> {
  for (let left = delayMs; left > 0; left -= beatMs) {
    await sleep(Math.min(left, beatMs));
    report({ type: "heartbeat" });
  }
}

async function perform(step: ScriptStep): Promise<void> {
  if ("say" in step) report({ type: "message", text: step.say });
  else if ("heartbeat" in step) report({ type: "heartbeat" });
  else if ("delayMs" in step) await pause(step.delayMs);
  else edit(step);
}

type Edit = Exclude<ScriptStep, { say: string } | { heartbeat: object } | { delayMs: number }>;

function edit(step: Edit): void {
  const [name = "", detail] = Object.entries(step)[0] ?? [];
  const path = resolve((detail as { path: string }).path);
  if ("write" in step) write(path, step.write);
  else if ("replace" in step) replace(path, step.replace);
  else if ("append" in step) append(path, step.append.content);
  else if ("delete" in step) rmSync(path, { recursive: true, force: true });
  else if (!isLinkTo(path, step.symlink.target)) symlinkSync(step.symlink.target, path);
  report({ type: "tool", name, path: (detail as { path: string }).path });
}

function write(path: string, detail: ScriptWrite): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, detail.content ?? "");
  if (detail.executable !== undefined) chmodSync(path, detail.executable ? 0o755 : 0o644);
}

// The work loop goes on from the tree of the attempt before, so a script meets its own edits when its last entry
// repeats: an edit that is already there is done.

function replace(path: string, detail: { path: string; find: string; with: string }): void {
  const text = readFileSync(path, "utf8");
  const found = count(text, detail.find);
  const done = count(text, detail.with);
  if (done > 0 && found === done * count(detail.with, detail.find)) return;
  if (found !== 1) {
    throw new Error(`Expected the text to replace exactly once in '${detail.path}', but found it ${found} times.`);
  }
  // Not String.replace: a dollar sign in the new text means itself.
  writeFileSync(path, text.split(detail.find).join(detail.with));
}

function count(text: string, part: string): number {
  return part === "" ? 0 : text.split(part).length - 1;
}

function append(path: string, content: string): void {
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (!before.endsWith(content)) appendFileSync(path, content);
}

function isLinkTo(path: string, target: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(path) === target;
}

async function misbehave(how: ScriptAttempt["misbehave"]): Promise<void> {
  if (how === "crash") process.kill(process.pid, "SIGKILL");
  if (how === "hang") await new Promise(() => setInterval(() => undefined, 60_000));
  if (how === "flood") await flood();
  if (how === "leave-child") leaveChild();
  if (how === "exit-nonzero") process.exit(3);
  if (how === "garbage-output") {
    process.stdout.write("this is not JSON {\n");
    process.exit(0);
  }
}

async function flood(): Promise<void> {
  const block = "x".repeat(65_536);
  for (;;) {
    if (!process.stdout.write(`${block}\n`)) await new Promise((drained) => process.stdout.once("drain", drained));
  }
}

/** A child in a session of its own that goes on writing after the agent has said that it is done. */
function leaveChild(): void {
  const late = "setInterval(() => require('fs').appendFileSync('left-behind.txt', 'late\\n'), 300)";
  spawn(process.execPath, ["-e", late], { detached: true, stdio: "ignore" }).unref();
}

try {
  await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  report({ type: "outcome", outcome: { fail: { code: "agent-failed", message, retryable: true } } });
}
