import type { Event, EventType } from "../event.ts";
import type { State } from "../state/state.ts";

/** How each of some events changes the state. A new type of event does not compile until it has one. */
export type Appliers<T extends EventType> = {
  readonly [K in T]: (state: State, event: Extract<Event, { readonly type: K }>) => void;
};
