import { isChoiceHeld } from "./activity/ad-hoc.ts";
import { hasRoom } from "./activity/collection.ts";
import { isRunning } from "./activity/compensation.ts";
import { isRoundHeld } from "./activity/loop.ts";
import { isHeld } from "./bpmn-event/condition.ts";
import { isAtWork } from "./lifecycle.ts";
import { must } from "./problem.ts";
import type { ElementId } from "./program.ts";
import type { Table } from "./state/table.ts";
import { isStopped, type Turn } from "./turn.ts";

/**
 * A step that never comes to rest is stopped, and a person told. Once something else ended what was held back, nobody
 * has to see to it: the rest, if there is any, goes on for as long again.
 */
export function seeToCircle(turn: Turn): void {
  const { state, isEndless, isFreed } = turn;
  if (!isEndless && (state.incidentsOf.count(0) === 0 || !isStopped(state))) return;
  const held = isAnythingHeld(turn);
  if (isEndless && held) return raiseEndless(turn);
  if (held && !isFreed) return;
  turn.dropIncidents(0, "Something ended what went round for ever.", ({ kind }) => kind === "endless");
  if (held) turn.goOn();
}

/** Whether there is anything that a `continue` command would go on with, or only a person lets go on. */
function isAnythingHeld(turn: Turn): boolean {
  const { heldFlows, compensationRuns, loops, adHocs, collections, subscriptions } = turn.state;
  return (
    some(heldFlows, () => true) ||
    some(compensationRuns, (run) => !isRunning(turn.state, run)) ||
    some(loops, ({ body }) => isRoundHeld(turn, body)) ||
    some(adHocs, ({ body }) => isChoiceHeld(turn, body)) ||
    some(collections, ({ body }) => isAtWork(turn, body) && hasRoom(turn, body)) ||
    some(subscriptions, (each) => isHeld(turn, each))
  );
}

function some<K, V>(table: Table<K, V>, test: (record: V) => boolean): boolean {
  for (const record of table.values()) if (test(record)) return true;
  return false;
}

/** Where a step that never comes to rest stands: in the oldest scope, by name, whatever the order of a table. */
function standsAt({ state, program }: Turn): ElementId | null {
  const [held] = [...state.heldFlows.values()].sort((a, b) => a.scope - b.scope || (a.flow < b.flow ? -1 : 1));
  if (held !== undefined) return must(program.flows.get(held.flow), "the program has no flow", held.flow).to;
  const bodies = [state.loops, state.adHocs, state.collections].flatMap((table) => [...table.values()]);
  const owners = [...bodies.map(({ body }) => body), ...[...state.compensationRuns.values()].map(({ owner }) => owner)];
  return state.elements.get(Math.min(...owners))?.element ?? null;
}

/** Somebody has to see to it. */
function raiseEndless(turn: Turn): void {
  const { activationsPerCommandMax, continuationsMax } = turn.program.limits;
  const count = activationsPerCommandMax * continuationsMax;
  const message = `Expected it to come to rest, but after ${count} activations one after the other it still goes on`;
  turn.raise({ owner: 0, element: standsAt(turn), kind: "endless", error: { code: "never-rests", message } });
}
