import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeGroup, endProcessGroup, markerVariable } from "@tutti/agents";
import { openProcessLedger } from "@tutti/feature";
import { AppError } from "@tutti/kernel";
import { choosePorts } from "./ports.ts";

/** A server of Temporal of a state folder's own, which keeps what it has in the folder. */
export interface DevServer {
  readonly address: string;
  /** Of its web UI. */
  readonly ui: string;
  /** Resolves with its last words if it ends and nobody wanted that. */
  readonly died: Promise<string>;
  /** Ends it, within seconds. */
  stop(): Promise<void>;
}

export const serverSettings: readonly string[] = [
  // In this release of the server there are no priorities without it, and they hold within one partition.
  "matching.useNewMatcher=true",
  "matching.numTaskqueueReadPartitions=1",
  "matching.numTaskqueueWritePartitions=1",
  // How far the clocks of a server's machines may be apart, by default 1 s: all timers fire so much later. This is one.
  'history.timerProcessorMaxTimeShift="10ms"',
];
const graceMs = 4_000;
const lastWordsMax = 500;

/**
 * Starts one for a folder that the caller owns. It is written down with the agents of the folder: should its owner be
 * killed, the next one ends it.
 */
export async function startDevServer(options: {
  readonly statePath: string;
  readonly namespace: string;
  /** Is told what building it comes to. */
  readonly tell: (text: string) => void;
}): Promise<DevServer> {
  const { statePath, namespace, tell } = options;
  const command = await provided(tell);
  const { port, ui } = await choosePorts(statePath);
  const folder = join(statePath, "temporal");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = join(folder, "server.log");
  const words = [
    ...["server", "start-dev", "--ip", "127.0.0.1", "--port", String(port), "--ui-port", String(ui)],
    ...["--db-filename", join(folder, "server.sqlite"), "--namespace", namespace, "--log-level", "error"],
    ...serverSettings.flatMap((setting) => ["--dynamic-config-value", setting]),
  ];
  const marker = randomUUID();
  const output = openSync(log, "w", 0o600);
  // In a group of its own: the terminal's Ctrl-C is ours to hear, and comes to the server when its workers have ended.
  const child = spawn(command, words, {
    cwd: folder,
    env: { ...process.env, [markerVariable]: marker },
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  let stopping = false;
  const died = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", () => stopping || resolve(readFileSync(log, "utf8").trim().slice(-lastWordsMax)));
  });
  if (child.pid === undefined) throw new AppError("temporal-failed", `Expected ${command} to start, but ${await died}`);
  const group = describeGroup(child.pid, marker);
  const watch = openProcessLedger(statePath).watch("the server of Temporal");
  watch.onSpawn(group);
  const { pid } = child;
  // For a second, impatient signal.
  const kill = (): void => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-pid, "SIGKILL");
  };
  process.once("exit", kill);
  return {
    address: `127.0.0.1:${port}`,
    ui: `http://127.0.0.1:${ui}`,
    died,
    stop: async () => {
      stopping = true;
      await endProcessGroup(group, { graceMs });
      process.removeListener("exit", kill);
      watch.close();
    },
  };
}

/** The command: from the PATH, from the cache, or built into it, which takes minutes once. */
async function provided(tell: (text: string) => void): Promise<string> {
  const here = dirname(fileURLToPath(import.meta.url));
  // Packed beside the compiled sources, else in the checkout.
  const folders = [join(here, "../../servers"), join(here, "../../../../tools/servers")];
  const script = folders.map((folder) => join(folder, "temporal.mjs")).find((path) => existsSync(path));
  if (script === undefined)
    throw new AppError("temporal-missing", "Expected the script that provides a server, but it is not there");
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "pipe"] });
  let path = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    path += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    tell(text.trimEnd());
  });
  const exit = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (exit === 0) return path.trim();
  throw new AppError("temporal-missing", said.trim().split("\n").at(-1) ?? "There is no server of Temporal");
}
