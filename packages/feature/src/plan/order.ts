import type { UnitDraft } from "./schema.ts";

/** Which units come before which, through any number of dependencies. Unknown ids and cycles do no harm. */
export class UnitOrder {
  readonly #before: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(units: readonly Pick<UnitDraft, "id" | "dependsOn">[]) {
    const direct = new Map(units.map((unit) => [unit.id, unit.dependsOn]));
    const before = new Map<string, Set<string>>();
    for (const { id } of units) {
      const reached = new Set<string>();
      const open = [...(direct.get(id) ?? [])];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (reached.has(next)) continue;
        reached.add(next);
        open.push(...(direct.get(next) ?? []));
      }
      before.set(id, reached);
    }
    this.#before = before;
  }

  /** Whether one of the two must end before the other starts. */
  areOrdered(a: string, b: string): boolean {
    return this.#before.get(a)?.has(b) === true || this.#before.get(b)?.has(a) === true;
  }

  /** The most units of one topological level: how many agents could ever run side by side, roughly. */
  width(): number {
    const levels = new Map<number, number>();
    const depth = new Map<string, number>();
    const ids = [...this.#before.keys()].sort(
      (a, b) => (this.#before.get(a)?.size ?? 0) - (this.#before.get(b)?.size ?? 0),
    );
    for (const id of ids) {
      const level = Math.max(-1, ...[...(this.#before.get(id) ?? [])].map((other) => depth.get(other) ?? -1)) + 1;
      depth.set(id, level);
      levels.set(level, (levels.get(level) ?? 0) + 1);
    }
    return Math.max(0, ...levels.values());
  }
}
