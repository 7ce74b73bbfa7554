import { acceptItems, loopOf, retryItems, withdraw } from "../activity/collection.ts";
import { enter } from "../activity/enter.ts";
import { skipHopeless } from "../activity/item.ts";
import { readItems } from "../activity/item-definition.ts";
import { rearmAll } from "../bpmn-event/trigger.ts";
import type { AddItems, Command, Rejection, ResolveIncident, WithdrawItems } from "../command.ts";
import { itemKey } from "../evolve/variable.ts";
import { complete, instanceAt, leave, visitOf } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { ElementId } from "../program.ts";
import { Names } from "../scope.ts";
import type { Collection, IncidentRecord, ItemRef } from "../state/state.ts";
import { refusal, type Turn } from "../turn.ts";
import type { Handlers } from "./instance.ts";

type PersonCommand = Extract<
  Command["type"],
  "resolve-incident" | "add-items" | "withdraw-items" | "adjust-concurrency"
>;

function checkItems(turn: Turn, incident: IncidentRecord, items: readonly string[]): Rejection | undefined {
  for (const item of items) {
    const found = turn.state.items.get(itemKey(incident.owner, item));
    if (found === undefined) return refusal("item-unknown", `Expected an item '${item}', but there is none`);
    if (found.status !== "failed") {
      return refusal("item-unknown", `Expected '${item}' to have failed, but it is ${found.status}`);
    }
  }
  return undefined;
}

function resolveIncident(turn: Turn, command: ResolveIncident): Rejection | undefined {
  const { key, action, items = [], reason, actor, at } = command;
  const incident = turn.state.incidents.get(key);
  if (incident === undefined)
    return refusal("incident-not-found", `Expected an open incident ${key}, but there is none`);
  const ofItems = incident.kind === "items-failed";
  if (action === "accept" && !ofItems) {
    return refusal(
      "incident-not-acceptable",
      `Expected failed items to accept, but incident ${key} is of kind ${incident.kind}`,
    );
  }
  const problem = ofItems ? checkItems(turn, incident, items) : undefined;
  if (problem !== undefined) return problem;
  turn.emit({ type: "incident-resolved", key, action, reason, actor, at });
  if (action === "accept") acceptItems(turn, incident.owner, { by: actor, reason });
  else retry(turn, incident, items);
  return undefined;
}

/** Re-issues what failed. */
function retry(turn: Turn, incident: IncidentRecord, items: readonly string[]): void {
  const { owner } = incident;
  switch (incident.kind) {
    case "activation":
      enter(turn, visitOf(turn, owner));
      break;
    case "completion":
      complete(turn, owner, { result: must(instanceAt(turn, owner).result, "what completes has a result") });
      break;
    case "route":
      leave(
        turn,
        visitOf(turn, owner),
        must(instanceAt(turn, owner).result, "what completes has a result")["kept"] ?? null,
      );
      break;
    case "items-failed":
      retryItems(turn, owner, items);
      break;
    case "collection":
    case "loop":
    case "choice":
      turn.stirred.add(owner);
      break;
    case "endless":
      turn.goOn();
      break;
    case "flow":
      turn.touched.add(owner);
      break;
    case "timer":
    case "trigger":
      rearm(turn, incident);
      break;
    case "job":
    case "error":
    case "call": {
      const visit = visitOf(turn, owner);
      must(turn.behavior(visit.element).retry, `'${visit.element.id}' has nothing to retry`)(turn, visit);
      break;
    }
  }
}

/** What an event waits for is computed afresh, as when its activity or scope started; any other timer as its element does it. */
function rearm(turn: Turn, incident: IncidentRecord): void {
  const { owner, kind } = incident;
  const element = turn.element(must(incident.element, "a trigger belongs to an element"));
  const { retryTimer } = turn.behavior(element);
  if (retryTimer !== undefined) return retryTimer(turn, visitOf(turn, owner), incident.error);
  rearmAll(turn, { owner, element: element.id }, kind);
}

/** The one open collection of an activity. */
function collectionOf(turn: Turn, element: ElementId): Collection | Rejection {
  const found: Collection[] = [];
  for (const collection of turn.state.collections.values()) {
    const instance = instanceAt(turn, collection.body);
    if (instance.element === element && instance.state === "active") found.push(collection);
  }
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  return refusal("collection-not-found", `Expected one open collection of '${element}', but there are ${found.length}`);
}

function addItems(turn: Turn, command: AddItems): Rejection | undefined {
  const collection = collectionOf(turn, command.element);
  if ("code" in collection) return collection;
  const { body, closing } = collection;
  if (closing !== null) {
    return refusal("collection-not-found", `Expected an open collection of '${command.element}', but it is closing`);
  }
  const loop = loopOf(turn.element(command.element));
  const names = new Names(turn.program, turn.state, { scope: body });
  const items = readItems(turn, { loop, names, values: command.items, existing: body });
  if (!items.ok) {
    const code = items.error.code === "collection-too-large" ? "limit-exceeded" : "item-invalid";
    return refusal(code, items.error.message);
  }
  turn.emit({ type: "items-added", body, items: items.value, actor: command.actor });
  skipHopeless(
    turn,
    body,
    items.value.map((item) => item.key),
  );
  turn.stirred.add(body);
  return undefined;
}

function whyNotWithdrawn(turn: Turn, ref: ItemRef, withdrawn: ReadonlySet<string>): Rejection | undefined {
  const { body, item: key } = ref;
  const item = turn.state.items.get(itemKey(body, key));
  if (item === undefined) return refusal("item-unknown", `Expected an item '${key}', but there is none`);
  if (item.status !== "waiting" && item.status !== "ready") {
    return refusal("item-started", `Expected '${key}' not to have started, but it is ${item.status}`);
  }
  for (const dependent of turn.state.dependents.of(itemKey(body, key))) {
    const live = turn.state.items.get(itemKey(body, dependent))?.status === "waiting";
    if (live && !withdrawn.has(dependent)) {
      return refusal("item-needed", `Expected nothing to depend on '${key}', but '${dependent}' does`);
    }
  }
  return undefined;
}

function withdrawItems(turn: Turn, command: WithdrawItems): Rejection | undefined {
  const collection = collectionOf(turn, command.element);
  if ("code" in collection) return collection;
  const withdrawn = new Set(command.items);
  for (const key of withdrawn) {
    const problem = whyNotWithdrawn(turn, { body: collection.body, item: key }, withdrawn);
    if (problem !== undefined) return problem;
  }
  for (const item of withdrawn) withdraw(turn, { body: collection.body, item }, command.actor);
  return undefined;
}

export const personHandlers: Handlers<PersonCommand> = {
  "resolve-incident": resolveIncident,
  "add-items": addItems,
  "withdraw-items": withdrawItems,
  "adjust-concurrency": (turn, { element, maxParallel, actor, at }) => {
    const collection = collectionOf(turn, element);
    if ("code" in collection) return collection;
    if (maxParallel !== null && !(Number.isInteger(maxParallel) && maxParallel >= 1)) {
      return refusal("limit-exceeded", `Expected maxParallel to be an integer of at least 1, but it is ${maxParallel}`);
    }
    turn.emit({ type: "concurrency-adjusted", body: collection.body, maxParallel, actor, at });
    turn.stirred.add(collection.body);
    return undefined;
  },
};
