import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Machine } from "./machines.ts";

/** What a command left behind. */
export interface CliResult {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly done: Promise<CliResult>;
  /** Resolves with all of stderr so far, or of the screen, once it matches. */
  sees(pattern: RegExp, timeoutMs?: number): Promise<string>;
}

export interface Material {
  readonly repository: string;
  readonly plan: string;
  readonly script: string;
}

const examples = fileURLToPath(new URL("../../../../examples/", import.meta.url));
const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const commandMsMax = 400_000;
const execute = promisify(execFile);

/** The real command in a home and a state folder of its own. Nothing of the person's configuration is read. */
function commandOf(args: readonly string[]): readonly string[] {
  return [process.execPath, "--conditions=@tutti/source", main, ...args];
}

export class CliHouse {
  readonly folder: string;
  readonly state: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #machine: Machine | undefined;

  private constructor(folder: string, environment: NodeJS.ProcessEnv, machine?: Machine) {
    this.folder = folder;
    this.#machine = machine;
    this.state = join(folder, "state");
    this.#environment = environment;
  }

  static async open(environment: NodeJS.ProcessEnv = {}): Promise<CliHouse> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "tutti-cli-")));
    await mkdir(join(folder, "home"));
    // What workers run is made once for all houses.
    const cache = process.env["TUTTI_RUN_CACHE"];
    const shared = cache === undefined ? {} : { XDG_CACHE_HOME: cache };
    return new CliHouse(folder, { ...environmentOf(folder), ...shared, ...environment });
  }

  /** In the data folder of a machine, which has nothing else of this one's but the programs. */
  static async on(machine: Machine, folder: string, environment: NodeJS.ProcessEnv): Promise<CliHouse> {
    await machine.run("mkdir", "home");
    return new CliHouse(folder, { ...environmentOf(folder), ...environment }, machine);
  }

  /** Starts a command; `environment` is added to the house's own. */
  start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): RunningCli {
    return this.#spawn([...(this.#machine?.prefix ?? []), ...commandOf(args)], environment);
  }

  /** Starts a command at a terminal of its own: what is written to `child.stdin` is typed, and stdout is the screen. */
  startAtTerminal(args: readonly string[]): RunningCli {
    const quoted = commandOf(args).map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    // Without `exec` there is a shell in between, which Ctrl-C ends first.
    return this.#spawn(
      ["script", "--quiet", "--return", "--command", `exec ${quoted.join(" ")}`, "/dev/null"],
      {},
      "pipe",
    );
  }

  #spawn(command: readonly string[], environment: NodeJS.ProcessEnv, stdin: "ignore" | "pipe" = "ignore"): RunningCli {
    const [program = "", ...words] = command;
    const child = spawn(program, words, {
      cwd: this.#machine === undefined ? this.folder : "/",
      env: { ...this.#environment, ...environment },
      stdio: [stdin, "pipe", "pipe"],
      timeout: commandMsMax,
    });
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const done = new Promise<CliResult>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exit) => resolve({ exit, stdout, stderr }));
    });
    const told = () => (stdin === "pipe" ? stdout : stderr);
    return { child, done, sees: (pattern, timeoutMs = 60_000) => seen(told, { pattern, timeoutMs, child }) };
  }

  tutti(...args: readonly string[]): Promise<CliResult> {
    return this.start(args).done;
  }

  /** Runs a command with --json and gives its document. Throws with both streams when there is none. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { stdout, stderr, exit } = await this.tutti(...args, "--json");
    try {
      return JSON.parse(stdout) as T;
    } catch {
      throw new Error(`tutti ${args.join(" ")} gave no JSON (exit ${exit}):\n${stdout}\n${stderr}`);
    }
  }

  /** Copies an example or a fixture, as `oauth-login` or `fixtures/diamond-late`, and commits its repository. */
  async material(name: string): Promise<Material> {
    const source = join(examples, name);
    const folder = join(this.folder, name.replaceAll("/", "-"));
    const shared = name.startsWith("fixtures/") ? join(examples, "fixtures", "repository") : join(source, "repository");
    await cp(shared, join(folder, "repository"), { recursive: true });
    await commitAll(join(folder, "repository"));
    return {
      repository: join(folder, "repository"),
      plan: join(source, "plan.yaml"),
      script: join(source, "agents.yaml"),
    };
  }

  /** Process id of the owner; undefined when there is none. */
  async ownerPid(): Promise<number | undefined> {
    const text = await readFile(join(this.state, "owner.json"), "utf8").catch(() => undefined);
    const pid = text === undefined ? undefined : (JSON.parse(text) as { readonly pid: number }).pid;
    return pid !== undefined && isAlive(pid) ? pid : undefined;
  }

  /** Kills the owner as hard as it goes; resolves when it is gone. */
  async killOwner(): Promise<number> {
    const pid = await this.ownerPid();
    if (pid === undefined) throw new Error("there is no owner to kill");
    process.kill(pid, "SIGKILL");
    await until(() => !isAlive(pid), 5_000);
    return pid;
  }

  /** Processes whose command, folder or environment names this house, without the owner. */
  async strangers(): Promise<readonly number[]> {
    const owner = await this.ownerPid();
    return processesNaming(this.folder).filter((pid) => pid !== owner && pid !== process.pid);
  }

  /** Resolves once an agent has written the file into its workspace, so that it is the agent that runs now. */
  async writes(file: string): Promise<void> {
    await until(() => this.workspaceFiles().some((path) => path.endsWith(`/${file}`)), 20_000);
  }

  /** Files of all workspaces there are, by their paths. */
  workspaceFiles(): readonly string[] {
    const folder = join(this.state, "workspaces");
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }

  /** Stops the owner and removes everything. */
  async close(): Promise<void> {
    const pid = await this.ownerPid();
    if (pid !== undefined) {
      process.kill(pid, "SIGTERM");
      await until(() => !isAlive(pid), 10_000).catch(() => process.kill(pid, "SIGKILL"));
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function environmentOf(folder: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: join(folder, "home"),
    TUTTI_STATE: join(folder, "state"),
    TUTTI_IDLE_MS: "60000",
    GIT_CONFIG_NOSYSTEM: "1",
  };
}

/** A repository with one commit, whatever the person's own git settings say. */
export async function commitAll(folder: string): Promise<void> {
  const env = {
    PATH: process.env["PATH"],
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Test",
    GIT_AUTHOR_EMAIL: "test@tutti.invalid",
    GIT_AUTHOR_DATE: "2026-01-05T09:00:00Z",
    GIT_COMMITTER_NAME: "Test",
    GIT_COMMITTER_EMAIL: "test@tutti.invalid",
    GIT_COMMITTER_DATE: "2026-01-05T09:00:00Z",
  };
  for (const args of [
    ["init", "--quiet", "--initial-branch=main"],
    ["add", "--all"],
    ["commit", "--quiet", "--message", "base"],
  ]) {
    await execute("git", args, { cwd: folder, env });
  }
}

/** Git's answer about a repository, trimmed. */
export async function gitAnswer(folder: string, ...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env["PATH"], GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const { stdout } = await execute("git", [...args], { cwd: folder, env });
  return stdout.trim();
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch {
    return false;
  }
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    // Not on Linux, or it is gone meanwhile.
    return false;
  }
}

/** Processes whose command, folder or environment has the text. Linux only; elsewhere nothing is found. */
export function processesNaming(text: string): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => !isZombie(pid) && namesOf(pid).some((name) => name.includes(text)));
}

function namesOf(pid: number): string[] {
  const read = (get: () => string): string => {
    try {
      return get();
    } catch {
      return "";
    }
  };
  return [
    read(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")),
    read(() => readFileSync(`/proc/${pid}/environ`, "utf8")),
    read(() => readlinkSync(`/proc/${pid}/cwd`)),
  ];
}

/** Polls until `isTrue`; rejects after `timeoutMs`. */
export async function until(isTrue: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`expected it within ${timeoutMs} ms: ${isTrue}`);
    await sleep(50);
  }
}

async function seen(
  text: () => string,
  { pattern, timeoutMs, child }: { readonly pattern: RegExp; readonly timeoutMs: number; readonly child: ChildProcess },
): Promise<string> {
  const deadline = Date.now() + timeoutMs;
  while (!pattern.test(text())) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() > deadline) throw new Error(`expected ${pattern} on stderr, but it is:\n${text()}`);
    await sleep(20);
  }
  return text();
}
