/** What the order of merging needs to know of a unit. */
export interface OrderUnit {
  readonly id: string;
  /** Ids of units that must land before. Ids that are not in the list count as landed. */
  readonly dependsOn: readonly string[];
  /** Lines added and deleted; breaks ties. */
  readonly lines: number;
}

export interface OrderConflict {
  readonly a: string;
  readonly b: string;
}

/**
 * The units to merge next: all of one topological level that can go in together without a conflict between them,
 * least entangled first. Empty only when no unit is left. Ask again after each landing, with the conflicts as they
 * are then. Pure; throws when the units depend on each other in a circle.
 */
export function nextBatch(units: readonly OrderUnit[], conflicts: readonly OrderConflict[]): string[] {
  const pending = new Set(units.map(({ id }) => id));
  const ready = units.filter((unit) => !unit.dependsOn.some((id) => pending.has(id)));
  if (ready.length === 0 && units.length > 0)
    throw new RangeError("Units that depend on each other in a circle have no order");
  const level = new Map(ready.map((unit) => [unit.id, unit]));
  const rivals = new Map(ready.map(({ id }) => [id, new Set<string>()]));
  for (const { a, b } of conflicts) {
    if (a === b || !level.has(a) || !level.has(b)) continue;
    rivals.get(a)?.add(b);
    rivals.get(b)?.add(a);
  }
  // Greedy independent set: take the one with the fewest rivals left, drop those, repeat.
  const batch: string[] = [];
  while (level.size > 0) {
    const next = [...level.values()].reduce((best, unit) => (goesBefore(unit, best) ? unit : best));
    batch.push(next.id);
    drop(next.id);
    for (const rival of rivals.get(next.id) ?? []) if (level.has(rival)) drop(rival, next.id);
  }
  return batch;

  function degree(id: string): number {
    return rivals.get(id)?.size ?? 0;
  }
  function goesBefore(x: OrderUnit, y: OrderUnit): boolean {
    const difference = degree(x.id) - degree(y.id) || x.lines - y.lines;
    return difference !== 0 ? difference < 0 : x.id < y.id;
  }
  function drop(id: string, chosen?: string): void {
    level.delete(id);
    for (const rival of rivals.get(id) ?? []) if (rival !== chosen) rivals.get(rival)?.delete(id);
  }
}

/** The whole order as it looks now, batch by batch; for showing a plan. */
export function mergeOrder(units: readonly OrderUnit[], conflicts: readonly OrderConflict[]): string[][] {
  const batches: string[][] = [];
  let left = units;
  while (left.length > 0) {
    const batch = nextBatch(left, conflicts);
    batches.push(batch);
    left = left.filter(({ id }) => !batch.includes(id));
  }
  return batches;
}
