import { UnitOrder } from "./order.ts";
import { globsOverlap } from "./overlap.ts";
import type { UnitDraft } from "./schema.ts";

/** What a unit changes as its own: nobody else should write there meanwhile. */
function owned(unit: UnitDraft): readonly string[] {
  return [...unit.touches.owns, ...unit.touches.creates];
}

/** The first path that both would write although one of them owns it. */
function contested(a: UnitDraft, b: UnitDraft): string | undefined {
  for (const path of owned(a)) {
    if ([...owned(b), ...b.touches.may].some((other) => globsOverlap(path, other))) return path;
  }
  for (const path of owned(b)) {
    if (a.touches.may.some((other) => globsOverlap(path, other))) return path;
  }
  return undefined;
}

/**
 * Predicts conflicts from claims. Units that the graph does not order and of which one owns what the other writes get
 * a lock in common, so they run one after the other and the later starts from the earlier's result. Where both only
 * may write, they run side by side and are merged.
 */
export function locksOf(units: readonly UnitDraft[]): ReadonlyMap<string, readonly string[]> {
  const order = new UnitOrder(units);
  const locks = new Map<string, string[]>(units.map((unit) => [unit.id, []]));
  for (const [index, a] of units.entries()) {
    for (const b of units.slice(index + 1)) {
      if (order.areOrdered(a.id, b.id)) continue;
      const path = contested(a, b);
      if (path === undefined) continue;
      const name = `${path} (${a.id}, ${b.id})`;
      locks.get(a.id)?.push(name);
      locks.get(b.id)?.push(name);
    }
  }
  return locks;
}
