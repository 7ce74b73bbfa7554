import { throwEscalation, throwFromWork } from "../bpmn-event/throw.ts";
import type {
  Command,
  CompleteTask,
  DelegateTask,
  EscalateTask,
  Key,
  ReassignTask,
  Rejection,
  ThrowTaskError,
  UpdateTask,
} from "../command.ts";
import { restartStartRules, stopRules } from "../element/task-sla.ts";
import { isPriority } from "../element/user-task.ts";
import { complete } from "../lifecycle.ts";
import type { UserTask } from "../program.ts";
import type { TaskRecord } from "../state/state.ts";
import { isRejection, refusal, type Turn } from "../turn.ts";
import type { Handlers } from "./instance.ts";

type TaskCommand = Extract<Command["type"], `${string}-task` | "throw-task-error">;

function openTask(turn: Turn, key: Key): TaskRecord | Rejection {
  return turn.state.tasks.get(key) ?? refusal("task-not-found", `Expected an open task ${key}, but there is none`);
}

/** A task that is free or the actor's. */
function ownTask(turn: Turn, key: Key, actor: string): TaskRecord | Rejection {
  const task = openTask(turn, key);
  if (isRejection(task) || task.assignee === null || task.assignee === actor) return task;
  return refusal("task-claimed", `Expected task ${key} to be free or yours, but '${task.assignee}' has it`);
}

/** A task that is free or the actor's, and lent to nobody. */
function undelegatedTask(turn: Turn, key: Key, actor: string): TaskRecord | Rejection {
  const task = ownTask(turn, key, actor);
  if (isRejection(task) || task.owner === undefined) return task;
  return refusal("task-delegated", `Expected task ${key} to be given back first, but it is lent by '${task.owner}'`);
}

/** A task that the actor may hand to others: free or the actor's, lent by the actor, or any with the right to. */
function movableTask(turn: Turn, command: ReassignTask | UpdateTask | EscalateTask): TaskRecord | Rejection {
  const { key, actor, authority } = command;
  const task = openTask(turn, key);
  if (isRejection(task) || authority === true || task.owner === actor) return task;
  return undelegatedTask(turn, key, actor);
}

function completeTask(turn: Turn, command: CompleteTask): Rejection | undefined {
  const { key, result, rationale, actor, at } = command;
  const task = undelegatedTask(turn, key, actor);
  if (isRejection(task)) return task;
  const policy = (turn.element(task.element) as UserTask).late ?? "accept";
  const late = task.dueAt !== null && at > task.dueAt;
  if (late && policy === "refuse") {
    return refusal("task-late", `Expected task ${key} to be completed by ${task.dueAt}, but it is ${at}`);
  }
  turn.emit({
    type: "task-completed",
    key,
    actor,
    ...(rationale === undefined ? {} : { rationale }),
    ...(late ? { late } : {}),
    at,
  });
  stopRules(turn, key, "all");
  complete(turn, key, { result: policy === "flag" ? { ...result, late } : result, actor });
  return undefined;
}

function throwTaskError(turn: Turn, { key, error, rationale, actor, at }: ThrowTaskError): Rejection | undefined {
  const task = undelegatedTask(turn, key, actor);
  if (isRejection(task)) return task;
  const why = rationale === undefined ? {} : { rationale };
  turn.emit({ type: "task-error-thrown", key, error, actor, ...why, at });
  stopRules(turn, key, "all");
  // Where nothing catches it the element stays; what was wrong with its own rules is over.
  turn.dropIncidents(key, "The task has ended.", ({ element }) => element === task.element);
  throwFromWork(turn, key, error);
  return undefined;
}

function startTask(turn: Turn, key: Key, actor: string): Rejection | undefined {
  const task = ownTask(turn, key, actor);
  if (isRejection(task)) return task;
  if (task.startedAt !== undefined) {
    return refusal("task-started", `Expected task ${key} not to be begun, but it was at ${task.startedAt}`);
  }
  if (task.assignee === null) turn.emit({ type: "task-claimed", key, actor, at: turn.at });
  turn.emit({ type: "task-started", key, actor, at: turn.at });
  stopRules(turn, key, "not-started");
  return undefined;
}

function delegateTask(turn: Turn, command: DelegateTask): Rejection | undefined {
  const { key, to, actor, reason, at } = command;
  const task = undelegatedTask(turn, key, actor);
  if (isRejection(task)) return task;
  const why = reason === undefined ? {} : { reason };
  turn.emit({ type: "task-delegated", key, owner: actor, to, actor, ...why, at });
  return undefined;
}

function updateTask(turn: Turn, command: UpdateTask): Rejection | undefined {
  const { key, dueAt, followUpAt, priority, candidates, actor, reason, at } = command;
  const task = movableTask(turn, command);
  if (isRejection(task)) return task;
  if (priority !== undefined && !isPriority(priority)) {
    return refusal("task-invalid", `Expected a priority as a whole number from 0 to 100, but it is ${priority}`);
  }
  const changes = {
    ...(dueAt === undefined ? {} : { dueAt }),
    ...(followUpAt === undefined ? {} : { followUpAt }),
    ...(priority === undefined ? {} : { priority }),
    ...(candidates === undefined ? {} : { candidates }),
  };
  if (Object.keys(changes).length === 0) {
    return refusal("task-invalid", "Expected something to change, but nothing is named");
  }
  turn.emit({ type: "task-updated", key, changes, actor, ...(reason === undefined ? {} : { reason }), at });
  return undefined;
}

function escalateTask(turn: Turn, command: EscalateTask): Rejection | undefined {
  const { key, to, code, reason, actor, at } = command;
  const task = movableTask(turn, command);
  if (isRejection(task)) return task;
  if (to === undefined && code === undefined) {
    return refusal("task-invalid", "Expected whom to escalate to, or a code, but neither is given");
  }
  const whom = to === undefined ? {} : { to };
  turn.emit({ type: "task-escalated", key, actor, reason, ...whom, ...(code === undefined ? {} : { code }), at });
  if (to !== undefined) restartStartRules(turn, task);
  if (code !== undefined) throwEscalation(turn, key, { code, payload: { message: reason } });
  return undefined;
}

export const taskHandlers: Handlers<TaskCommand> = {
  "claim-task": (turn, { key, actor, at }) => {
    const task = ownTask(turn, key, actor);
    if (isRejection(task)) return task;
    turn.emit({ type: "task-claimed", key, actor, at });
    return undefined;
  },
  "release-task": (turn, { key, actor, at }) => {
    const task = undelegatedTask(turn, key, actor);
    if (isRejection(task)) return task;
    turn.emit({ type: "task-released", key, actor, at });
    restartStartRules(turn, task);
    return undefined;
  },
  "start-task": (turn, { key, actor }) => startTask(turn, key, actor),
  "delegate-task": delegateTask,
  "resolve-task": (turn, { key, actor, reason, at }) => {
    const task = openTask(turn, key);
    if (isRejection(task)) return task;
    const { owner, assignee } = task;
    if (owner === undefined) {
      return refusal(
        "task-not-delegated",
        `Expected task ${key} to be delegated, but '${assignee ?? "nobody"}' has it`,
      );
    }
    if (actor !== assignee && actor !== owner) {
      return refusal("task-claimed", `Expected task ${key} to be yours, but '${assignee}' has it`);
    }
    turn.emit({ type: "task-resolved", key, owner, actor, ...(reason === undefined ? {} : { reason }), at });
    return undefined;
  },
  "reassign-task": (turn, command) => {
    const { key, to, reason, actor, at } = command;
    const task = movableTask(turn, command);
    if (isRejection(task)) return task;
    turn.emit({ type: "task-reassigned", key, assignee: to, actor, reason, at });
    restartStartRules(turn, task);
    return undefined;
  },
  "update-task": updateTask,
  "escalate-task": escalateTask,
  "complete-task": completeTask,
  "throw-task-error": throwTaskError,
};
