import type { ElementId, Event, Key } from "@tutti/kernel";

interface Run {
  readonly scope: Key;
  /** Left to undo, next first. */
  targets: readonly Key[];
}

/** Which of the instances of a call activity only stand for an instance that undoes what a completed call did. */
export class UndoneCalls {
  /** Calls by instance and key that left something to undo; and those of them that are recorded as such. */
  readonly #left: Set<string> = new Set();
  readonly #recorded: Map<string, ElementId> = new Map();
  /** Compensations that run, by instance and owner. */
  readonly #runs: Map<string, Map<Key, Run>> = new Map();
  readonly #undoing: Set<string> = new Set();

  /** Whether the event begins or ends one of those. */
  read(instanceId: string, event: Event): boolean {
    const name = (key: Key): string => `${instanceId}/${key}`;
    const runs = this.#runs.get(instanceId);
    switch (event.type) {
      case "child-ended":
        if (event.undoable !== undefined && event.undoable.work !== null) this.#left.add(name(event.key));
        return false;
      case "compensation-recorded":
        if (event.handler === null && this.#left.has(name(event.key))) {
          this.#recorded.set(name(event.key), event.element);
        }
        return false;
      case "compensation-restored":
        for (const { key, element, called } of event.work.records) {
          if (called !== undefined && called.work !== null) this.#recorded.set(name(key), element);
        }
        return false;
      case "compensation-started":
        this.#runs.set(instanceId, (runs ?? new Map<Key, Run>()).set(event.owner, { ...event }));
        return false;
      case "compensation-taken":
        this.#take(runs?.get(event.owner), event.target);
        return false;
      case "compensation-finished":
        runs?.delete(event.owner);
        return false;
      case "element-activated": {
        const begins = [...(runs?.values() ?? [])].some(
          ({ scope, targets: [next] }) =>
            next !== undefined && scope === event.scope && this.#recorded.get(name(next)) === event.element,
        );
        if (begins) this.#undoing.add(name(event.key));
        return begins;
      }
      case "element-completed":
      case "element-terminated":
        return this.#undoing.delete(name(event.key));
      default:
        return false;
    }
  }

  #take(run: Run | undefined, target: Key): void {
    if (run !== undefined) run.targets = run.targets.filter((key) => key !== target);
  }
}
