import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { extname } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AppError } from "@tutti/kernel";
import type { Health } from "@tutti/protocol";
import { asEnvironment } from "../configuration.ts";
import { codeOf, type Problem, RemoteError } from "../problem.ts";
import { ensureFolder, type StateFolder } from "../state.ts";
import { version } from "../version.ts";
import { isAbsent, OwnerClient } from "./client.ts";

const startMsMax = 60_000;
const pollMs = 50;

/** The descriptor on which a starting owner says what went wrong; closed without a word when it is ready. */
export const readyDescriptor = 3;
export const readyVariable = "TUTTI_READY_FD";

/** The owner of a state folder, or undefined when none listens. */
export async function findOwner(state: StateFolder): Promise<OwnerClient | undefined> {
  return (await askOwner(state))?.client;
}

/** The same, with what it says of itself. */
export async function askOwner(
  state: StateFolder,
): Promise<{ readonly client: OwnerClient; readonly health: Health } | undefined> {
  const client = new OwnerClient(state);
  try {
    return { client, health: await client.health() };
  } catch (error) {
    if (isAbsent(error) || codeOf(error) === "owner-stopping") return undefined;
    throw error;
  }
}

/** The owner of a state folder; starts one in the background when there is none. Resolves when it answers. */
export async function ensureOwner(
  state: StateFolder,
): Promise<{ readonly client: OwnerClient; readonly started: boolean }> {
  const client = new OwnerClient(state);
  const deadline = Date.now() + startMsMax;
  for (;;) {
    try {
      const health = await client.health();
      if (health.version === version()) return { client, started: false };
      throw new AppError(
        "owner-older",
        `Expected an owner of release ${version()}, but process ${health.pid} is ${health.version}`,
      );
    } catch (error) {
      if (codeOf(error) !== "owner-stopping" && !isAbsent(error)) throw error;
      if (Date.now() > deadline) throw error;
    }
    try {
      await startInBackground(state);
      return { client, started: true };
    } catch (error) {
      // Somebody else is just starting one, or the last one has not let go yet.
      if (codeOf(error) !== "state-owned" || Date.now() > deadline) throw error;
      await sleep(pollMs);
    }
  }
}

/** Room for young objects, MiB: what a step leaves behind dies in it instead of being carried on. A third less time. */
const youngFlag = "--max-semi-space-size=64";

/** Starts a process of its own session that outlives this one, its words going to the log. */
async function startInBackground(state: StateFolder): Promise<void> {
  ensureFolder(state.path);
  ensureFolder(state.logs);
  const log = openSync(state.ownerLog, "a", 0o600);
  try {
    const main = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));
    const flags = process.execArgv.filter((flag) => !flag.startsWith("--inspect"));
    const child = spawn(process.execPath, [...flags, youngFlag, main, "serve", "--background", "--state", state.path], {
      cwd: state.path,
      detached: true,
      env: { ...process.env, ...asEnvironment(state), [readyVariable]: String(readyDescriptor) },
      stdio: ["ignore", log, log, "pipe"],
    });
    await readiness(child, state);
    child.unref();
  } finally {
    closeSync(log);
  }
}

async function readiness(child: ChildProcess, state: StateFolder): Promise<void> {
  const pipe = child.stdio[readyDescriptor] as Readable;
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve);
    child.once("error", reject);
  });
  exited.catch(() => undefined);
  let said = "";
  pipe.setEncoding("utf8");
  pipe.on("data", (text: string) => {
    said += text;
  });
  const ended = new Promise<void>((resolve) => pipe.once("close", resolve));
  const timer = sleep(startMsMax, "late" as const, { ref: false });
  const first = await Promise.race([ended.then(() => "closed" as const), exited.then(() => "exited" as const), timer]);
  if (first === "exited") await Promise.race([ended, sleep(1_000)]);
  if (said !== "") throw new RemoteError(JSON.parse(said) as Problem);
  if (first === "closed" && child.exitCode === null && child.signalCode === null) return;
  const how =
    first === "late" ? `it was not ready after ${startMsMax} ms` : `it ended (${child.exitCode ?? child.signalCode})`;
  throw new AppError("owner-unreachable", `Expected an owner of ${state.path} to start, but ${how}`);
}
