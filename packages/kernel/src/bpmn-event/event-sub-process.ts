import type { Key } from "../command.ts";
import type { Json, JsonObject } from "../json.ts";
import { instanceAt, isBody, terminateContent } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { CatchTrigger, StartEvent, SubProcess } from "../program.ts";
import { cancels } from "../program-check.ts";
import { Names } from "../scope.ts";
import type { Turn } from "../turn.ts";
import { passEvent } from "./trigger.ts";
import { abandon, armWaits, prepareWaits, triggerOf } from "./wait.ts";

/** The event sub-processes of the container that a scope is an instance of. */
function eventSubProcessesIn(turn: Turn, scope: Key): readonly SubProcess[] {
  const container = scope === 0 ? null : instanceAt(turn, scope).element;
  const found = turn.program.eventSubProcesses.get(container);
  // The items of a collection and the rounds of a loop are the scopes, not their body.
  return found === undefined || isBody(turn, scope) ? [] : found;
}

function startOf(turn: Turn, subProcess: SubProcess): StartEvent {
  return must(turn.program.starts.get(subProcess.id), `'${subProcess.id}' has no start event`);
}

/** A scope begins: its event sub-processes wait for what starts them. One that cannot is an incident of the scope. */
export function armEventSubProcesses(turn: Turn, scope: Key): void {
  for (const subProcess of eventSubProcessesIn(turn, scope)) {
    const start = startOf(turn, subProcess);
    const waits = prepareWaits(turn, start, new Names(turn.program, turn.state, { scope }));
    if (waits.ok) armWaits(turn, scope, waits.value);
    else turn.raise({ owner: scope, element: start.id, kind: "trigger", error: waits.error });
  }
}

/** Whether an interrupting event sub-process has taken over a scope: then it is alone there, and no other one starts. */
export function isInterrupted(turn: Turn, scope: Key): boolean {
  const first = turn.state.children.of(scope).next();
  if (first.done) return false;
  const { element } = instanceAt(turn, first.value);
  const start = turn.program.starts.get(element);
  if (start === undefined || start.trigger.type === "none") return false;
  // One that undoes a completed sub-process is no handler of the scope it runs in.
  return start.trigger.type !== "compensation" && start.interrupting !== false;
}

/** Whether a scope is a transaction that undoes its work, or holds its items: then nothing at it or in it catches anything. */
export function isCancelling(turn: Turn, scope: Key): boolean {
  for (const { owner, scope: undone } of turn.state.compensationRuns.values()) {
    const isIt = undone === scope || (isBody(turn, scope) && turn.state.children.has(scope, undone));
    if (!isIt || owner === 0) continue;
    const element = turn.element(instanceAt(turn, owner).element);
    if (element.kind === "end-event" && cancels(element)) return true;
  }
  return false;
}

/**
 * The event sub-process of a scope that catches something thrown inside of what runs there under the key `through`;
 * `precision` as for boundary events. What one throws itself goes on outside: that is how it passes on what started it.
 */
export function findEventSubProcess(
  turn: Turn,
  scope: Key,
  thrown: { readonly through: Key; readonly precision: (trigger: CatchTrigger) => number },
): StartEvent | undefined {
  const { element } = instanceAt(turn, thrown.through);
  const others = eventSubProcessesIn(turn, scope).filter(({ id }) => id !== element);
  const found = mostPrecise(
    others.map((each) => startOf(turn, each)),
    thrown.precision,
  );
  if (found === undefined || isInterrupted(turn, scope) || isCancelling(turn, scope)) return undefined;
  // Nothing but what undoes its work runs in a process that is undone.
  return scope === 0 && turn.state.compensationRuns.get(0) !== undefined ? undefined : found;
}

/** Its content has ended, or one of them took over: none starts any more. */
export function closeEventSubProcesses(turn: Turn, scope: Key): void {
  for (const each of eventSubProcessesIn(turn, scope)) {
    abandon(turn, scope, { element: startOf(turn, each).id, reason: "It can start no more." });
  }
}

/** Of several events, the one whose trigger fits best; of equals, the first. */
export function mostPrecise<E extends StartEvent | Parameters<typeof triggerOf>[0]>(
  events: readonly E[],
  precision: (trigger: CatchTrigger) => number,
): E | undefined {
  let best: { readonly event: E; readonly precision: number } | undefined;
  for (const event of events) {
    const trigger = must(triggerOf(event), `'${event.id}' catches nothing`);
    const triggers = trigger.type === "multiple" ? trigger.triggers : [trigger];
    for (const each of triggers) {
      const fits = precision(each);
      if (fits > (best?.precision ?? 0)) best = { event, precision: fits };
    }
  }
  return best?.event;
}

/** Starts an event sub-process in a scope; an interrupting one ends everything else there first. */
export function startEventSubProcess(
  turn: Turn,
  start: StartEvent,
  triggered: { readonly scope: Key; readonly payload: JsonObject },
): void {
  const { scope, payload } = triggered;
  const subProcess = turn.element(must(start.parent, "a triggered start stands in an event sub-process")) as SubProcess;
  if (start.interrupting !== false) {
    terminateContent(turn, scope);
    closeEventSubProcesses(turn, scope);
  }
  const key = turn.nextKey();
  turn.emit({ type: "element-activated", key, element: subProcess.id, scope, at: turn.at });
  const locals: { [name: string]: Json } = {};
  for (const { name, initial = null } of subProcess.variables ?? []) locals[name] = initial;
  if (Object.keys(locals).length > 0) {
    turn.emit({ type: "variables-set", scope: key, values: locals, actor: subProcess.id, at: turn.at });
  }
  armEventSubProcesses(turn, key);
  passEvent(turn, start, { scope: key, payload });
}
