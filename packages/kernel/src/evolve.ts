import type { Event, EventType } from "./event.ts";
import { adHocAppliers } from "./evolve/ad-hoc.ts";
import type { Appliers } from "./evolve/applier.ts";
import { compensationAppliers } from "./evolve/compensation.ts";
import { elementAppliers } from "./evolve/element.ts";
import { instanceAppliers } from "./evolve/instance.ts";
import { itemAppliers } from "./evolve/item.ts";
import { loopAppliers } from "./evolve/loop.ts";
import { migrationAppliers } from "./evolve/migration.ts";
import { subscriptionAppliers } from "./evolve/subscription.ts";
import { taskAppliers } from "./evolve/task.ts";
import { waitAppliers } from "./evolve/wait.ts";
import { lookup } from "./state/lookup.ts";
import type { State } from "./state/state.ts";

const appliers: Appliers<EventType> = lookup({
  ...instanceAppliers,
  ...elementAppliers,
  ...waitAppliers,
  ...taskAppliers,
  ...subscriptionAppliers,
  ...migrationAppliers,
  ...itemAppliers,
  ...loopAppliers,
  ...adHocAppliers,
  ...compensationAppliers,
});

/**
 * Applies one recorded event in place and gives the same state back. Total: it never fails and never decides.
 * The cost does not depend on the size of the instance.
 */
export function evolve(state: State, event: Event): State {
  state.head.sequence += 1;
  // The table is typed per event; indexing it by a union loses that pairing, which the type of `appliers` has proven.
  (appliers[event.type] as (state: State, event: Event) => void)(state, event);
  return state;
}
