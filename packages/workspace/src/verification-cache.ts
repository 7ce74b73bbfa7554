import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { digest } from "./name.ts";

export interface Verification {
  readonly green: boolean;
  /** Last lines of output, what failed, or anything else worth showing; ≤ 16 KiB is kept. */
  readonly report: string;
}

/** Remembers what was verified, so that the same tree never goes through the same checks twice. */
export interface VerificationCache {
  get(tree: string, checks: readonly string[]): Verification | undefined;
  /**
   * Gives the remembered verdict, or runs `verify` and remembers its verdict. Callers that ask for the same thing at
   * once share one run. A rejection of `verify` is passed on and not remembered.
   */
  verifyOnce(
    request: { readonly tree: string; readonly checks: readonly string[] },
    verify: () => Promise<Verification>,
  ): Promise<Verification & { readonly cached: boolean }>;
}

const reportCharactersMax = 16 * 1024;

/**
 * Opens the cache kept in `file`, one JSON line per verdict. A torn last line is left out: it only costs a
 * verification. `checks` are the commands, and whatever else decides the verdict, as text.
 */
export async function openVerificationCache(file: string): Promise<VerificationCache> {
  await mkdir(dirname(file), { recursive: true });
  const known = await readLines(file);
  const running = new Map<string, Promise<Verification>>();

  async function run(key: string, verify: () => Promise<Verification>): Promise<Verification> {
    const { green, report } = await verify();
    const verdict: Verification = { green, report: report.slice(-reportCharactersMax) };
    // A line break first: should the last line be torn, only that one is lost.
    await appendFile(file, `\n${JSON.stringify({ key, ...verdict })}\n`);
    known.set(key, verdict);
    return verdict;
  }

  return {
    get: (tree, checks) => known.get(keyOf(tree, checks)),
    async verifyOnce({ tree, checks }, verify) {
      const key = keyOf(tree, checks);
      const before = known.get(key);
      if (before !== undefined) return { ...before, cached: true };
      const other = running.get(key);
      if (other !== undefined) return { ...(await other), cached: true };
      const mine = run(key, verify).finally(() => running.delete(key));
      running.set(key, mine);
      return { ...(await mine), cached: false };
    },
  };
}

function keyOf(tree: string, checks: readonly string[]): string {
  return `${tree}-${digest(JSON.stringify(checks)).slice(0, 32)}`;
}

async function readLines(file: string): Promise<Map<string, Verification>> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "";
    throw cause;
  });
  const known = new Map<string, Verification>();
  for (const line of text.split("\n")) {
    const row = parseRow(line);
    if (row !== undefined) known.set(row.key, { green: row.green, report: row.report });
  }
  return known;
}

function parseRow(line: string): (Verification & { key: string }) | undefined {
  try {
    const row = JSON.parse(line) as { key?: unknown; green?: unknown; report?: unknown };
    if (typeof row.key !== "string" || typeof row.green !== "boolean" || typeof row.report !== "string")
      return undefined;
    return { key: row.key, green: row.green, report: row.report };
  } catch {
    return undefined;
  }
}
