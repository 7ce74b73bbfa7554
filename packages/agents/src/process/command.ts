import { randomUUID } from "node:crypto";
import type { ProcessGroup } from "../agent.ts";
import type { Cage } from "../cage/cage.ts";
import { makeScratch } from "../cage/scratch.ts";
import { markerVariable } from "./group.ts";
import { type EndCause, startProcess } from "./process.ts";

export interface CommandRequest {
  /** A list is run as it is; a string by `/bin/sh -c`. */
  readonly command: string | readonly string[];
  /** Absolute; the command may write to it. */
  readonly cwd: string;
  /** Absolute directory for HOME and temporary files; made when missing, never removed here. */
  readonly scratch: string;
  readonly cage: Cage;
  readonly limits: {
    readonly wallMs: number;
    /** Default: no limit but `wallMs`. */
    readonly silenceMs?: number;
    /** The command is ended when it prints more. Default 16 MiB. */
    readonly outputBytesMax?: number;
    /** How much of the end of the output is given back. Default 64 KiB. */
    readonly tailCharactersMax?: number;
    readonly memoryBytesMax?: number;
    readonly processesMax?: number;
  };
  readonly signal: AbortSignal;
  readonly environment?: { readonly [name: string]: string };
  /** Further absolute paths to show read-only in the cage. */
  readonly readable?: readonly string[];
  /** Further absolute paths it may write to (a cache of dependencies). */
  readonly writable?: readonly string[];
  /** Called right after the start; record it durably as with agents. */
  onSpawn?(group: ProcessGroup): void;
  onOutput?(text: string): void;
}

export interface CommandResult {
  /** Exit status; null when it was ended by a signal. 127 when it could not be started (the output says why). */
  readonly exit: number | null;
  readonly signal: string | null;
  /** It hit `wallMs` or `silenceMs`. */
  readonly timedOut: boolean;
  readonly cause: EndCause;
  /** The end of both streams as they came, control characters included. */
  readonly output: string;
  readonly durationMs: number;
}

const outputBytesMaxDefault = 16 * 1024 * 1024;
const tailCharactersMaxDefault = 64 * 1024;

/** Runs a repository's own command (tests, preparation) in the cage. Never rejects; leaves no process behind. */
export async function runCommand(request: CommandRequest): Promise<CommandResult> {
  const argv = typeof request.command === "string" ? ["/bin/sh", "-c", request.command] : request.command;
  const { scratch, limits } = request;
  try {
    await makeScratch(scratch);
    const launch = await request.cage.launch({
      argv,
      cwd: request.cwd,
      scratch,
      writable: [request.cwd, ...(request.writable ?? [])],
      ...(request.readable === undefined ? {} : { readable: request.readable }),
      environment: { ...request.environment, [markerVariable]: randomUUID() },
    });
    let tail = "";
    const tailMax = limits.tailCharactersMax ?? tailCharactersMaxDefault;
    const running = startProcess({
      launch,
      limits: {
        ...limits,
        silenceMs: limits.silenceMs ?? limits.wallMs,
        outputBytesMax: limits.outputBytesMax ?? outputBytesMaxDefault,
      },
      signal: request.signal,
      ...(request.onSpawn === undefined ? {} : { onSpawn: request.onSpawn.bind(request) }),
      onText: (_stream, text) => {
        tail = tail.length > tailMax * 4 ? tail.slice(-tailMax) + text : tail + text;
        request.onOutput?.(text);
      },
    });
    running.closeInput();
    const end = await running.ended;
    const started = end.cause !== "not-started";
    return {
      exit: started ? end.exit : 127,
      signal: end.signal,
      timedOut: end.cause === "timeout" || end.cause === "silent",
      cause: end.cause,
      output: started ? tail.slice(-tailMax) : end.reason,
      durationMs: end.durationMs,
    };
  } catch (error) {
    const output = error instanceof Error ? error.message : String(error);
    return { exit: 127, signal: null, timedOut: false, cause: "not-started", output, durationMs: 0 };
  }
}
