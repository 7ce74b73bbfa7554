import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What decides the verdict of one command. */
export interface CheckKey {
  readonly gitDir: string;
  readonly tree: string;
  readonly command: string;
  /** Names everything else the verdict hangs on: preparation, cage. */
  readonly setting: string;
}

/**
 * Remembers which commands have passed on which trees, so that the same tree never goes through the same command
 * twice. Only what passed: a failure is always looked at again. Losing it costs time, never correctness.
 */
export interface CheckCache {
  /** How long it took when it passed, in ms; undefined when nothing is known. */
  passed(key: CheckKey): Promise<number | undefined>;
  remember(key: CheckKey, durationMs: number): Promise<void>;
  /** Keeps the newest `entriesMax` (default 20 000). */
  prune(entriesMax?: number): Promise<void>;
}

export function openCheckCache(stateDir: string): CheckCache {
  const folder = join(stateDir, "cache", "verify");
  const fileOf = (key: CheckKey): string => {
    const { gitDir, tree, command, setting } = key;
    return join(
      folder,
      createHash("sha256")
        .update(JSON.stringify([gitDir, tree, command, setting]))
        .digest("hex"),
    );
  };
  return {
    async passed(key) {
      const text = await readFile(fileOf(key), "utf8").catch(absent);
      const durationMs = Number(text?.trim());
      return text === undefined || !Number.isFinite(durationMs) ? undefined : durationMs;
    },
    async remember(key, durationMs) {
      await mkdir(folder, { recursive: true });
      const file = fileOf(key);
      const aside = `${file}.${randomUUID()}`;
      await writeFile(aside, `${Math.round(durationMs)}\n`);
      await rename(aside, file);
    },
    async prune(entriesMax = 20_000) {
      const names = (await readdir(folder).catch(absent)) ?? [];
      if (names.length <= entriesMax) return;
      const aged = await Promise.all(
        names.map(async (name) => ({ name, at: (await stat(join(folder, name)).catch(absent))?.mtimeMs ?? 0 })),
      );
      aged.sort((a, b) => b.at - a.at);
      await Promise.all(aged.slice(entriesMax).map(({ name }) => rm(join(folder, name), { force: true })));
    },
  };
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code === "ENOENT") return undefined;
  throw cause;
}
