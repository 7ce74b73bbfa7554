import type { Event } from "../event.ts";
import { type State, useKey, writable } from "../state/state.ts";
import type { Appliers } from "./applier.ts";
import { writeVariable } from "./variable.ts";

type LoopEvent = Extract<Event["type"], `loop-${string}`>;

export const loopAppliers: Appliers<LoopEvent> = {
  "loop-opened": (state: State, event) => {
    writable(state, "loops").set(event.body, { body: event.body, counter: 0 });
    state.head.at = event.at;
  },
  "loop-iterated": (state, event) => {
    const { body, counter, at } = event;
    useKey(state, event.key);
    if (state.loops.get(body) === undefined) return;
    writable(state, "loops").set(body, { body, counter });
    writeVariable(state, { scope: body, name: "loopCounter", value: counter, author: "kernel", at });
    state.head.at = at;
  },
};
