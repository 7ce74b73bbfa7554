import { appendFileSync, renameSync, statSync } from "node:fs";
import type { EngineLog } from "@tutti/engine";
import { ensureFolder, type StateFolder } from "../state.ts";

const bytesMax = 4 * 1024 * 1024;

/** What the engine tells, on stderr: for an owner that runs in the foreground. Chatter is left out. */
export function terminalLog(write: (line: string) => void): EngineLog {
  return {
    info: () => undefined,
    warn: (message, data) => write(line("warn", message, data)),
    error: (message, data) => write(line("error", message, data)),
  };
}

/** `logs/owner.log`; beyond 4 MiB the file becomes `owner.log.1`, and the one before that is gone. */
export function fileLog(state: StateFolder): EngineLog {
  ensureFolder(state.logs);
  const write = (text: string): void => {
    try {
      if ((statSync(state.ownerLog, { throwIfNoEntry: false })?.size ?? 0) > bytesMax) {
        renameSync(state.ownerLog, `${state.ownerLog}.1`);
      }
      appendFileSync(state.ownerLog, text, { mode: 0o600 });
    } catch {
      // A full disk must not end the owner for the sake of its diary.
    }
  };
  return {
    info: (message, data) => write(line("info", message, data)),
    warn: (message, data) => write(line("warn", message, data)),
    error: (message, data) => write(line("error", message, data)),
  };
}

function line(level: string, message: string, data: { readonly [name: string]: unknown }): string {
  const shown = Object.keys(data).length === 0 ? "" : ` ${JSON.stringify(data, replaceErrors)}`;
  return `${new Date().toISOString()} ${level} ${message}${shown}\n`;
}

function replaceErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}
