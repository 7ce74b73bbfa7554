import { endCallUndone, undoWork } from "../activity/compensation.ts";
import { undoWhole, type WhyEnded } from "../activity/undo-whole.ts";
import { resumeHeld } from "../advance.ts";
import { beginByEvent, beginContent } from "../bpmn-event/begin.ts";
import { armEventSubProcesses } from "../bpmn-event/event-sub-process.ts";
import type { Command, CreateInstance, ProcessStartedBy, Rejection, SetVariables } from "../command.ts";
import type { Event } from "../event.ts";
import { unpackVariables } from "../evolve/completed-work.ts";
import { variableKey } from "../evolve/variable.ts";
import type { Json, JsonObject } from "../json.ts";
import { release, terminateContent } from "../lifecycle.ts";
import type { ProcessStart } from "../load.ts";
import type { ProgramDocument } from "../program.ts";
import { declarationIn, failure, misfit, type Result } from "../scope.ts";
import { refusal, type Turn } from "../turn.ts";
import type { Undoing } from "../undoable.ts";

/** Handles one command: emits what follows from it, or says why not and emits nothing. */
export type Handlers<T extends Command["type"]> = {
  readonly [K in T]: (turn: Turn, command: Extract<Command, { readonly type: K }>) => Rejection | undefined;
};

type InstanceCommand =
  | "create-instance"
  | "pause-instance"
  | "resume-instance"
  | "cancel-instance"
  | "fork-instance"
  | "set-variables"
  | "continue";

/** What the process starts with: what was given, else what is declared, else null. `written` follows at once. */
function initialVariables(turn: Turn, given: JsonObject, written: ReadonlySet<string> | undefined): Result<JsonObject> {
  const values: { [name: string]: Json } = { ...given };
  for (const declaration of turn.program.document.variables) {
    const { name } = declaration;
    if (given[name] === undefined && declaration.required && written?.has(name) !== true) {
      return failure("variable-missing", `Expected a value for the required variable '${name}', but none was given`);
    }
    const value = given[name] ?? declaration.initial ?? null;
    const problem = misfit(declaration, value);
    if (problem !== undefined) return failure("variable-type", problem);
    values[name] = value;
  }
  return { ok: true, value: values };
}

function refuseStart(turn: Turn, start: ProcessStartedBy | undefined): Rejection | undefined {
  const { processStarts, starts, entries, document } = turn.program;
  if (start === undefined && entries.has(null)) return undefined;
  const names = processStarts.map(({ id }) => `'${id}'`).join(" or ");
  if (start === undefined) {
    return refusal("start-not-found", `Expected the event ${names} to start '${document.id}', but none was given`);
  }
  const found = processStarts.find(({ id }) => id === start.element);
  if (found !== undefined) return refuseTrigger(found, start);
  if (starts.get(null)?.id === start.element) return undefined;
  const expected = names === "" ? "no event" : `the event ${names}`;
  return refusal("start-not-found", `Expected ${expected} to start '${document.id}', but it is '${start.element}'`);
}

/** Of a multiple event the others may still be awaited: it must be one of its triggers. */
function refuseTrigger({ id, trigger }: ProcessStart, { trigger: place }: ProcessStartedBy): Rejection | undefined {
  if (trigger.type !== "multiple" || place === undefined || place in trigger.triggers) return undefined;
  const last = trigger.triggers.length - 1;
  return refusal("start-not-found", `Expected a trigger of '${id}' from 0 to ${last}, but got ${place}`);
}

function create(turn: Turn, command: CreateInstance): Rejection | undefined {
  const { document } = turn.program;
  const { start, undoes } = command;
  if (undoes !== undefined) {
    createUndoing(turn, command, undoes);
    return undefined;
  }
  const unfit = refuseStart(turn, start);
  if (unfit !== undefined) return unfit;
  const event = start === undefined ? undefined : turn.element(start.element);
  const outputs = event !== undefined && "outputs" in event ? event.outputs : undefined;
  const written = outputs === undefined ? undefined : new Set(outputs.map(({ target }) => target));
  const values = initialVariables(turn, command.variables, written);
  if (!values.ok) return refusal(values.error.code as "variable-missing", values.error.message);
  const { actor, at } = command;
  turn.emit(createdBy(command, document));
  if (Object.keys(values.value).length > 0) {
    turn.emit({ type: "variables-set", scope: 0, values: values.value, actor, at });
  }
  armEventSubProcesses(turn, 0);
  if (start === undefined) beginContent(turn, null, 0);
  else beginByEvent(turn, start);
  return undefined;
}

/** It has the variables that the other one completed with, and waits for nothing that would begin anything. */
function createUndoing(turn: Turn, command: CreateInstance, undoes: Undoing): void {
  turn.emit(createdBy(command, turn.program.document));
  const values = unpackVariables(undoes.work, undoes.work.variables);
  if (Object.keys(values).length > 0) {
    turn.emit({ type: "variables-set", scope: 0, values, actor: command.actor, at: command.at });
  }
  undoWork(turn, undoes);
}

type Created = Extract<Event, { readonly type: "instance-created" }>;

/** What is optional is put in afterwards: spreads in the middle cost more than all the rest. */
function createdBy(command: CreateInstance, { id, version, hash }: ProgramDocument): Created {
  const { instanceId, rootId, parent, businessKey, queue, priority, actor, at, start, undoes } = command;
  const event: { -readonly [K in keyof Created]: Created[K] } = {
    type: "instance-created",
    instanceId,
    rootId,
    process: id,
    version,
    hash,
    actor,
    at,
  };
  if (parent !== undefined) event.parent = parent;
  if (businessKey !== undefined) event.businessKey = businessKey;
  if (queue !== undefined) event.queue = queue;
  if (priority !== undefined) event.priority = priority;
  if (start !== undefined) event.start = describeStart(start);
  if (undoes !== undefined) event.undoes = undoes.instanceId;
  return event;
}

function describeStart({ element, messageId }: ProcessStartedBy): { element: string; messageId?: string } {
  return { element, ...(messageId === undefined ? {} : { messageId }) };
}

function checkWrite(turn: Turn, command: SetVariables): Rejection | undefined {
  const { scope, values, expectedVersions = {} } = command;
  for (const name in expectedVersions) {
    const version = turn.state.variables.get(variableKey(scope, name))?.version ?? 0;
    const expected = expectedVersions[name];
    if (version !== expected) {
      return refusal("variable-version", `Expected '${name}' to be at version ${expected}, but it is at ${version}`);
    }
  }
  for (const name in values) {
    const problem = misfit(declarationIn(turn.program, turn.state, { scope, name }), values[name] ?? null);
    if (problem !== undefined) return refusal("variable-type", problem);
  }
  return undefined;
}

/** Where all it did is being undone already, that goes on, and only the end is another one. */
function cancelUndone(turn: Turn, why: Required<WhyEnded>): Rejection | undefined {
  const { compensationRuns, head } = turn.state;
  if (head.cancelledBy !== undefined) {
    return refusal("instance-failing", "Expected a running instance, but all it did is being undone, and then it ends");
  }
  if (compensationRuns.get(0) === undefined) undoWhole(turn, why);
  else turn.emit({ type: "instance-failing", ...why, at: turn.at });
  return undefined;
}

export const instanceHandlers: Handlers<InstanceCommand> = {
  "create-instance": create,
  "pause-instance": (turn, { stopRunning, reason, actor, at }) => {
    const { status } = turn.state.head;
    if (status !== "running") {
      return refusal("instance-paused", `Expected a running instance, but it is ${status}`);
    }
    turn.emit({ type: "instance-paused", stopRunning, reason, actor, at });
    return undefined;
  },
  "resume-instance": (turn, { actor, at }) => {
    const { status } = turn.state.head;
    if (status !== "paused") {
      return refusal("instance-not-paused", `Expected a paused instance, but it is ${status}`);
    }
    turn.emit({ type: "instance-resumed", actor, at });
    return undefined;
  },
  "cancel-instance": (turn, { reason, actor, at, undo }) => {
    if (undo) return cancelUndone(turn, { error: { code: "cancelled", message: reason }, cancelledBy: actor });
    terminateContent(turn, 0);
    release(turn, 0);
    turn.emit({ type: "instance-cancelled", reason, actor, at });
    return undefined;
  },
  "fork-instance": (turn, { instanceId, reason, actor, at }) => {
    const { instanceId: from, sequence } = turn.state.head;
    turn.emit({ type: "instance-forked", instanceId, from, sequence, reason, actor, at });
    // The children of the other one undo what they did; this one's never did anything.
    for (const { key, undoesItself, undoes } of [...turn.state.calls.values()]) {
      if (undoesItself && undoes === undefined) endCallUndone(turn, key);
    }
    return undefined;
  },
  "set-variables": (turn, command) => {
    const { scope, values, actor, reason, at } = command;
    if (scope !== 0 && turn.state.elements.get(scope) === undefined) {
      return refusal("scope-not-found", `Expected an active element instance ${scope}, but there is none`);
    }
    const problem = checkWrite(turn, command);
    if (problem !== undefined) return problem;
    turn.emit({ type: "variables-set", scope, values, actor, reason, at });
    return undefined;
  },
  continue: (turn) => {
    if (!turn.state.head.continuing) {
      return refusal("nothing-pending", "Expected held work to go on with, but there is none");
    }
    if (turn.state.head.status === "paused") {
      return refusal(
        "instance-paused",
        "Expected a running instance, but it is paused; the step goes on when it is resumed",
      );
    }
    resumeHeld(turn);
    return undefined;
  },
};
