import { isRunning } from "../activity/compensation.ts";
import { itemOf } from "../activity/item.ts";
import type { Key } from "../command.ts";
import { itemKey } from "../evolve/variable.ts";
import type { Program } from "../load.ts";
import { must } from "../problem.ts";
import type { ElementId } from "../program.ts";
import { type CallRecord, type Item, isEnded, type State, type SubscriptionRecord } from "../state/state.ts";
import { isResting } from "../token/join.ts";
import { isStopped } from "../turn.ts";
import { incidentAdvice } from "./incident-advice.ts";
import type { WaitingView } from "./view.ts";

interface Place {
  readonly key: Key | null;
  readonly element: ElementId | null;
  readonly item: string | null;
}

function placeOf(state: State, key: Key): Place {
  const element = state.elements.get(key)?.element ?? null;
  for (let at = key; at !== 0; at = must(state.elements.get(at), "it is open").scope) {
    const item = itemOf(state, at);
    if (item !== undefined) return { key, element, item: item.item };
  }
  return { key, element, item: null };
}

function* waitingWork(state: State): IterableIterator<WaitingView> {
  for (const job of state.jobs.values()) {
    if (job.parked) continue;
    const retrying = job.retryAt === null ? "" : `, attempt ${job.attempt} of ${job.attemptsMax} after a failure`;
    const reason = `The job '${job.jobType}' has not been completed${retrying}.`;
    const until = "A worker completes it, or it fails for good.";
    yield { ...placeOf(state, job.key), on: "job", reason, until, dueAt: job.retryAt };
  }
  for (const task of state.tasks.values()) {
    const who = task.assignee ?? (task.candidates.join(", ") || "anyone");
    const reason = `'${task.title}' is for ${who} to do.`;
    yield { ...placeOf(state, task.key), on: "task", reason, until: "Somebody completes it.", dueAt: task.dueAt };
  }
  for (const call of state.calls.values()) {
    if (call.ended) continue;
    yield { ...placeOf(state, call.key), on: "child", reason: reasonOf(call), until: "It ends.", dueAt: null };
  }
  for (const timer of state.timers.values()) {
    const place = { ...placeOf(state, timer.owner), element: timer.element };
    const reason = timer.rule === undefined ? "It waits for its time." : "Its SLA says until when it may wait.";
    yield { ...place, on: "timer", reason, until: "The timer is due.", dueAt: timer.due };
  }
  for (const subscription of state.subscriptions.values()) {
    const { owner, element, kind } = subscription;
    if (kind !== "met") yield { ...placeOf(state, owner), element, on: kind, ...awaited(subscription), dueAt: null };
  }
  for (const run of state.compensationRuns.values()) {
    const left = run.targets.length + (isRunning(state, run) ? 1 : 0);
    const reason = `Completed work is being undone, ${left} to go.`;
    yield { ...placeOf(state, run.owner), on: "compensation", reason, until: "The last is undone.", dueAt: null };
  }
}

function reasonOf({ process, childId, undoes, undoesItself }: CallRecord): string {
  if (undoes !== undefined) return `'${childId}' undoes what '${undoes.instanceId}' did.`;
  return undoesItself ? `'${childId}' undoes what it did.` : `'${process}' runs as '${childId}'.`;
}

function awaited({ kind, name, correlationKey }: SubscriptionRecord): Pick<WaitingView, "reason" | "until"> {
  if (kind === "condition") return { reason: `It waits until '${name}' holds.`, until: "A variable it reads changes." };
  const key = correlationKey === null ? "" : ` with the key '${correlationKey}'`;
  return { reason: `It waits for the ${kind} '${name}'${key}.`, until: "One comes." };
}

function* waitingForPeople(state: State): IterableIterator<WaitingView> {
  for (const incident of state.incidents.values()) {
    const { owner, element, error, kind } = incident;
    const reason = `It failed (${error.code}): ${error.message}`;
    const until = kind === "items-failed" ? "A person retries or accepts." : "A person retries or cancels.";
    const advice = incidentAdvice[kind];
    yield { ...placeOf(state, owner), element, on: "incident", reason, until, advice, dueAt: null };
  }
  if (state.head.status !== "paused") return;
  const reason = "The instance is paused: running work may end, nothing new starts.";
  yield { key: null, element: null, item: null, on: "pause", reason, until: "A person resumes it.", dueAt: null };
}

function* waitingFlows(program: Program, state: State): IterableIterator<WaitingView> {
  const scopes: Key[] = [0, ...[...state.elements.values()].map((instance) => instance.key)];
  for (const scope of scopes) {
    for (const flow of state.waitingIn.of(scope)) {
      const { from, to: join } = must(program.flows.get(flow), `the program has no flow '${flow}'`);
      const reason = `A token from '${from}' waits for the others.`;
      yield {
        ...placeOf(state, scope),
        element: join,
        on: "join",
        reason,
        until: waitsForRest(program, join) ? "None can come any more." : "One arrives on every flow.",
        dueAt: null,
      };
    }
  }
}

/** Whether a join goes on without the tokens that cannot come. */
function waitsForRest(program: Program, join: ElementId): boolean {
  const joins = program.joins.get(must(program.elements.get(join), `the program has no '${join}'`).parent);
  return joins?.some(({ element }) => element === join) ?? false;
}

function* waitingGateways(state: State): IterableIterator<WaitingView> {
  for (const { key, flows } of state.joining.values()) {
    if (!isResting(state, key)) continue;
    const reason = `It went on with ${flows.length} tokens and waits for the others before it starts again.`;
    yield { ...placeOf(state, key), on: "join", reason, until: "None can come any more.", dueAt: null };
  }
}

function blockedItem(state: State, body: Key, item: Item): Pick<WaitingView, "on" | "reason" | "until"> {
  if (item.status === "waiting") {
    const open = item.definition.dependsOn
      .map((edge) => edge.key)
      .filter((key) => state.items.get(itemKey(body, key))?.endedAt === null);
    const reason = `It depends on ${open.map((key) => `'${key}'`).join(", ")}.`;
    return { on: "dependency", reason, until: "They end." };
  }
  if (item.blockedOn !== null) {
    const holder = state.lockHolders.get(itemKey(body, item.blockedOn));
    const reason = `'${item.blockedOn}' is held by '${holder ?? "nobody"}'.`;
    return { on: "lock", reason, until: "The lock is free." };
  }
  if (state.head.continuing || isStopped(state)) return { on: "slot", ...heldBack(state) };
  const limit = state.collections.get(body)?.maxParallel;
  return { on: "slot", reason: `All ${limit ?? "available"} places are taken.`, until: "A running item ends." };
}

/** What the activation limit keeps from starting. */
function heldBack(state: State): Pick<WaitingView, "reason" | "until"> {
  if (isStopped(state)) return { reason: "The step never came to rest.", until: "A person lets it go on." };
  return { reason: "A large step goes on in parts.", until: "Its turn comes." };
}

function* waitingChoices(program: Program, state: State): IterableIterator<WaitingView> {
  for (const { body, chosen, done } of state.adHocs.values()) {
    const place = placeOf(state, body);
    const { element: id } = must(state.elements.get(body), "an ad-hoc sub-process has an instance");
    for (const { element } of chosen) {
      const reason = "It was chosen and has not started yet.";
      yield { ...place, element, on: "slot", reason, until: "Its turn comes.", dueAt: null };
    }
    if (done || state.children.count(body) > 0 || chosen.length > 0 || state.incidentsOf.count(body) > 0) continue;
    const ids = must(program.activatable.get(id), `'${id}' is loaded`).map((each) => `'${each.id}'`);
    const reason = "Nothing in it is active, and it is not said to be done.";
    yield { ...place, on: "choice", reason, until: `Somebody activates one of ${ids.join(", ")}.`, dueAt: null };
  }
}

function* heldRounds(state: State): IterableIterator<WaitingView> {
  for (const { body } of state.loops.values()) {
    if (!(state.head.continuing || isStopped(state)) || state.children.count(body) > 0) continue;
    yield { ...placeOf(state, body), on: "slot", ...heldBack(state), dueAt: null };
  }
}

function* waitingItems(state: State): IterableIterator<WaitingView> {
  for (const { body } of state.collections.values()) {
    const { element } = must(state.elements.get(body), "a collection has a body");
    for (const key of state.itemsOf.of(body)) {
      const item = state.items.get(itemKey(body, key));
      if (item === undefined || (item.status !== "waiting" && item.status !== "ready")) continue;
      yield { key: null, element, item: key, ...blockedItem(state, body, item), dueAt: null };
    }
  }
}

function* heldFlows(program: Program, state: State): IterableIterator<WaitingView> {
  for (const { flow, scope } of state.heldFlows.values()) {
    const { to: element } = must(program.flows.get(flow), `the program has no flow '${flow}'`);
    yield { ...placeOf(state, scope), element, on: "slot", ...heldBack(state), dueAt: null };
  }
}

/** One answer for everything that waits, people's part first; empty only once the instance has ended. */
export function explain(program: Program, state: State): WaitingView[] {
  if (state.head.status === null || isEnded(state)) return [];
  return [
    ...waitingForPeople(state),
    ...waitingWork(state),
    ...waitingFlows(program, state),
    ...waitingGateways(state),
    ...heldFlows(program, state),
    ...waitingChoices(program, state),
    ...heldRounds(state),
    ...waitingItems(state),
  ];
}
