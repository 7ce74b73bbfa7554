// The kernel's own tests must run all of its lines and branches, through its public API.
// Lines that assert an invariant cannot be reached without a bug; they are left out, and their number is printed.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { root, runVitest } from "./run-vitest.mjs";

const assertsInvariant = /\b(assert|must|unreachable)\(|\bnew InvariantError\(/;
const findingsShownMax = 200;

/** @typedef {{ start: { line: number }, end: { line: number } }} Range */
/** @typedef {{ covered: number, total: number }} Share */
/**
 * Istanbul's format.
 * @typedef {{
 *   path: string,
 *   statementMap: Record<string, Range>, s: Record<string, number>,
 *   branchMap: Record<string, { type: string, loc: Range, locations: Range[] }>, b: Record<string, number[]>,
 * }} FileCoverage
 */

/** @typedef {import("./run-vitest.mjs").Run & { isCovered: boolean, summary: string }} CoveredRun */

/**
 * Runs the kernel's tests, and prints what of it they do not run.
 * @param {NodeJS.ProcessEnv} [env] @returns {Promise<CoveredRun>}
 */
export async function runKernelCovered(env) {
  const folder = mkdtempSync(join(tmpdir(), "tutti-coverage-"));
  try {
    const projects = ["--project", "unit", "--project", "simulation"];
    const coverage = ["--coverage.enabled", `--coverage.reportsDirectory=${folder}`];
    const run = await runVitest([...projects, ...coverage, "packages/kernel/"], env);
    if (run.status !== 0) {
      return { ...run, isCovered: false, summary: "kernel: its tests fail, so their coverage says nothing" };
    }
    const files = JSON.parse(readFileSync(join(folder, "coverage-final.json"), "utf8"));
    return { ...run, ...judge(Object.values(files).map(inspect)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {ReturnType<typeof inspect>[]} files */
function judge(files) {
  const findings = files.flatMap((file) => file.findings);
  for (const finding of findings.slice(0, findingsShownMax)) process.stderr.write(`${finding}\n`);
  if (findings.length > findingsShownMax) {
    process.stderr.write(`… and ${findings.length - findingsShownMax} more\n`);
  }
  const invariants = files.reduce((count, file) => count + file.invariants, 0);
  const [lines, branches] = [sum(files.map((file) => file.lines)), sum(files.map((file) => file.branches))];
  const shares = `lines ${percent(lines)}, branches ${percent(branches)}`;
  return {
    isCovered: findings.length === 0,
    summary: `kernel: ${shares}, ${invariants} lines that assert invariants left out`,
  };
}

/** @param {FileCoverage} file */
function inspect(file) {
  const text = readFileSync(file.path, "utf8").split("\n");
  const name = relative(root, file.path);
  /** @type {string[]} */
  const findings = [];
  const lines = { covered: 0, total: 0 };
  const branches = { covered: 0, total: 0 };
  /** @param {Range} range */
  const isInvariant = (range) =>
    text.slice(range.start.line - 1, range.end.line ?? range.start.line).some((line) => assertsInvariant.test(line));
  /** @type {Map<number, boolean>} whether a line that begins a statement was run */
  const runLines = new Map();
  for (const [id, range] of Object.entries(file.statementMap)) {
    const run = (file.s[id] ?? 0) > 0;
    if (!run && isInvariant({ start: range.start, end: range.start })) continue;
    runLines.set(range.start.line, (runLines.get(range.start.line) ?? true) && run);
  }
  for (const [line, run] of runLines) {
    lines.total += 1;
    if (run) lines.covered += 1;
    else findings.push(`${name}:${line} is not run`);
  }
  for (const [id, branch] of Object.entries(file.branchMap)) {
    for (const [index, location] of branch.locations.entries()) {
      // An `else` that is not written has no place of its own.
      const range = location.start?.line === undefined ? branch.loc : location;
      const run = (file.b[id]?.[index] ?? 0) > 0;
      if (!run && isInvariant(range)) continue;
      branches.total += 1;
      if (run) branches.covered += 1;
      else findings.push(`${name}:${range.start.line} branch ${index + 1} of '${branch.type}' is not taken`);
    }
  }
  return { findings, lines, branches, invariants: text.filter((line) => assertsInvariant.test(line)).length };
}

/** @param {Share} share */
function percent({ covered, total }) {
  const share = total === 0 ? 100 : (100 * covered) / total;
  return `${(Math.floor(share * 10) / 10).toFixed(1)} % (${covered} of ${total})`;
}

/** @param {Share[]} shares @returns {Share} */
function sum(shares) {
  return shares.reduce((a, b) => ({ covered: a.covered + b.covered, total: a.total + b.total }), {
    covered: 0,
    total: 0,
  });
}
