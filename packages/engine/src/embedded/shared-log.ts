import type { MessageReader, Standing, StandingWanted, Store, StoreReader, Turn } from "./store.ts";

/** How far the log is. */
export interface News {
  /** Of its newest row. */
  readonly position: number;
  /** Moves on with each change of what is deployed or adjusted, whoever makes it. */
  readonly definitions: number;
}

/** A turn; `defines` when it changes what is deployed or adjusted. */
export type Appended = Turn & { readonly defines?: boolean };

/**
 * A log that any number of processes may write, each turn as a whole. Nobody keeps in memory what another may change:
 * a turn is decided from what the log has at that moment.
 */
export interface SharedLog extends StoreReader, MessageReader {
  /**
   * Reads what is wanted, has `decide` make a turn of it, and writes that, with nobody else's in between. Resolves once
   * it survives a crash; after a rejection nothing of it is visible. To be called one after the other.
   */
  append(wanted: StandingWanted, decide: (standing: Standing) => Appended): Promise<void>;
  news(): Promise<News>;
  /** `tell` is called with what others have appended: at once, or within a second where the word of it was lost. */
  watch(tell: (news: News) => void): void;
}

/** A store that this process alone writes. */
export function soleLog(store: Store): SharedLog {
  let definitions = 0;
  /** What is in the store is to be read anew. */
  let isStale = false;
  return {
    ...store,
    append: async (wanted, decide) => {
      if (isStale) await store.reopen();
      isStale = false;
      const turn = decide(await store.standing(wanted));
      if (turn.rows.length === 0 && turn.changes.length === 0) return;
      isStale = true;
      await store.commit(turn);
      isStale = false;
      if (turn.defines) definitions++;
    },
    news: async () => ({ position: (await store.counters()).position, definitions }),
    // There are no others.
    watch: () => undefined,
  };
}
