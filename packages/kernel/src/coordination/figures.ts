/**
 * How a version fares, kept as it happens: no question about it looks at the instances again. Pure; an engine keeps the
 * figures of each version and adds what a command did. The rules are Q30 … in SPEC-coordination.md.
 */
export interface VersionFigures {
  readonly started: number;
  /** Open now. */
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Open now. */
  readonly incidents: number;
  /** Of the completed ones together, from start to end. */
  readonly totalMs: number;
  /** How many of those took how long, by `durationBucket`. */
  readonly durations: { readonly [bucket: number]: number };
}

/** What one command changed. Counts may be negative: an instance leaves, an incident is resolved. */
export type FiguresChange = Partial<Omit<VersionFigures, "totalMs" | "durations">> & {
  /** Of an instance that completed. */
  readonly durationMs?: number;
};

export const noVersionFigures: VersionFigures = {
  ...{ started: 0, running: 0, completed: 0, failed: 0, cancelled: 0, incidents: 0 },
  ...{ totalMs: 0, durations: {} },
};

/** Buckets grow by a fourth of a doubling, so what is read from them is off by a tenth at most. */
const bucketsPerDoubling = 4;

/** 0 is no time; bucket n begins at 2^((n - 1) / 4) ms. */
export function durationBucket(durationMs: number): number {
  return durationMs < 1 ? 0 : 1 + Math.floor(bucketsPerDoubling * Math.log2(durationMs));
}

export function addFigures(figures: VersionFigures, changes: readonly FiguresChange[]): VersionFigures {
  const sum = { ...figures, durations: { ...figures.durations } };
  for (const {
    durationMs,
    started = 0,
    running = 0,
    completed = 0,
    failed = 0,
    cancelled = 0,
    incidents = 0,
  } of changes) {
    sum.started += started;
    sum.running += running;
    sum.completed += completed;
    sum.failed += failed;
    sum.cancelled += cancelled;
    sum.incidents += incidents;
    if (durationMs === undefined) continue;
    sum.totalMs += durationMs;
    const bucket = durationBucket(durationMs);
    sum.durations[bucket] = (sum.durations[bucket] ?? 0) + 1;
  }
  return sum;
}

/** What the given share (0 to 1) of the completed instances took at most, within a tenth; null without one. */
export function durationQuantileMs({ completed, durations }: VersionFigures, share: number): number | null {
  if (completed === 0) return null;
  let left = Math.max(1, Math.ceil(completed * share));
  // Names that are whole numbers come in their order.
  const buckets = Object.entries(durations).map(([bucket, count]) => [Number(bucket), count] as const);
  const reached = buckets.find(([, count]) => {
    left -= count;
    return left <= 0;
  });
  return middleMs(reached?.[0] ?? 0);
}

/** The geometric middle: equally far from both ends of the bucket. */
function middleMs(bucket: number): number {
  return bucket === 0 ? 0 : Math.round(2 ** ((bucket - 0.5) / bucketsPerDoubling));
}
