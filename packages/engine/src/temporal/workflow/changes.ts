import {
  type Command,
  type Effect,
  type EffectType,
  type Event,
  effectsOf,
  lookup,
  must,
  type Program,
  pendingEffects,
  type Rejection,
  type State,
  staysOpen,
  step,
  textHash,
} from "@tutti/kernel";
import { limitKeyOf } from "../../embedded/job/limit-key.ts";
import { project } from "../../embedded/log/projection.ts";
import type { Change, InstanceRecord } from "../../embedded/store.ts";
import type { ForkOrder, ProjectedRow, UntimedCommand } from "../contract.ts";

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

/** Brings the record up to date with the state after a command. `before` is as it was; undefined: it is new. */
export function recordEnd(
  { record, state }: Pick<Projecting, "record" | "state">,
  before: InstanceRecord | undefined,
  changes: Change[],
): void {
  const { status, startedAt, endedAt } = state.head;
  Object.assign(record, { status: status ?? record.status, startedAt, endedAt });
  if (before === undefined) changes.unshift({ type: "instance-put", record: { ...record } });
  else if (isChanged(record, before)) changes.push({ type: "instance-update", record: { ...record } });
  const { startedBy: channel, process } = record;
  if (endedAt !== null && channel !== null) changes.push({ type: "holder-delete", channel, process });
}

function isChanged(record: InstanceRecord, before: InstanceRecord): boolean {
  return record.status !== before.status || record.held !== before.held || record.incidents !== before.incidents;
}

/** Two commands with the same cause are the same to an instance: whichever is taken for the other, nothing changes. */
export function causeOf(command: UntimedCommand): number {
  return textHash(JSON.stringify(command));
}

/** Decides and applies a command outside of the execution of its instance. Gives its row, or why it is refused. */
export function rowOf(
  of: Projecting,
  command: Exclude<UntimedCommand, { type: "migrate-instance" }>,
  now: number,
): ProjectedRow | { readonly rejection: Rejection } {
  const { record, state, program } = of;
  const before = { ...record };
  const sequence = state.head.sequence + 1;
  const at = Math.max(now, state.head.at);
  const changes: Change[] = [];
  const decision = step({ program, state }, { ...command, at } as Command, (event) =>
    recordChanges(of, { event, effects: effectsOf(state, event) }, changes),
  );
  if ("rejection" in decision) return decision;
  recordEnd(of, before, changes);
  return { sequence, at, cause: causeOf(command), events: decision.events, changes };
}

/** What becomes of an instance that is rolled back. */
export function cancelOf({
  reason,
  actor,
}: Pick<ForkOrder, "reason" | "actor">): Extract<UntimedCommand, { readonly type: "cancel-instance" }> {
  return { type: "cancel-instance", reason, actor };
}
