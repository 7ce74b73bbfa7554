import { decide } from "../decide.ts";
import type { Event } from "../event.ts";
import { evolve } from "../evolve.ts";
import type { Kernel } from "./driver.ts";

/**
 * A kernel with a bug in `decide` or `evolve`. Its `step` has the same one, so that the bug is not found by comparing what
 * has it with what has not.
 */
function bugged(bug: Partial<Pick<Kernel, "decide" | "evolve">>): Kernel {
  const planted = { decide, evolve, ...bug };
  return {
    ...planted,
    step: ({ program, state }, command, applied) => {
      const decision = planted.decide(program, state, command);
      for (const event of "events" in decision ? decision.events : []) {
        planted.evolve(state, event);
        applied(event);
      }
      return decision;
    },
  };
}

function rejected(): ReturnType<Kernel["decide"]> {
  return { rejection: { code: "limit-exceeded", reason: "Expected less, but this is a planted bug" } };
}

/** Bugs that the simulation has to find, and how its finding begins. Each is made anew for each hunt. */
export const plants: { readonly [bug: string]: { readonly make: () => Kernel; readonly found: RegExp } } = {
  "a cancelled timer is kept": {
    make: () =>
      bugged({
        evolve: (state, event) => {
          if (event.type !== "timer-cancelled") return evolve(state, event);
          state.head.sequence += 1;
          return state;
        },
      }),
    found: /^timer \d+ is nobody's|^pending are .*arm-timer/,
  },
  "a completion is left out": {
    make: () =>
      bugged({
        decide: (program, state, command) => {
          const decision = decide(program, state, command);
          if ("rejection" in decision) return decision;
          return { events: decision.events.filter(({ type }) => type !== "element-completed") };
        },
      }),
    found: /waits for nothing/,
  },
  "an event means more than it says": {
    make: () => {
      const decided = new WeakSet<Event>();
      return bugged({
        decide: (program, state, command) => {
          const decision = decide(program, state, command);
          if ("events" in decision) for (const event of decision.events) decided.add(event);
          return decision;
        },
        evolve: (state, event) => {
          if (event.type === "incident-resolved" && decided.has(event)) state.head.priority = 1;
          return evolve(state, event);
        },
      });
    },
    found: /^the log replays to another state/,
  },
  "a decision remembers another": {
    make: () => {
      let jobs = 0;
      return bugged({
        decide: (program, state, command) => {
          if (command.type === "complete-job") jobs += 1;
          return jobs % 5 === 4 ? rejected() : decide(program, state, command);
        },
      });
    },
    found: /^a restored state decides '.*' otherwise/,
  },
  "a decision changes the state": {
    make: () =>
      bugged({
        decide: (program, state, command) => {
          if (command.type === "fire-timer") state.head.nextKey += 1;
          return decide(program, state, command);
        },
      }),
    found: /^deciding 'fire-timer' changed the state/,
  },
};
