import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { endProcessGroup, type ProcessGroup } from "@tutti/agents";

/*
 * Which process groups run on our behalf, in files: whoever takes over after a crash ends them before anything is
 * offered again, so that no orphan works beside its successor. A group is described by id, start time and marker, so
 * a stranger that was given the same id since is left alone, and a file that outlived its group does no harm.
 */

export interface ProcessLedger {
  /** Writes down what is started until it is closed. */
  watch(what: string): ProcessWatch;
  /** Ends all that an earlier owner left. Call it before any job is offered. Resolves within about 5 s. */
  endLeftovers(): Promise<{ readonly ended: number; readonly left: number }>;
}

export interface ProcessWatch {
  /** Returns once the group is on disk. Throws when it cannot be written: then it must not run on. */
  onSpawn(group: ProcessGroup): void;
  /** Forgets the groups: they have ended. */
  close(): void;
}

interface Entry {
  readonly format: 1;
  readonly what: string;
  readonly group: ProcessGroup;
}

/** Opens the ledger kept in `<stateDir>/processes`. */
export function openProcessLedger(stateDir: string): ProcessLedger {
  const folder = join(stateDir, "processes");
  return {
    watch: (what) => watch(folder, what),
    endLeftovers: () => endLeftovers(folder),
  };
}

function watch(folder: string, what: string): ProcessWatch {
  const files: string[] = [];
  return {
    onSpawn(group) {
      const file = join(folder, `${group.pid}-${randomUUID()}.json`);
      writeDurably(folder, file, { format: 1, what, group });
      files.push(file);
    },
    close() {
      for (const file of files.splice(0)) rmSync(file, { force: true });
    },
  };
}

/** Synchronous on purpose: when the caller goes on, a crash can no longer lose it. */
function writeDurably(folder: string, file: string, entry: Entry): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const aside = `${file}.new`;
  const handle = openSync(aside, "wx", 0o600);
  try {
    writeSync(handle, JSON.stringify(entry));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(aside, file);
  const parent = openSync(folder, "r");
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
}

async function endLeftovers(folder: string): Promise<{ ended: number; left: number }> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    throw cause;
  });
  const results = await Promise.all(names.map((name) => endOne(join(folder, name))));
  return {
    ended: results.reduce((sum, { ended }) => sum + ended, 0),
    left: results.reduce((sum, { left }) => sum + left, 0),
  };
}

async function endOne(file: string): Promise<{ ended: number; left: number }> {
  const entry = parseEntry(await readFile(file, "utf8"));
  // Half a file: the owner died within a moment of the start, before the process was given its task.
  const result = entry === undefined ? { ended: 0, left: 0 } : await endProcessGroup(entry.group);
  if (result.left === 0) await rm(file, { force: true });
  return result;
}

function parseEntry(text: string): Entry | undefined {
  try {
    return JSON.parse(text) as Entry;
  } catch {
    return undefined;
  }
}
