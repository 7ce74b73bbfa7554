import type { Key, State } from "@tutti/kernel";
import type { InstanceCommand } from "../port.ts";
import type { Random } from "./random.ts";
import { randomItems } from "./world.ts";

/** Mostly a key that is there, sometimes any. */
function aim(random: Random, records: Iterable<{ readonly key: Key }>): Key {
  const keys = [...records].map(({ key }) => key);
  return keys.length === 0 || random.chance(0.05) ? random.below(30) : random.pick(keys);
}

export const actor = "simulation";
export const reason = "so";
/** An element that no program has. */
const nobody = "nobody";

/** Mostly one that could be accepted: what is refused is soon told. */
export function likelyCommand(random: Random, state: State): InstanceCommand {
  let made = randomCommand(random, state);
  for (let more = 3; more > 0 && !fits(made, state); more--) made = randomCommand(random, state);
  return made;
}

function randomCommand(random: Random, state: State): InstanceCommand {
  const make = random.weighted<() => InstanceCommand>([
    [3, () => ({ type: "pause-instance", stopRunning: random.chance(0.5), reason, actor })],
    [4, () => ({ type: "resume-instance", actor })],
    [0.7, () => ({ type: "cancel-instance", reason, actor, ...(random.chance(0.5) ? { undo: true } : {}) })],
    [5, () => resolve(random, state)],
    [4, () => ({ type: "complete-task", key: aim(random, state.tasks.values()), result: { flag: false }, actor })],
    [1, () => ({ type: "claim-task", key: aim(random, state.tasks.values()), actor })],
    [1, () => ({ type: "release-task", key: aim(random, state.tasks.values()), actor })],
    [2, () => moveTask(random, aim(random, state.tasks.values()))],
    [2, () => ({ type: "complete-job", key: aim(random, state.jobs.values()), result: {}, actor })],
    [1, () => failJob(random, state)],
    [2, () => ({ type: "set-variables", scope: 0, values: { flag: random.chance(0.5) }, reason, actor })],
    [3, () => addItems(random, state)],
    [2, () => withdrawItems(random, state)],
    [2, () => adjustConcurrency(random, state)],
  ]);
  return make();
}

function moveTask(random: Random, key: number): InstanceCommand {
  return random.pick<InstanceCommand>([
    { type: "start-task", key, actor },
    { type: "delegate-task", key, to: "other", actor },
    { type: "resolve-task", key, actor },
    { type: "reassign-task", key, to: null, reason, actor },
    { type: "update-task", key, dueAt: 5, priority: 70, actor },
    { type: "throw-task-error", key, error: { code: "E1", message: reason }, actor },
  ]);
}

function fits(made: InstanceCommand, state: State): boolean {
  switch (made.type) {
    case "pause-instance":
      return state.head.status === "running";
    case "resume-instance":
      return state.head.status === "paused";
    case "resolve-incident":
      return state.incidents.get(made.key) !== undefined;
    case "complete-task":
    case "claim-task":
    case "release-task":
    case "start-task":
    case "delegate-task":
    case "resolve-task":
    case "reassign-task":
    case "update-task":
    case "throw-task-error":
      return state.tasks.get(made.key) !== undefined;
    case "complete-job":
    case "fail-job":
      return state.jobs.get(made.key) !== undefined;
    case "add-items":
    case "withdraw-items":
    case "adjust-concurrency":
      return made.element !== nobody;
    default:
      return true;
  }
}

function failJob(random: Random, state: State): InstanceCommand {
  const error = { code: random.pick(["E1", "E2"]), message: "it broke" };
  return { type: "fail-job", key: aim(random, state.jobs.values()), error, retryable: random.chance(0.5) };
}

function resolve(random: Random, state: State): InstanceCommand {
  const action = random.pick(["retry", "retry", "accept"] as const);
  return { type: "resolve-incident", key: aim(random, state.incidents.values()), action, reason, actor };
}

function collectionIn(random: Random, state: State): string {
  const bodies = [...state.collections.values()].map(({ body }) => state.elements.get(body)?.element ?? "");
  return bodies.length === 0 ? nobody : random.pick(bodies);
}

function addItems(random: Random, state: State): InstanceCommand {
  const items = randomItems(random, 2, `n${random.below(100)}-`);
  return { type: "add-items", element: collectionIn(random, state), items, actor };
}

function withdrawItems(random: Random, state: State): InstanceCommand {
  const names = [...state.items.values()].map((item) => item.definition.key);
  const items = names.length === 0 ? ["nothing"] : [random.pick(names)];
  return { type: "withdraw-items", element: collectionIn(random, state), items, actor };
}

function adjustConcurrency(random: Random, state: State): InstanceCommand {
  const maxParallel = random.pick([null, 1, 2, 4]);
  return { type: "adjust-concurrency", element: collectionIn(random, state), maxParallel, actor };
}
