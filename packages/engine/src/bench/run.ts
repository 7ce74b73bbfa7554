import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { measureBranches } from "./branches.ts";
import { measureHistory } from "./history.ts";
import { measureMemory, measureRecovery, measureSteps, measureSync } from "./measure.ts";
import type { Figure } from "./report.ts";
import { measureDisk, measureIdle, measureTimers } from "./waiting.ts";

/**
 * The engine's benchmarks, one after the other; `print` gets each figure as soon as it is there. With `words` only those
 * whose name contains one of them; `full` with as many waiting instances as the goal names.
 */
export async function runEngineBenchmarks(
  print: (figure: Figure) => void,
  { words, full }: { readonly words: readonly string[]; readonly full: boolean },
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-bench-"));
  const parts: readonly (readonly [name: string, measure: () => Promise<Figure[]> | Figure[]])[] = [
    ["disk.sync", () => measureSync(folder)],
    ...[1, 16, 64, 256].map(
      (inFlight) => [`10-steps.durable.${inFlight}`, () => measureSteps(folder, { inFlight, steps: 10 })] as const,
    ),
    ...[1, 16, 64].map(
      (inFlight) => [`one-task.durable.${inFlight}`, () => measureSteps(folder, { inFlight, steps: 1 })] as const,
    ),
    ["10-steps.memory.64", () => measureMemory(folder, { inFlight: 64, steps: 10 })],
    ["one-task.memory.64", () => measureMemory(folder, { inFlight: 64, steps: 1 })],
    ["branches", () => measureBranches()],
    ["history", () => measureHistory(folder)],
    ["waiting.disk", () => measureDisk(folder)],
    ["waiting.heap", () => measureIdle(folder, { full })],
    ["timers", () => measureTimers(folder)],
    ["recovery", () => measureRecovery(folder)],
  ];
  try {
    for (const [name, measure] of parts) {
      if (words.length > 0 && !words.some((word) => name.includes(word) || word.startsWith(name))) continue;
      for (const figure of await measure()) print(figure);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function printLine({ name, value, unit, goal, met, spread }: Figure): void {
  const beside = goal === null ? "" : `  goal ${goal} ${met === true ? "met" : "MISSED"}`;
  const around = spread === 0 ? "" : ` ± ${Math.round(spread * 50)} %`;
  process.stdout.write(`${name.padEnd(40)} ${value} ${unit}${around}${beside}\n`);
}

if (import.meta.main) {
  const json = process.argv.includes("--json");
  const words = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  if (!json) {
    const [cpu] = cpus();
    process.stdout.write(
      `${cpus().length} × ${cpu?.model ?? "unknown"}, Node ${process.version}, SQLite ${process.versions["sqlite"]}\n`,
    );
  }
  const print = json ? (figure: Figure) => process.stdout.write(`${JSON.stringify(figure)}\n`) : printLine;
  await runEngineBenchmarks(print, { words, full: process.argv.includes("--full") });
}
