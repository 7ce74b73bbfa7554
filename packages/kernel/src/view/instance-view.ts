import { itemOf } from "../activity/item.ts";
import { itemKey, variableKey, variablesIn } from "../evolve/variable.ts";
import type { Program } from "../load.ts";
import { must } from "../problem.ts";
import type { Item, State } from "../state/state.ts";
import { explain } from "./explain.ts";
import { incidentAdvice } from "./incident-advice.ts";
import type { CollectionView, ElementView, InstanceView, ItemView, SubscriptionView, VariableVersion } from "./view.ts";

function elementViews(program: Program, state: State): ElementView[] {
  return [...state.elements.values()].map((instance) => {
    const element = must(program.elements.get(instance.element), `the program has no '${instance.element}'`);
    return {
      key: instance.key,
      element: element.id,
      name: element.name ?? element.id,
      kind: element.kind,
      scope: instance.scope,
      item: itemOf(state, instance.key)?.item ?? null,
      state: instance.state,
      since: instance.at,
      childId: state.calls.get(instance.key)?.childId ?? null,
    };
  });
}

function itemView(item: Item): ItemView {
  const { definition } = item;
  return {
    key: definition.key,
    status: item.status,
    attempt: item.attempt,
    attemptsMax: definition.attemptsMax,
    dependsOn: definition.dependsOn.map((edge) => edge.key),
    locks: definition.locks,
    queue: definition.queue ?? null,
    priority: definition.priority,
    startedAt: item.startedAt,
    endedAt: item.endedAt,
    instanceKey: item.instanceKey,
    error: item.error,
    value: definition.value,
    result: item.result,
  };
}

function collectionViews(state: State): CollectionView[] {
  return [...state.collections.values()].map((collection) => {
    const keys = [...state.itemsOf.of(collection.body)];
    const items = keys.map((key) => must(state.items.get(itemKey(collection.body, key)), `there is no item '${key}'`));
    return {
      body: collection.body,
      element: must(state.elements.get(collection.body), "a collection has a body").element,
      maxParallel: collection.maxParallel,
      counts: { ...collection.counts, total: collection.total },
      items: items.map(itemView),
    };
  });
}

function subscriptionViews(state: State): SubscriptionView[] {
  return [...state.subscriptions.values()].flatMap(({ key, element, kind, name, correlationKey }) =>
    kind === "message" || kind === "signal" ? [{ key, element, kind, name, correlationKey }] : [],
  );
}

function variableVersions(state: State): InstanceView["variableVersions"] {
  const versions: { [name: string]: VariableVersion } = {};
  for (const name of state.variableNames.of(0)) {
    const { version, author, at } = must(state.variables.get(variableKey(0, name)), `there is no variable '${name}'`);
    versions[name] = { version, author, at };
  }
  return versions;
}

/** Everything a person or a screen asks about one instance. The instance must exist. */
export function instanceView(program: Program, state: State): InstanceView {
  const { head } = state;
  return {
    instanceId: head.instanceId,
    rootId: head.rootId,
    parent: head.parent,
    process: head.process,
    version: head.version,
    hash: head.hash,
    businessKey: head.businessKey,
    status: must(head.status, "there is no instance"),
    startedAt: head.startedAt,
    endedAt: head.endedAt,
    outcome: head.outcome,
    sequence: head.sequence,
    variables: variablesIn(state, 0),
    variableVersions: variableVersions(state),
    elements: elementViews(program, state),
    incidents: [...state.incidents.values()].map((incident) => ({
      ...incident,
      advice: incidentAdvice[incident.kind],
    })),
    collections: collectionViews(state),
    subscriptions: subscriptionViews(state),
    waiting: explain(program, state),
  };
}
