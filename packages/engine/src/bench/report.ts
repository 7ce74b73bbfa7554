/** One measured figure, as `npm run bench -- --json` prints it. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** A comparison such as ">= 0.5"; null when the figure only stands beside others. */
  readonly goal: string | null;
  readonly met: boolean | null;
  /** (largest − smallest) ÷ median of the rounds; 0 for a single one. */
  readonly spread: number;
}

export interface Rounds {
  readonly median: number;
  readonly spread: number;
}

export function roundsOf(values: readonly number[]): Rounds {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  return { median, spread: median === 0 ? 0 : ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)) / median };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function figure(
  name: string,
  measured: number | Rounds,
  options: { readonly unit: string; readonly goal?: string },
): Figure {
  const { unit, goal = null } = options;
  const rounds = typeof measured === "number" ? { median: measured, spread: 0 } : measured;
  const value = Number(rounds.median.toPrecision(4));
  const spread = Number(rounds.spread.toFixed(3));
  return { name, value, unit, goal, met: goal === null ? null : meets(value, goal), spread };
}

function meets(value: number, goal: string): boolean {
  const [operator, text] = goal.split(" ");
  const bound = Number(text);
  return operator === ">=" ? value >= bound : value <= bound;
}
