import type { Key } from "../command.ts";
import { must } from "../problem.ts";
import type { State } from "../state/state.ts";
import { tableNames, writable } from "../state/state.ts";
import type { WritableTable } from "../state/table.ts";
import type { Appliers } from "./applier.ts";
import { flowKey } from "./element.ts";
import { itemKey } from "./variable.ts";

type Names = { readonly [id: string]: string };

/** The new name; ids are anybody's words, so only what the table itself says counts. */
function nameIn(names: Names, id: string): string | undefined {
  return Object.hasOwn(names, id) ? names[id] : undefined;
}

/** The fields in which records name elements; a table of whatever kind is renamed by them. */
const elementFields = ["element", "handler"] as const;

function renameElements(state: State, names: Names): void {
  for (const name of tableNames) {
    for (const record of [...(state[name].values() as Iterable<unknown>)]) {
      if (typeof record !== "object" || record === null || !("key" in record)) continue;
      const changed: { [field: string]: string } = {};
      for (const field of elementFields) {
        const id = (record as { readonly [field: string]: unknown })[field];
        const named = typeof id === "string" ? nameIn(names, id) : undefined;
        if (named !== undefined) changed[field] = named;
      }
      if (Object.keys(changed).length > 0)
        (writable(state, name) as WritableTable<unknown, unknown>).set(record.key, { ...record, ...changed });
    }
  }
}

/** Two flows may change names with each other: all are taken away before any is put back. */
function renameWaiting(state: State, scope: Key, names: Names): void {
  const renamed = [...state.waitingIn.of(scope)].flatMap((flow) => {
    const name = nameIn(names, flow);
    const count = state.waitingFlows.get(flowKey(scope, flow));
    return name === undefined || count === undefined ? [] : [{ flow, name, count }];
  });
  for (const { flow } of renamed) {
    state.waitingFlows.delete(flowKey(scope, flow));
    state.waitingIn.remove(scope, flow);
  }
  for (const { name, count } of renamed) {
    writable(state, "waitingFlows").set(flowKey(scope, name), count);
    writable(state, "waitingIn").add(scope, name);
  }
}

/** What a gateway that waits for the rest has gone on with already. */
function renameJoining(state: State, names: Names): void {
  for (const joining of [...state.joining.values()]) {
    const flows = joining.flows.map((flow) => nameIn(names, flow) ?? flow);
    writable(state, "joining").set(joining.key, { ...joining, flows });
  }
}

/** What was chosen to be activated, and what came of it. */
function renameChosen(state: State, names: Names): void {
  for (const record of [...state.adHocs.values()]) {
    const chosen = record.chosen.map((each) => ({ ...each, element: nameIn(names, each.element) ?? each.element }));
    writable(state, "adHocs").set(record.body, { ...record, chosen });
    for (let index = 0; index < record.ended; index += 1) {
      const key = itemKey(record.body, String(index));
      const result = must(state.adHocResults.get(key), "results are counted");
      const name = nameIn(names, result.element);
      if (name !== undefined) writable(state, "adHocResults").set(key, { ...result, element: name });
    }
  }
}

function renameHeld(state: State, names: Names): void {
  const renamed = [...state.heldFlows.values()].flatMap((held) => {
    const name = nameIn(names, held.flow);
    return name === undefined ? [] : [{ held, name }];
  });
  for (const { held } of renamed) {
    state.heldFlows.delete(flowKey(held.scope, held.flow));
    state.heldIn.remove(held.scope, held.flow);
  }
  for (const { held, name } of renamed) {
    writable(state, "heldFlows").set(flowKey(held.scope, name), { ...held, flow: name });
    writable(state, "heldIn").add(held.scope, name);
  }
}

export const migrationAppliers: Appliers<"instance-migrated"> = {
  "instance-migrated": (state, event) => {
    const { head } = state;
    head.process = event.process;
    head.version = event.version;
    head.hash = event.hash;
    head.at = event.at;
    renameElements(state, event.elements);
    for (const scope of [0, ...[...state.elements.values()].map(({ key }) => key)]) {
      renameWaiting(state, scope, event.flows);
    }
    renameJoining(state, event.flows);
    renameHeld(state, event.flows);
    renameChosen(state, event.elements);
  },
};
