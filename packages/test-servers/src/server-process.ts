import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

export interface ServerProcess {
  /** Resolves once it is ready; rejects when it ends before, or is not in a minute. */
  start(): Promise<void>;
  /** Resolves once it has ended. Default: the signal that ends it without a word to anybody. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ServerOptions {
  readonly command: readonly [path: string, ...words: string[]];
  /** Rejects as long as the server does not answer. */
  readonly ready: () => Promise<unknown>;
  /** Ends it at once, as a crash would. Default: `SIGKILL`. */
  readonly killSignal?: "SIGKILL" | "SIGQUIT";
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

const readyMsMax = 60_000;

/** A server in a process group of its own, which ends with this process: also, where the system can, when that is killed. */
export function serverProcess(options: ServerOptions): ServerProcess {
  const { command, ready, killSignal = "SIGKILL", cwd, env = process.env, user } = options;
  let child: ChildProcess | undefined;
  const end = (): void => void child?.kill(killSignal);
  const stop: ServerProcess["stop"] = async (signal = killSignal) => {
    process.off("exit", end);
    if (child?.pid === undefined || isOver(child)) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };
  const start = async (): Promise<void> => {
    const [path, ...words] = [...dyingWithUs(killSignal), ...command] as [string, ...string[]];
    const started = spawn(path, words, { detached: true, stdio: "ignore", env, ...(cwd && { cwd }), ...user });
    child = started;
    process.once("exit", end);
    try {
      await once(started, "spawn");
      await answers(started, ready);
    } catch (error) {
      await stop(killSignal);
      throw error;
    }
  };
  return { start, stop };
}

/** A test run that is killed says nothing to what it started: the system says it in its place. */
function dyingWithUs(signal: string): readonly string[] {
  const canSay = spawnSync("setpriv", ["--version"]).status === 0;
  return canSay ? ["setpriv", "--pdeathsig", signal.slice("SIG".length), "--"] : [];
}

async function answers(child: ChildProcess, ready: () => Promise<unknown>): Promise<void> {
  for (const until = Date.now() + readyMsMax; ; await sleep(100)) {
    try {
      await ready();
      return;
    } catch (error) {
      if (!isOver(child) && Date.now() < until) continue;
      const how = isOver(child)
        ? `ended with ${child.exitCode ?? child.signalCode}`
        : `was not ready in ${readyMsMax} ms`;
      throw new Error(`${child.spawnargs.join(" ")} ${how}: ${String(error)}`, { cause: error });
    }
  }
}

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
