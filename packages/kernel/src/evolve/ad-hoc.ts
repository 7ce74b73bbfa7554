import type { Key } from "../command.ts";
import type { Event } from "../event.ts";
import { type AdHocRecord, type State, writable } from "../state/state.ts";
import type { Appliers } from "./applier.ts";
import { itemKey } from "./variable.ts";

type AdHocEvent = Extract<Event["type"], `ad-hoc-${string}`>;

function change(state: State, body: Key, changes: (record: AdHocRecord) => Partial<AdHocRecord>): void {
  const record = state.adHocs.get(body);
  if (record !== undefined) writable(state, "adHocs").set(body, { ...record, ...changes(record) });
}

export const adHocAppliers: Appliers<AdHocEvent> = {
  "ad-hoc-opened": (state: State, event) => {
    writable(state, "adHocs").set(event.body, { body: event.body, chosen: [], ended: 0, done: false, closing: false });
    state.head.at = event.at;
  },
  "ad-hoc-chosen": (state, event) => {
    change(state, event.body, ({ chosen, done }) => ({
      chosen: [...chosen, ...event.elements],
      done: done || event.done,
    }));
    state.head.at = event.at;
  },
  "ad-hoc-activated": (state, event) => {
    change(state, event.body, ({ chosen }) => ({ chosen: chosen.slice(1) }));
    state.head.at = event.at;
  },
  "ad-hoc-ended": (state, event) => {
    change(state, event.body, ({ ended }) => {
      writable(state, "adHocResults").set(itemKey(event.body, String(ended)), {
        element: event.element,
        result: event.result,
      });
      return { ended: ended + 1 };
    });
    state.head.at = event.at;
  },
  "ad-hoc-closing": (state, event) => change(state, event.body, () => ({ chosen: [], closing: true })),
};

/** Forgets what was chosen and what came of it, when its instance ends. */
export function dropAdHoc(state: State, body: Key): void {
  const record = state.adHocs.get(body);
  if (record === undefined) return;
  state.adHocs.delete(body);
  for (let index = 0; index < record.ended; index += 1) state.adHocResults.delete(itemKey(body, String(index)));
}
