import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createHost } from "@tutti/definition";
import { currentOwner, openReader, openSqliteReader, type RecordedEvent } from "@tutti/engine";
import type { RunView } from "@tutti/feature";
import { type FoundProcess, isAlive, processesOf } from "./processes.ts";

export const root: string = fileURLToPath(new URL("../../../..", import.meta.url));
export const examples: string = join(root, "examples");

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const source = ["--conditions=@tutti/source", main];

/** How a command ended, and what it said. */
export interface Finished {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

export interface CommandOptions {
  readonly environment?: { readonly [name: string]: string };
  readonly cwd?: string;
  /** Default 60 000. The command is killed then, and the test fails on its exit. */
  readonly timeoutMs?: number;
}

/** A person's machine in a temporary folder: their repository, an empty HOME, and a state folder that is not there yet. */
export interface Scene {
  readonly folder: string;
  readonly repository: string;
  readonly state: string;
  /** Runs the real command in a process of its own. */
  tutti(args: readonly string[], options?: CommandOptions): Promise<Finished>;
  /** The same, and the document that it gives with --json. Throws unless it ends with `exit` (default 0). */
  json<T = RunView>(args: readonly string[], options?: CommandOptions & { readonly exit?: number }): Promise<T>;
  git(...args: readonly string[]): string;
  /** Every event of the state folder so far, read beside the owner or without one. */
  events(): Promise<readonly RecordedEvent[]>;
  ownerPid(): number | undefined;
  /** SIGKILL for the owner alone: its agents, in groups of their own, go on. Resolves when it is gone. */
  killOwner(): Promise<number>;
  /** Everything in the temporary folder that runs now, but the owner. */
  processes(): readonly FoundProcess[];
  /** Workspaces that are on the disk now. */
  workspaces(): readonly string[];
  /** Tutti's own bare repositories: absolute paths. */
  repositories(): readonly string[];
  /** Stops the owner. Throws when it leaves a process or a workspace behind. */
  close(): Promise<void>;
  /** Stops the owner, ends what is left and removes the folder. */
  remove(): Promise<void>;
}

export interface SceneOptions {
  /** An example, whose repository is copied. Default: the fixtures' own. */
  readonly example?: string;
  /** Absolute path of the state folder. Default: `state` in the temporary folder. */
  readonly state?: string;
}

export function createScene({ example = "fixtures", state }: SceneOptions = {}): Scene {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tutti-e2e-")));
  const repository = join(folder, "repository");
  cpSync(join(examples, example, "repository"), repository, { recursive: true });
  mkdirSync(join(folder, "home"));
  const scene = new TemporaryScene(folder, state ?? join(folder, "state"));
  scene.git("init", "-q", "-b", "main");
  scene.git("add", "-A");
  scene.git("commit", "-qm", "base");
  return scene;
}

const person = { NAME: "Person", EMAIL: "person@example.com", DATE: "@1700000000 +0000" };

class TemporaryScene implements Scene {
  readonly folder: string;
  readonly repository: string;
  readonly state: string;

  constructor(folder: string, state: string) {
    this.folder = folder;
    this.repository = join(folder, "repository");
    this.state = state;
  }

  get #environment(): Record<string, string> {
    const { PATH = "" } = process.env;
    return { PATH, HOME: join(this.folder, "home"), TUTTI_STATE: this.state, LANG: "C", TMPDIR: tmpdir() };
  }

  tutti(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
    const startedAt = Date.now();
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [...source, ...args], {
        cwd: options.cwd ?? this.folder,
        env: { ...this.#environment, ...options.environment },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const said = { stdout: "", stderr: "" };
      for (const stream of ["stdout", "stderr"] as const) {
        child[stream].setEncoding("utf8").on("data", (text: string) => {
          said[stream] += text;
        });
      }
      const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 60_000);
      child.once("error", reject);
      child.once("close", (exit) => {
        clearTimeout(timer);
        resolve({ exit, ...said, durationMs: Date.now() - startedAt });
      });
    });
  }

  async json<T = RunView>(args: readonly string[], options: CommandOptions & { exit?: number } = {}): Promise<T> {
    const { exit, stdout, stderr } = await this.tutti([...args, "--json"], options);
    if (exit === (options.exit ?? 0)) return JSON.parse(stdout) as T;
    throw new Error(`tutti ${args.join(" ")} ended with ${exit}, not ${options.exit ?? 0}:\n${stdout}\n${stderr}`);
  }

  git(...args: readonly string[]): string {
    const env = { ...this.#environment, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
    for (const role of ["AUTHOR", "COMMITTER"]) {
      for (const [name, value] of Object.entries(person)) Object.assign(env, { [`GIT_${role}_${name}`]: value });
    }
    const { status, stdout, stderr } = spawnSync("git", args, { cwd: this.repository, env, encoding: "utf8" });
    if (status !== 0) throw new Error(`git ${args.join(" ")} ended with ${status}: ${stderr}`);
    return stdout.trimEnd();
  }

  async events(): Promise<readonly RecordedEvent[]> {
    const reader = openReader({ store: openSqliteReader(join(this.state, "tutti.sqlite")), host: createHost() });
    try {
      const events: RecordedEvent[] = [];
      for await (const event of reader.history()) events.push(event);
      return events;
    } finally {
      await reader.close();
    }
  }

  ownerPid(): number | undefined {
    return existsSync(this.state) ? currentOwner(this.state)?.pid : undefined;
  }

  async killOwner(): Promise<number> {
    const pid = this.ownerPid();
    if (pid === undefined) throw new Error("there is no owner to kill");
    process.kill(pid, "SIGKILL");
    while (isAlive(pid)) await sleep(2);
    return pid;
  }

  processes(): readonly FoundProcess[] {
    const owner = this.ownerPid();
    return processesOf(this.folder).filter(({ pid }) => pid !== owner);
  }

  workspaces(): readonly string[] {
    return below(join(this.state, "workspaces"), 3);
  }

  repositories(): readonly string[] {
    return below(join(this.state, "repositories"), 1);
  }

  async close(): Promise<void> {
    const { exit, stderr } = await this.tutti(["stop"]);
    if (exit !== 0) throw new Error(`tutti stop ended with ${exit}: ${stderr}`);
    const left = this.workspaces();
    if (left.length > 0) throw new Error(`workspaces are left: ${left.join(", ")}`);
    await until(() => (processesOf(this.folder).length === 0 ? true : undefined), { timeoutMs: 2_000 }).catch(() => {
      const running = processesOf(this.folder).map(({ pid, command }) => `${pid} ${command}`);
      throw new Error(`processes are left: ${running.join(", ")}`);
    });
  }

  async remove(): Promise<void> {
    if (this.ownerPid() !== undefined) await this.tutti(["stop", "--grace", "0"]);
    for (const { pid } of processesOf(this.folder)) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Files and folders down to some depth; empty when the folder is not there. */
function below(folder: string, depth: number): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return depth > 1 && entry.isDirectory() ? below(path, depth - 1) : [path];
  });
}

/** The arguments of `tutti run` for an example with its own plan and script. */
export function runExample(scene: Scene, example: string, more: readonly string[] = []): readonly string[] {
  const folder = join(examples, example);
  const files = ["--plan", join(folder, "plan.yaml"), "--script", join(folder, "agents.yaml")];
  return ["run", "--repo", scene.repository, "--agent", "scripted", ...files, ...more];
}

/** Resolves with what `look` gives as soon as that is not undefined; throws after `timeoutMs` (default 30 000). */
export async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  { timeoutMs = 30_000, everyMs = 20 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`nothing after ${timeoutMs} ms: ${look}`);
    await sleep(everyMs);
  }
}

/** Text of a file, or undefined when it is not there. */
export function textOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
