import type { InstanceOutcome } from "../command.ts";
import type { Event } from "../event.ts";
import { type CallRecord, type State, writable } from "../state/state.ts";
import type { CompletedWork } from "../undoable.ts";
import type { Appliers } from "./applier.ts";
import { forgetContent } from "./compensation.ts";
import { packFailedWork, packWork } from "./completed-work.ts";
import { writeVariable } from "./variable.ts";

type InstanceEvent = Exclude<
  Extract<Event["type"], `instance-${string}` | `continuation-${string}` | "variables-set" | "expression-doubted">,
  "instance-migrated"
>;

/** A child is called by the key of its call, and the attempt from the second on, so that starting it twice starts one. */
export function childName(instanceId: string, { key, attempt }: Pick<CallRecord, "key" | "attempt">): string {
  return attempt === 1 ? `${instanceId}/${key}` : `${instanceId}/${key}.${attempt}`;
}

function end(state: State, outcome: InstanceOutcome, at: number): void {
  const { head } = state;
  head.status = outcome.type;
  head.outcome = outcome;
  head.endedAt = at;
  head.at = at;
  head.continuing = false;
  if (head.rounds !== undefined) delete head.rounds;
  if (head.cancelledBy !== undefined) delete head.cancelledBy;
  state.compensationRuns.delete(0);
  forgetContent(state, 0);
}

function handOn({ head }: State, work: CompletedWork | null): void {
  const { instanceId, process, hash } = head;
  head.undoable = { instanceId, process, hash, work };
}

export const instanceAppliers: Appliers<InstanceEvent> = {
  "instance-created": (state, event) => {
    const { head } = state;
    head.instanceId = event.instanceId;
    head.rootId = event.rootId;
    head.process = event.process;
    head.version = event.version;
    head.hash = event.hash;
    head.parent = event.parent ?? null;
    head.businessKey = event.businessKey ?? null;
    head.queue = event.queue ?? null;
    head.priority = event.priority ?? null;
    head.status = "running";
    head.startedAt = event.at;
    head.at = event.at;
    if (event.undoes !== undefined) head.undoes = event.undoes;
  },
  "instance-forked": (state, event) => {
    const { head } = state;
    head.instanceId = event.instanceId;
    head.rootId = event.instanceId;
    head.parent = null;
    head.at = event.at;
    for (const call of [...state.calls.values()]) {
      if (call.ended) continue;
      const unasked = head.status === "paused" ? { unasked: true as const } : {};
      writable(state, "calls").set(call.key, { ...call, childId: childName(event.instanceId, call), ...unasked });
    }
  },
  "instance-paused": (state, event) => {
    state.head.status = "paused";
    state.head.at = event.at;
  },
  "instance-resumed": (state, event) => {
    state.head.status = "running";
    state.head.at = event.at;
    for (const { unasked, ...call } of [...state.calls.values()]) {
      if (unasked !== undefined) writable(state, "calls").set(call.key, call);
    }
  },
  "instance-modified": (state, event) => {
    state.head.at = event.at;
  },
  "instance-failing": (state, event) => {
    state.head.status = "failing";
    state.head.failure = event.error;
    if (event.cancelledBy !== undefined) state.head.cancelledBy = event.cancelledBy;
    state.head.at = event.at;
  },
  "instance-completed": (state, event) => {
    if (event.undoable !== undefined) handOn(state, event.undoable ? packWork(state) : null);
    end(state, { type: "completed", result: event.result }, event.at);
  },
  "instance-failed": (state, event) => {
    if (event.undoable !== undefined) handOn(state, event.undoable ? packFailedWork(state) : null);
    end(state, { type: "failed", error: event.error }, event.at);
  },
  "instance-cancelled": (state, event) => end(state, { type: "cancelled", reason: event.reason }, event.at),
  "continuation-requested": (state, { round }) => {
    state.head.continuing = true;
    if (round === undefined) delete state.head.rounds;
    else state.head.rounds = round;
  },
  "continuation-started": (state) => {
    state.head.continuing = false;
  },
  "expression-doubted": (state, event) => {
    const waiting = event.subscription === undefined ? undefined : state.subscriptions.get(event.subscription);
    if (waiting !== undefined) {
      writable(state, "subscriptions").set(waiting.key, { ...waiting, doubt: event.warnings });
    }
    state.head.at = event.at;
  },
  "variables-set": (state, event) => {
    for (const name in event.values) {
      writeVariable(state, {
        scope: event.scope,
        name,
        value: event.values[name] ?? null,
        author: event.actor,
        at: event.at,
      });
    }
    state.head.at = event.at;
  },
};
