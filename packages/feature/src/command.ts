import { type Cage, type CommandResult, runCommand } from "@tutti/agents";
import { AppError } from "@tutti/kernel";
import type { FeatureDeps } from "./deps.ts";
import type { Running } from "./job.ts";
import type { CheckResult } from "./model.ts";
import { oneLine, plainTail } from "./text.ts";

/** One command of the repository's own: a check or a preparation. */
export interface RepositoryCommand {
  readonly command: string;
  /** For the process ledger. */
  readonly what: string;
  readonly cwd: string;
  readonly scratch: string;
  readonly cage: Cage;
  readonly timeoutMs: number;
}

const beatMs = 5_000;

/** Runs it caged, written down, and with signs of life. Throws when the job was aborted or it could not start. */
export async function runRepositoryCommand(
  deps: FeatureDeps,
  at: Running,
  request: RepositoryCommand,
): Promise<CommandResult> {
  const watch = deps.processes.watch(`${at.job.id} ${request.what}`);
  const beat = setInterval(() => at.note(request.what), beatMs);
  try {
    const { command, cwd, scratch, cage, timeoutMs } = request;
    const result = await runCommand({
      command,
      cwd,
      scratch,
      cage,
      limits: { wallMs: timeoutMs },
      signal: at.signal,
      environment: { CI: "true" },
      onSpawn: (group) => watch.onSpawn(group),
    });
    at.signal.throwIfAborted();
    // A command that never ran says nothing about the tree.
    if (result.cause === "not-started") {
      throw new AppError("command-not-started", `\`${command}\` could not be started: ${oneLine(result.output)}`);
    }
    return result;
  } finally {
    clearInterval(beat);
    watch.close();
  }
}

const failedBytesMax = 8 * 1024;
const passedBytesMax = 1024;

export function commandResult(command: string, result: CommandResult): CheckResult {
  const { exit, timedOut, output, durationMs } = result;
  const passed = exit === 0 && result.cause === "exited";
  return {
    command,
    passed,
    exit,
    timedOut,
    output: plainTail(output, passed ? passedBytesMax : failedBytesMax),
    durationMs,
  };
}
