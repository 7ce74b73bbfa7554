import type { Engine, RecordedEvent } from "../port.ts";

/** Reads along what an engine writes, by instance. */
export class Book {
  readonly #events: Map<string, RecordedEvent[]> = new Map();
  #waiting: { readonly check: () => boolean; readonly resolve: (came: boolean) => void }[] = [];

  /** Ends with the engine. */
  async follow(engine: Engine): Promise<void> {
    for await (const event of engine.history({ follow: true })) {
      const { instanceId } = event;
      const events = this.#events.get(instanceId);
      if (events === undefined) this.#events.set(instanceId, [event]);
      else events.push(event);
      this.#waiting = this.#waiting.filter(({ check, resolve }) => {
        const came = check();
        if (came) resolve(true);
        return !came;
      });
    }
  }

  of(instanceId: string): readonly RecordedEvent[] {
    return this.#events.get(instanceId) ?? [];
  }

  /** Ids that begin so. */
  instances(prefix: string): string[] {
    return [...this.#events.keys()].filter((id) => id === prefix || id.startsWith(`${prefix}/`));
  }

  forget(instanceId: string): void {
    this.#events.delete(instanceId);
  }

  /** False: it has not come in time. */
  until(check: () => boolean, patienceMs: number): Promise<boolean> {
    if (check()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiting = { check, resolve };
      this.#waiting.push(waiting);
      setTimeout(() => {
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        resolve(false);
      }, patienceMs).unref();
    });
  }
}
