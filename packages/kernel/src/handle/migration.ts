import { isInterrupted } from "../bpmn-event/event-sub-process.ts";
import { abandon, armWaits, prepareWaits } from "../bpmn-event/wait.ts";
import type { Key, MigrateInstance, Rejection } from "../command.ts";
import { replaceRules } from "../element/task-sla.ts";
import { flowKey } from "../evolve/element.ts";
import { variableKey } from "../evolve/variable.ts";
import type { Json } from "../json.ts";
import { must } from "../problem.ts";
import type { SlaRule, UserTask } from "../program.ts";
import { Names } from "../scope.ts";
import type { Turn } from "../turn.ts";
import type { Handlers } from "./instance.ts";
import {
  declarationsOf,
  type EventAt,
  type MigrationPlan,
  type Move,
  openScopes,
  planMigration,
} from "./migration-plan.ts";

/** Under the old program: what the new one does not wait for. */
function closeEvent(turn: Turn, { owner, element }: EventAt): void {
  abandon(turn, owner, { element, reason: "The new version does not wait for it." });
}

/** Under the new program: what only it waits for. What cannot be computed is an incident that a retry computes again. */
function openEvent(turn: Turn, { owner, element: id }: EventAt): void {
  const element = turn.element(id);
  // An interrupting event sub-process is alone in its scope, and no other one starts.
  if (element.kind === "start-event" && isInterrupted(turn, owner)) return;
  const waits = prepareWaits(turn, element, new Names(turn.program, turn.state, { scope: owner }));
  if (waits.ok) armWaits(turn, owner, waits.value);
  else turn.raise({ owner, element: id, kind: "trigger", error: waits.error });
}

/** What the new version declares and nobody has written yet. */
function initialise(turn: Turn, move: Move): void {
  for (const [scope, container] of [...openScopes(turn, { ...move, mapping: {} })]) {
    const values: { [name: string]: Json } = {};
    for (const { name, initial = null } of declarationsOf(move, container)) {
      if (turn.state.variables.get(variableKey(scope, name)) === undefined) values[name] = initial;
    }
    if (Object.keys(values).length === 0) continue;
    turn.emit({
      type: "variables-set",
      scope,
      values,
      actor: "kernel",
      reason: "The new version declares it.",
      at: turn.at,
    });
  }
}

/** Tokens that wait may have everything they need, now that another program says what that is. */
function lookAtJoins(turn: Turn): void {
  const scopes: Key[] = [0, ...[...turn.state.elements.values()].map(({ key }) => key)];
  for (const scope of scopes) {
    const flows = [...turn.state.waitingIn.of(scope)];
    for (const id of flows) {
      const { to: element } = must(turn.program.flows.get(id), `there is no flow '${id}'`);
      const tokens = must(turn.state.waitingFlows.get(flowKey(scope, id)), "a token waits there");
      for (let left = tokens; left > 0; left -= 1) turn.arrivals.push({ element, scope });
    }
    const isStuck = [...turn.state.incidentsOf.of(scope)].some((key) => turn.state.incidents.get(key)?.kind === "flow");
    // One that is stuck says so already; a person tries again.
    if (flows.length > 0 && !isStuck) turn.touched.add(scope);
  }
}

/** The SLA rules of every open task, by the task. */
function openRules(turn: Turn): ReadonlyMap<Key, readonly SlaRule[]> {
  const tasks = [...turn.state.tasks.values()];
  return new Map(tasks.map(({ key, element }) => [key, (turn.element(element) as UserTask).sla ?? []]));
}

function migrate(turn: Turn, command: MigrateInstance): Rejection | undefined {
  const { to, mapping, reason, actor, at } = command;
  const move: Move = { from: turn.program, to, mapping };
  const plan = planMigration(turn, move);
  const { problems, elements, flows, closed, opened }: MigrationPlan = plan;
  if (problems.length > 0) {
    const said = problems.map(({ message }) => message).join("; ");
    return {
      code: "migration-invalid",
      reason: `Expected everything open to fit the new version, but ${said}`,
      problems,
    };
  }
  const before = openRules(turn);
  for (const event of closed) closeEvent(turn, event);
  const { id: process, version, hash } = to.document;
  turn.emit({ type: "instance-migrated", process, version, hash, elements, flows, reason, actor, at });
  turn.program = to;
  initialise(turn, move);
  for (const event of opened) openEvent(turn, event);
  for (const [key, rules] of openRules(turn)) {
    const old = must(before.get(key), "a migration opens no task");
    const task = must(turn.state.tasks.get(key), "its rules were looked up");
    if (JSON.stringify(old) !== JSON.stringify(rules)) replaceRules(turn, task, old);
  }
  // A condition may hold now that another program says what it is.
  for (const { key, kind } of turn.state.subscriptions.values()) if (kind === "condition") turn.lookAt(key);
  lookAtJoins(turn);
  return undefined;
}

export const migrationHandlers: Handlers<"migrate-instance"> = { "migrate-instance": migrate };
