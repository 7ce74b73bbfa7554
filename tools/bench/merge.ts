// Conflict analysis and merging on repositories of 10 000 files, as JSON lines for tools/bench.ts. Absolute times carry
// no goal: machines differ. What the disk costs is taken out by a ratio.

import { benchConflictMatrix, benchDisjointMerge, benchWorkspace } from "../../packages/workspace/src/merge.bench.ts";

const repetitions = 3;
const files = 10_000;

interface Measure {
  readonly unit: string;
  readonly goalMax?: number;
}

function report(name: string, samples: readonly number[], { unit, goalMax }: Measure = { unit: "ms" }): void {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const spread = value === 0 ? 0 : ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)) / value;
  const [goal, met] = goalMax === undefined ? [null, null] : [`<= ${goalMax}`, value <= goalMax];
  process.stdout.write(`${JSON.stringify({ name, value, unit, goal, met, spread })}\n`);
}

async function repeat<T>(measure: () => Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (let i = 0; i < repetitions; i += 1) found.push(await measure());
  return found;
}

for (const branches of [50, 100]) {
  const runs = await repeat(() => benchConflictMatrix({ branches, files }));
  const totals = runs.map(({ totalMs }) => totalMs);
  report(`merge.conflict-matrix.${branches}-branches`, totals);
  const further = runs.map(({ furtherMs }) => furtherMs);
  report(`merge.conflict-matrix.${branches}-branches.one-more`, further);
}
const merges = await repeat(() => benchDisjointMerge({ branches: 64, files }));
const mergeTimes = merges.map(({ totalMs }) => totalMs);
report("merge.disjoint.64-branches", mergeTimes);
const workspaces = await repeat(() => benchWorkspace({ files }));
report(
  "workspace.ready",
  workspaces.map(({ readyMs }) => readyMs),
);
report(
  "workspace.ready.of-checkout",
  workspaces.map(({ readyMs, checkoutMs }) => readyMs / checkoutMs),
  { unit: "ratio", goalMax: 1.5 },
);
report(
  "workspace.remove",
  workspaces.map(({ removeMs }) => removeMs),
);
