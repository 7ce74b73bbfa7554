import {
  type Effect,
  type EffectType,
  type Event,
  lookup,
  must,
  type Program,
  pendingEffects,
  type State,
  staysOpen,
} from "@tutti/kernel";
import { limitKeyOf } from "../../embedded/job/limit-key.ts";
import { project } from "../../embedded/log/projection.ts";
import type { Change, InstanceRecord } from "../../embedded/store.ts";

/** The projector gives an instance its number; until then it has this one. */
export const noNumber = 0;

/** An instance as it is projected: what lists show of it. */
export interface Projecting {
  readonly record: InstanceRecord;
  readonly state: State;
  readonly program: Program;
}

type Recorders = {
  readonly [K in EffectType]?: (of: Projecting, effect: Extract<Effect, { readonly type: K }>) => Change | undefined;
};

/** What effects change in the tables. Timers and messages under way are Temporal's: no table has them. */
const recorders: Recorders = lookup({
  "offer-job": ({ state }, effect) => {
    const { key, element, jobType, queue, priority, attempt, notBefore = 0 } = effect;
    const place = { instance: noNumber, key, element, jobType, queue, priority, attempt };
    return { type: "job-put", job: { ...place, notBefore, since: state.head.at, limitKey: limitKeyOf(effect) } };
  },
  "open-subscription": ({ record, state, program }, { key, element, kind, name, correlationKey }) => {
    const repeats = staysOpen(must(program.elements.get(element), `there is no '${element}'`));
    const place = { instance: noNumber, key, kind, process: record.process, element, name, correlationKey };
    const subscription = { ...place, position: 0, since: state.head.at, repeats, taken: false };
    return { type: "subscription-put", subscription };
  },
  "close-subscription": (_of, { key }) => ({ type: "subscription-delete", instance: noNumber, key }),
  "hold-jobs": ({ record }) => {
    record.held = true;
    return undefined;
  },
  "release-jobs": ({ record }) => {
    record.held = false;
    return undefined;
  },
});

/** What an instance waits for, by the names of its program. */
export function subscriptionsOf(of: Projecting): Change[] {
  return pendingEffects(of.state).flatMap((effect) =>
    effect.type === "open-subscription" ? (recorders["open-subscription"]?.(of, effect) ?? []) : [],
  );
}

/** Adds what an event and its effects change; the state is that right after the event. */
export function recordChanges(
  of: Projecting,
  { event, effects }: { readonly event: Event; readonly effects: readonly Effect[] },
  changes: Change[],
): void {
  project(of, event, changes);
  for (const effect of effects) {
    // Indexing by a union loses which recorder belongs to which effect; the type of `recorders` has proven it.
    const record = recorders[effect.type] as ((of: Projecting, effect: Effect) => Change | undefined) | undefined;
    const change = record?.(of, effect);
    if (change !== undefined) changes.push(change);
  }
}
