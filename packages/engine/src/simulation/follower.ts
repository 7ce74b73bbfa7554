import type { LogRow } from "../embedded/store.ts";
import type { Cursor, Engine } from "../port.ts";
import type { Ledger } from "./ledger.ts";
import type { Life } from "./life.ts";
import { sameJson } from "./same.ts";

/** Somebody who follows the log over all lives, each time from where the last one ended. Checks each event as it comes. */
export class Follower {
  events = 0;
  #cursor: Cursor = { position: 0, index: 0 };
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get position(): number {
    return this.#cursor.position;
  }

  async follow(engine: Engine, life: Life): Promise<void> {
    for await (const { cursor, event, sequence } of engine.history({ after: this.#cursor, follow: true })) {
      if (life.dead) return;
      const { position, index } = this.#next();
      const fits = cursor.position === position && cursor.index === index;
      this.#ledger.check(fits, () => `a follower at ${position}.${index} was given ${cursor.position}.${cursor.index}`);
      const row = this.#row(cursor.position);
      const known = row?.events[cursor.index];
      // The first of each row in full; comparing all of them would take longer than making them.
      const same =
        known?.type === event.type && (cursor.index > 0 || sameJson(JSON.stringify(known), JSON.stringify(event)));
      this.#ledger.check(same && row !== undefined && sequence === row.sequence + cursor.index, () => {
        return `a follower was given an event that is not in the log at ${cursor.position}.${cursor.index}`;
      });
      this.#cursor = cursor;
      this.events++;
    }
  }

  #next(): Cursor {
    const { position, index } = this.#cursor;
    const row = this.#row(position);
    if (row !== undefined && index + 1 < row.events.length) return { position, index: index + 1 };
    return { position: position + 1, index: 0 };
  }

  #row(position: number): LogRow | undefined {
    return this.#ledger.parsed[position - 1];
  }
}
