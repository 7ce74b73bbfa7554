import { awaitsCalls } from "../activity/compensation-plan.ts";
import type { Key } from "../command.ts";
import { priorities } from "../evolve/item.ts";
import { itemKey, lineKey } from "../evolve/variable.ts";
import type { Program } from "../load.ts";
import type { SmallMap } from "../state/small-map.ts";
import { type Collection, indexNames, isEnded, type State, tableNames } from "../state/state.ts";
import type { Index, MapIndex } from "../state/table.ts";
import { isResting } from "../token/join.ts";
import { isStopped } from "../turn.ts";
import type { ItemStatus } from "../view/view.ts";

/** Everything that must hold in a state between two commands; gives what does not. */
export function brokenInvariants(program: Program, state: State): string[] {
  const broken: string[] = [];
  const check = (holds: boolean, what: string): void => {
    if (!holds) broken.push(what);
  };
  checkOwners(program, state, check);
  checkScopes(state, check);
  checkLife(program, state, check);
  for (const collection of state.collections.values()) checkCollection(state, collection, check);
  checkCompensation(state, check);
  checkEnd(state, check);
  return broken;
}

type Check = (holds: boolean, what: string) => void;

function keysOf<K, V>(index: Index<K, V>): K[] {
  return [...(index as MapIndex<K, V>).sets.keys()];
}

/** Only a state itself is checked, whose tables are plain. */
function entriesOf<V>(table: { values(): IterableIterator<V> }): [string | number, V][] {
  return [...(table as unknown as SmallMap<string | number, V>)];
}

function countOf(table: { values(): IterableIterator<unknown> }): number {
  return entriesOf(table).length;
}

/** What the activation limit holds back goes on by itself, or a person says that it may. */
function isGoingOn(state: State): boolean {
  return state.head.continuing || isStopped(state);
}

function checkOwners(program: Program, state: State, check: Check): void {
  const lives = (key: Key): boolean => key === 0 || state.elements.get(key) !== undefined;
  for (const instance of state.elements.values()) {
    check(program.elements.has(instance.element), `${instance.key} is of an unknown element`);
    check(lives(instance.scope), `${instance.key} runs in the dead scope ${instance.scope}`);
    check(state.children.has(instance.scope, instance.key), `${instance.key} is not among its scope's children`);
  }
  let children = 0;
  for (const scope of keysOf<Key, Key>(state.children)) {
    for (const key of state.children.of(scope)) {
      children += 1;
      check(state.elements.get(key)?.scope === scope, `${key} is no child of ${scope}`);
    }
  }
  check(children === entriesOf(state.elements).length, "the children index and the elements differ in number");
  for (const job of state.jobs.values())
    check(state.elements.get(job.key)?.element === job.element, `job ${job.key} is nobody's`);
  for (const task of state.tasks.values())
    check(state.elements.get(task.key)?.element === task.element, `task ${task.key} is nobody's`);
  for (const owned of state.calls.values()) check(lives(owned.key), `call ${owned.key} is nobody's`);
  for (const { body } of state.adHocs.values())
    check(state.elements.get(body) !== undefined, `ad-hoc sub-process ${body} is nobody's`);
  for (const { body } of state.loops.values())
    check(state.elements.get(body) !== undefined, `loop ${body} is nobody's`);
  for (const { key } of state.joining.values()) check(state.elements.get(key) !== undefined, `${key} joins nothing`);
  for (const timer of state.timers.values()) {
    check(lives(timer.owner), `timer ${timer.key} is nobody's`);
    check(state.timersOf.has(timer.owner, timer.key), `timer ${timer.key} is not in its owner's index`);
  }
  for (const { owner, element, rule } of state.timers.values()) {
    if (rule === undefined) continue;
    const watched = program.elements.get(element);
    const on = watched?.kind === "user-task" ? watched.sla?.[rule]?.on : undefined;
    const begun = state.tasks.get(owner)?.startedAt !== undefined;
    check(on === "not-completed" || (on === "not-started" && !begun), `rule ${rule} of task ${owner} watches nothing`);
    check(state.tasks.get(owner) !== undefined, `rule ${rule} watches task ${owner}, which is not open`);
  }
  for (const { key, owner, kind, name } of state.subscriptions.values()) {
    check(lives(owner), `subscription ${key} is nobody's`);
    check(state.subscriptionsOf.has(owner, key), `subscription ${key} is not in its owner's index`);
    if (kind === "signal") check(state.signalWaiters.has(name, key), `${key} is not found by its signal '${name}'`);
  }
  for (const name of keysOf(state.signalWaiters)) {
    for (const key of state.signalWaiters.of(name)) {
      const waiting = state.subscriptions.get(key);
      check(waiting?.kind === "signal" && waiting.name === name, `${key} does not wait for the signal '${name}'`);
    }
  }
  for (const { key, owner, element } of [...state.subscriptions.values(), ...state.timers.values()]) {
    check(isAwaitedBy(program, state, { owner, element }), `${key} is awaited by ${owner}, which has no '${element}'`);
  }
  for (const name of keysOf(state.watchers)) {
    for (const key of state.watchers.of(name)) {
      check(state.subscriptions.get(key)?.kind === "condition", `${key} looks at '${name}' and is no condition`);
    }
  }
  for (const incident of state.incidents.values()) {
    check(lives(incident.owner), `incident ${incident.key} is nobody's`);
    check(state.incidentsOf.has(incident.owner, incident.key), `incident ${incident.key} is not in its owner's index`);
  }
}

/** An event is awaited by itself, by the activity it stands on, the gateway before it, or the scope it starts something in. */
function isAwaitedBy(program: Program, state: State, at: { readonly owner: Key; readonly element: string }): boolean {
  const owner = state.elements.get(at.owner);
  const element = program.elements.get(at.element);
  if (owner?.element === at.element) return true;
  if (element?.kind === "boundary-event") return element.attachedTo === owner?.element;
  if (program.outgoing.get(owner?.element ?? "")?.some((flow) => flow.to === at.element)) return true;
  const subProcess = program.elements.get(element?.parent ?? "");
  if (element?.kind !== "start-event" || subProcess?.parent !== (owner?.element ?? null)) return false;
  const first: Key | undefined = state.children.of(at.owner).next().value;
  const running = program.starts.get(state.elements.get(first ?? 0)?.element ?? "");
  const trigger = running?.trigger.type ?? "none";
  // Once one has taken over its scope, none is awaited there any more.
  return trigger === "none" || trigger === "compensation" || running?.interrupting === false;
}

function checkScopes(state: State, check: Check): void {
  const lives = (key: Key): boolean => key === 0 || state.elements.get(key) !== undefined;
  for (const name of ["variableNames", "waitingIn", "heldIn", "timersOf", "subscriptionsOf", "incidentsOf"] as const) {
    for (const scope of keysOf(state[name] as unknown as Index<Key, unknown>))
      check(lives(scope), `${name} of dead scope ${scope}`);
  }
  for (const [key] of entriesOf(state.variables)) {
    const [scope = "", ...name] = String(key).split("/");
    check(state.variableNames.has(Number(scope), name.join("/")), `variable ${key} is not in the index`);
  }
  for (const [key, count] of entriesOf(state.waitingFlows)) {
    const [scope = "", ...flow] = String(key).split("/");
    check(count > 0, `flow ${key} waits ${count} times`);
    check(state.waitingIn.has(Number(scope), flow.join("/")), `waiting flow ${key} is not in the index`);
  }
  for (const held of state.heldFlows.values()) {
    check(held.count > 0 && state.heldIn.has(held.scope, held.flow), `held flow ${held.flow} is not in the index`);
    check(isGoingOn(state), "flows are held, and nothing will release them");
  }
  for (const name of indexNames) {
    for (const [key, values] of (state[name] as unknown as MapIndex<string | number, unknown>).sets)
      check(values.size > 0, `${name} keeps an empty set for ${key}`);
  }
  const keys = [state.elements, state.timers, state.subscriptions, state.incidents].flatMap((table) =>
    entriesOf<unknown>(table),
  );
  for (const [key] of keys) check(Number(key) < state.head.nextKey, `key ${key} would be given again`);
}

/** Whatever is open waits for something that can come: a job, a timer, a person, its content or the next step. */
function checkLife(program: Program, state: State, check: Check): void {
  for (const { key, scope, state: phase } of state.elements.values()) {
    const job = state.jobs.get(key);
    const waits =
      (job !== undefined && !job.parked) ||
      state.tasks.get(key) !== undefined ||
      state.calls.get(key)?.ended === false ||
      state.timersOf.count(key) > 0 ||
      state.subscriptionsOf.count(key) > 0 ||
      state.incidentsOf.count(key) > 0 ||
      state.children.count(key) > 0 ||
      state.heldIn.count(key) > 0 ||
      state.compensationRuns.get(key) !== undefined ||
      ((state.collections.get(key) ?? state.loops.get(key) ?? state.adHocs.get(key)) !== undefined &&
        isGoingOn(state)) ||
      mayBeChosen(program, state, key) ||
      (state.joining.get(key) !== undefined && comesMore(state, scope));
    check(waits, `${key} is ${phase} and waits for nothing`);
    if (phase !== "active") check(state.incidentsOf.count(key) > 0, `${key} is ${phase} without an incident`);
  }
  if (state.head.status === null || isEnded(state)) return;
  const goesOn = countOf(state.elements) > 0 || isGoingOn(state) || state.incidentsOf.count(0) > 0;
  check(goesOn, "the process is open and waits for nothing");
  const circling = [state.heldFlows, state.loops, state.adHocs, state.collections, state.compensationRuns];
  const mayCircle = [...circling, state.subscriptions].some((table) => countOf(table) > 0);
  check(!isStopped(state) || mayCircle, "what never came to rest has ended, and a person is told of it");
}

/** A person may choose what to activate next in an ad-hoc sub-process that no job does it for. */
function mayBeChosen(program: Program, state: State, key: Key): boolean {
  const record = state.adHocs.get(key);
  const element = program.elements.get(state.elements.get(key)?.element ?? "");
  return record !== undefined && !record.done && !record.closing && element !== undefined && !("job" in element);
}

/** A gateway that was activated waits for others in its scope, or for a person where those wait in vain. */
function comesMore(state: State, scope: Key): boolean {
  // One that could not be activated has a token yet to give, once a person has seen to it.
  const others = [...state.children.of(scope)].some((key) => !isResting(state, key));
  return others || state.heldIn.count(scope) > 0 || state.incidentsOf.count(scope) > 0;
}

function checkCollection(state: State, collection: Collection, check: Check): void {
  const { body, counts, total } = collection;
  check(state.elements.get(body) !== undefined, `collection ${body} has no body`);
  const found: { [S in ItemStatus]?: number } = {};
  const holders = new Map<string, string>();
  for (const key of state.itemsOf.of(body)) {
    const item = state.items.get(itemKey(body, key));
    if (item === undefined) {
      check(false, `item '${key}' of ${body} is unknown`);
      continue;
    }
    found[item.status] = (found[item.status] ?? 0) + 1;
    const running = item.status === "running";
    check(running === (item.instanceKey !== null), `item '${key}' is ${item.status}, its instance ${item.instanceKey}`);
    if (item.instanceKey !== null) {
      check(state.elements.get(item.instanceKey)?.scope === body, `item '${key}' runs as a dead instance`);
      check(state.itemOf.get(item.instanceKey)?.item === key, `item '${key}' is not in the index`);
    }
    for (const lock of running ? item.definition.locks : []) {
      check(!holders.has(lock), `'${key}' and '${holders.get(lock)}' both hold '${lock}'`);
      holders.set(lock, key);
      check(state.lockHolders.get(itemKey(body, lock)) === key, `'${key}' runs without its lock '${lock}'`);
    }
    const inLine = item.status === "ready" && item.blockedOn === null;
    const queued = state.ready.has(lineKey(body, item.definition.priority), key);
    check(inLine === queued, `item '${key}' is ${item.status} and ${queued ? "" : "not "}in line`);
    if (item.blockedOn !== null) checkBlocked(state, { body, key, lock: item.blockedOn }, check);
    if (item.status === "waiting") check(hasOpenDependency(state, body, key), `item '${key}' waits for what has ended`);
  }
  const sum = Object.values(found).reduce((a, b) => a + b, 0);
  check(sum === total, `collection ${body} counts ${total} items of ${sum}`);
  for (const status of Object.keys(counts) as ItemStatus[]) {
    check((found[status] ?? 0) === counts[status], `collection ${body} counts ${counts[status]} ${status} items`);
  }
  checkIdle(state, collection, check);
}

function checkBlocked(
  state: State,
  at: { readonly body: Key; readonly key: string; readonly lock: string },
  check: Check,
): void {
  const name = itemKey(at.body, at.lock);
  check(state.lockWaiters.has(name, at.key), `item '${at.key}' is not in line for '${at.lock}'`);
  // A lock may be free for a moment: whoever is next for it waits for a place, and needs no more than that.
  const next = [...state.itemsOf.of(at.body)].some((key) => {
    const item = state.items.get(itemKey(at.body, key));
    return item?.status === "ready" && item.blockedOn === null && item.definition.locks.includes(at.lock);
  });
  const held = state.lockHolders.get(name) !== undefined;
  check(held || next, `item '${at.key}' waits for the free lock '${at.lock}'`);
}

function hasOpenDependency(state: State, body: Key, key: string): boolean {
  const edges = state.items.get(itemKey(body, key))?.definition.dependsOn ?? [];
  return edges.some((edge) => {
    const status = state.items.get(itemKey(body, edge.key))?.status;
    return status === "waiting" || status === "ready" || status === "running";
  });
}

/** Nothing that could start is left lying. */
function checkIdle(state: State, collection: Collection, check: Check): void {
  const { body, counts, maxParallel, closing } = collection;
  const ready = priorities.reduce((sum, priority) => sum + state.ready.count(lineKey(body, priority)), 0);
  const mayStart = ready > 0 && (maxParallel === null || counts.running < maxParallel);
  const held = isGoingOn(state) || state.incidentsOf.count(body) > 0 || closing !== null;
  check(!mayStart || held, `collection ${body} could start ${ready} more`);
}

function checkCompensation(state: State, check: Check): void {
  const lives = (key: Key): boolean => key === 0 || state.elements.get(key) !== undefined;
  for (const run of state.compensationRuns.values()) {
    check(lives(run.owner) && lives(run.scope), `the compensation of ${run.owner} is nobody's`);
    for (const target of run.targets)
      check(state.compensations.get(target) !== undefined, `${target} cannot be undone`);
    const runs = run.running !== null && state.elements.get(run.running.key) !== undefined;
    check(runs || isGoingOn(state) || awaitsCalls(state, run.scope), `the compensation of ${run.owner} stands still`);
  }
  for (const { key, scope } of state.compensations.values()) {
    check(state.compensationsIn.has(scope, key), `what undoes ${key} is not in the index`);
    const around = state.compensations.get(scope);
    const reachable = lives(scope) || around?.handler === null || around?.keepsContent === true;
    check(reachable, `what undoes ${key} can never be asked for`);
  }
}

function checkEnd(state: State, check: Check): void {
  if (!isEnded(state)) return;
  for (const name of tableNames) {
    if (name !== "variables")
      check(countOf(state[name]) === 0, `it has ended and keeps ${countOf(state[name])} ${name}`);
  }
  for (const name of indexNames) {
    const { size } = (state[name] as unknown as MapIndex<unknown, unknown>).sets;
    if (name !== "variableNames") check(size === 0, `it has ended and keeps ${size} in ${name}`);
  }
  check(!state.head.continuing, "it has ended and wants to continue");
}
