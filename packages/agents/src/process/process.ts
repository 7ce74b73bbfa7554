import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import type { AgentLimits, ProcessGroup } from "../agent.ts";
import type { Launch } from "../cage/cage.ts";
import { describeGroup, endProcessGroup, markerVariable, membersOf, residentBytes } from "./group.ts";
import { LastLines, LineSplitter } from "./text.ts";

export const silenceMsDefault = 120_000;

/** Why it is over. `ended` is our own wish (`RunningProcess.end`); `not-started` means there was no process. */
export type EndCause =
  | "exited"
  | "not-started"
  | "timeout"
  | "silent"
  | "flooded"
  | "memory"
  | "processes"
  | "cancelled"
  | "ended";

export interface ProcessEnd {
  readonly cause: EndCause;
  readonly exit: number | null;
  readonly signal: string | null;
  readonly durationMs: number;
  readonly lastLines: readonly string[];
  /** For `not-started`: why. */
  readonly reason: string;
}

export interface ProcessRequest {
  readonly launch: Launch;
  readonly limits: AgentLimits;
  readonly signal: AbortSignal;
  onSpawn?(group: ProcessGroup): void;
  /** Decoded text as it comes; either stream. */
  onText?(stream: "stdout" | "stderr", text: string): void;
  onLine?(stream: "stdout" | "stderr", line: string): void;
}

export interface RunningProcess {
  write(text: string): void;
  closeInput(): void;
  /** Ends it because we are done with it. */
  end(): void;
  /** Never rejects. When it resolves, no process of the group is left. */
  readonly ended: Promise<ProcessEnd>;
}

/**
 * Starts a program as the leader of its own process group and session, and holds it to its limits. The environment
 * of `launch` must carry the marker variable. However it ends, what it left behind is ended too.
 */
export function startProcess(request: ProcessRequest): RunningProcess {
  return new Supervisor(request);
}

class Supervisor implements RunningProcess {
  readonly ended: Promise<ProcessEnd>;
  readonly #answer: PromiseWithResolvers<ProcessEnd> = Promise.withResolvers();
  readonly #request: ProcessRequest;
  readonly #startedAt = Date.now();
  readonly #lastLines = new LastLines();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #onAbort = (): void => this.#stop("cancelled");
  #child: ChildProcessWithoutNullStreams | undefined;
  #group: ProcessGroup | undefined;
  #cause: EndCause | undefined;
  #reason = "";
  #settled = false;
  #bytes = 0;

  constructor(request: ProcessRequest) {
    this.#request = request;
    this.ended = this.#answer.promise;
    if (request.signal.aborted) this.#settle({ cause: "cancelled" });
    else this.#start();
  }

  write(text: string): void {
    if (this.#child?.stdin.writable) this.#child.stdin.write(text);
  }

  closeInput(): void {
    this.#child?.stdin.end();
  }

  end(): void {
    this.#stop("ended");
  }

  #start(): void {
    const { launch } = this.#request;
    let child: ChildProcessWithoutNullStreams;
    try {
      child = spawn(launch.file, [...launch.args], { cwd: launch.cwd, env: { ...launch.environment }, detached: true });
    } catch (error) {
      // Arguments that no system call takes (a zero byte, too long a list) are refused at once.
      this.#settle({ cause: "not-started", reason: messageOf(error) });
      return;
    }
    this.#child = child;
    child.on("error", (error) => {
      if (child.pid === undefined) this.#settle({ cause: "not-started", reason: messageOf(error) });
    });
    child.stdin.on("error", ignored);
    if (child.pid === undefined) return;
    this.#group = describeGroup(child.pid, launch.environment[markerVariable] ?? "");
    child.on("exit", (exit, signal) => void this.#finish(exit, signal));
    this.#watch();
    this.#listen(child);
    try {
      this.#request.onSpawn?.(this.#group);
    } catch (error) {
      // A process that nobody could end after a crash must not go on.
      this.#reason = `its process group could not be recorded: ${messageOf(error)}`;
      this.#stop("not-started");
    }
  }

  #listen(child: ChildProcessWithoutNullStreams): void {
    const silence = this.#after(this.#request.limits.silenceMs ?? silenceMsDefault, "silent");
    for (const stream of ["stdout", "stderr"] as const) {
      const decoder = new StringDecoder("utf8");
      const lines = new LineSplitter((line) => {
        this.#lastLines.push(line);
        this.#request.onLine?.(stream, line);
      });
      const take = (text: string): void => {
        if (text === "") return;
        this.#request.onText?.(stream, text);
        lines.push(text);
      };
      child[stream].on("data", (chunk: Buffer) => {
        silence.refresh();
        this.#bytes += chunk.length;
        // What is over the limit is thrown away unread, so that a flood costs no memory while it is being ended.
        if (this.#bytes > this.#request.limits.outputBytesMax) this.#stop("flooded");
        else take(decoder.write(chunk));
      });
      child[stream].on("end", () => {
        take(decoder.end());
        lines.end();
      });
      child[stream].on("error", ignored);
    }
  }

  #watch(): void {
    this.#request.signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#after(this.#request.limits.wallMs, "timeout");
    const { memoryBytesMax, processesMax } = this.#request.limits;
    if (process.platform !== "linux" || (memoryBytesMax === undefined && processesMax === undefined)) return;
    const look = setInterval(() => {
      if (this.#group === undefined) return;
      const members = membersOf(this.#group);
      if (members.length > (processesMax ?? Number.POSITIVE_INFINITY)) this.#stop("processes");
      const bytes = members.reduce((sum, { pid }) => sum + residentBytes(pid), 0);
      if (bytes > (memoryBytesMax ?? Number.POSITIVE_INFINITY)) this.#stop("memory");
    }, 1_000);
    this.#timers.push(look);
  }

  #after(delayMs: number, cause: EndCause): NodeJS.Timeout {
    // Longer delays than a timer can hold would fire at once.
    const timer = setTimeout(() => this.#stop(cause), Math.min(delayMs, 2 ** 31 - 1));
    this.#timers.push(timer);
    return timer;
  }

  #stop(cause: EndCause): void {
    if (this.#cause !== undefined || this.#settled || this.#group === undefined) return;
    this.#cause = cause;
    // A program that floods or eats memory gets no time to go on with it.
    const graceMs = cause === "flooded" || cause === "memory" || cause === "processes" ? 0 : 1_500;
    void endProcessGroup(this.#group, { graceMs, trusted: true }).then(async ({ left }) => {
      // Normally the exit event has settled it by now; a process stuck in the kernel must not hold us for ever.
      await new Promise((resolve) => setTimeout(resolve, left > 0 ? 0 : 1_000));
      this.#settle({ reason: left > 0 ? `${left} processes could not be ended` : this.#reason });
    });
  }

  async #finish(exit: number | null, signal: string | null): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const child = this.#child;
    const closed = new Promise<void>((resolve) => {
      if (child?.stdout.destroyed && child.stderr.destroyed) resolve();
      else child?.once("close", () => resolve());
    });
    if (this.#group !== undefined) await endProcessGroup(this.#group, { graceMs: 0, trusted: true });
    // A process that escaped may still hold the pipes; what it prints is no longer our business.
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 500).unref())]);
    this.#settle({ exit, signal });
  }

  #settle(end: Partial<ProcessEnd>): void {
    if (this.#settled) return;
    this.#settled = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#request.signal.removeEventListener("abort", this.#onAbort);
    this.#child?.stdin.destroy();
    this.#child?.stdout.destroy();
    this.#child?.stderr.destroy();
    this.#child?.unref();
    this.#answer.resolve({
      cause: end.cause ?? this.#cause ?? "exited",
      exit: end.exit ?? null,
      signal: end.signal ?? null,
      durationMs: Date.now() - this.#startedAt,
      lastLines: this.#lastLines.get(),
      reason: end.reason ?? this.#reason,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A pipe breaks when the program ends without reading or writing on; its exit tells that, and better. */
function ignored(): undefined {
  return undefined;
}
