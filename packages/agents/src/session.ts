import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { AppError } from "@tutti/kernel";
import type { AgentContext, AgentFailure, AgentFailureCode, AgentOutcome, AgentTask } from "./agent.ts";
import { makeScratch } from "./cage/scratch.ts";
import { markerVariable } from "./process/group.ts";
import { type EndCause, type ProcessEnd, type RunningProcess, startProcess } from "./process/process.ts";
import { Transcript } from "./transcript.ts";

/** What the adapters share: one agent process, its folders and its transcript, for one task. */
export interface AgentProgram {
  readonly argv: readonly string[];
  readonly readable?: readonly string[];
  readonly environment?: { readonly [name: string]: string };
}

export interface AgentSession {
  readonly transcript: Transcript;
  /** Absolute folder for files the agent hands over besides its workspace. */
  readonly artifacts: string;
  /** Where it starts. */
  readonly cwd: string;
  /** `signal` replaces the context's, for adapters that ask politely before the process is ended. */
  start(listen: SessionListener, signal?: AbortSignal): RunningProcess;
}

export interface SessionListener {
  onLine(stream: "stdout" | "stderr", line: string): void;
}

/** Prepares one run of an agent's program, and turns whatever goes wrong on the way into an outcome. */
export async function withSession(
  { task, context, program }: { task: AgentTask; context: AgentContext; program: AgentProgram },
  use: (session: AgentSession) => Promise<AgentOutcome>,
): Promise<AgentOutcome> {
  let transcript: Transcript | undefined;
  try {
    if (context.signal.aborted) return failure("agent-cancelled", "It was cancelled before it started.");
    await makeScratch(context.scratch, "artifacts");
    const artifacts = join(context.scratch, "artifacts");
    transcript = await Transcript.open(context.transcript);
    const cwd = task.workspace ?? context.scratch;
    const launch = await context.cage.launch({
      argv: program.argv,
      cwd,
      scratch: context.scratch,
      writable: task.workspace === null ? [] : [task.workspace],
      readable: program.readable ?? [],
      environment: { ...program.environment, [markerVariable]: randomUUID() },
    });
    const start = (listen: SessionListener, signal: AbortSignal = context.signal): RunningProcess =>
      startProcess({
        launch,
        limits: context.limits,
        signal,
        onSpawn: (group) => context.onSpawn?.(group),
        onLine: (stream, line) => listen.onLine(stream, line),
      });
    return await use({ transcript, artifacts, cwd, start });
  } catch (error) {
    // The adapters' one catch: whatever broke while starting or reading an agent is this agent's failure.
    const message = error instanceof Error ? error.message : String(error);
    return { ...failure("agent-failed", message), retryable: !(error instanceof AppError) };
  } finally {
    await transcript?.close();
  }
}

export function failure(
  code: AgentFailureCode,
  message: string,
  rest: Partial<Pick<AgentFailure, "retryable" | "lastLines" | "usage">> = {},
): AgentFailure {
  return { ok: false, code, message, retryable: code !== "agent-cancelled", lastLines: [], ...rest };
}

const interrupted: { readonly [C in Exclude<EndCause, "exited" | "ended">]: readonly [AgentFailureCode, string] } = {
  "not-started": ["agent-failed", "It could not be started"],
  timeout: ["agent-timeout", "It did not finish within its time limit"],
  silent: ["agent-silent", "It wrote nothing for longer than its silence limit"],
  flooded: ["agent-flooded", "It wrote more than its output limit"],
  memory: ["agent-failed", "It used more memory than its limit"],
  processes: ["agent-failed", "It ran more processes than its limit"],
  cancelled: ["agent-cancelled", "It was cancelled"],
};

/** The failure behind an end that was not the agent's own exit; undefined when the agent ended by itself. */
export function interruptionOf(end: ProcessEnd): AgentFailure | undefined {
  if (end.cause === "exited" || end.cause === "ended") return undefined;
  const [code, text] = interrupted[end.cause];
  const message = end.reason === "" ? `${text}.` : `${text}: ${end.reason}.`;
  return failure(code, message, { lastLines: end.lastLines });
}

/**
 * The failure behind an exit that must not have happened. Statuses above 128 are signals, as shells and the cage
 * report them.
 */
export function crashOf(end: ProcessEnd): AgentFailure {
  const bySignal = end.signal !== null || (end.exit ?? 0) > 128;
  const how = bySignal ? `by signal ${end.signal ?? (end.exit ?? 0) - 128}` : `with status ${end.exit}`;
  return failure(bySignal ? "agent-crashed" : "agent-failed", `Its process ended ${how}.`, {
    lastLines: end.lastLines,
  });
}
