import type { Key } from "@tutti/kernel";
import type { InstanceMessage, Message, OutboxEntry } from "../store.ts";
import type { Named } from "../version/programs.ts";
import type { TimelessCommand } from "./inbox.ts";
import { type InTurn, run, type Scope, type Wants, wantId, wantProgram } from "./scope.ts";
import { start } from "./start.ts";
import type { Draft } from "./turn.ts";

/** What one instance tells another that it called or was called by, or itself. */
export interface Call extends OutboxEntry {
  readonly message: InstanceMessage;
}

function targetOf({ from, message }: Call): string {
  if (message.type === "continue") return from.instanceId;
  return "parent" in message ? message.parent.instanceId : message.childId;
}

function calledProgram(scope: Scope, { from, message }: Call): Named | undefined {
  if (message.type !== "start-child") return undefined;
  const { binding, process, variables, undoes } = message;
  // All that one instance calls goes the way of the one at the top.
  const routing = { routingKey: from.rootId, variables };
  const undone = undoes === undefined ? {} : { undoneHash: undoes.hash };
  return scope.programs.called({ process, binding, deployment: from.deployment, routing, ...undone });
}

export function wantCall(scope: Scope, entry: Call, wants: Wants): void {
  wantId(scope, targetOf(entry), wants);
  wantProgram(scope, calledProgram(scope, entry), wants);
}

export function takeCall({ scope, draft }: InTurn, entry: Call): void {
  const { from, message } = entry;
  const instanceId = targetOf(entry);
  // What is meant for an instance in quarantine stays in the outbox for the release that can take it.
  if (scope.refusal({ instanceId }) !== undefined) return;
  draft.changes.push({ type: "outbox-delete", id: entry.id });
  if (message.type === "start-child") {
    startChild({ scope, draft }, entry, message);
    return;
  }
  const live = scope.instances.id(instanceId);
  // A child that was never started, or has ended, needs to be told nothing.
  if (live === undefined) return;
  run({ scope, draft }, live, commandFor(from, message));
}

function commandFor(
  from: OutboxEntry["from"],
  message: Exclude<InstanceMessage, { type: "start-child" }>,
): TimelessCommand {
  const actor = from.instanceId;
  switch (message.type) {
    case "cancel-child": {
      const { reason, undo } = message;
      return { type: "cancel-instance", reason, actor, ...(undo === undefined ? {} : { undo }) };
    }
    case "pause-child":
      return { type: "pause-instance", stopRunning: message.stopRunning, reason: message.reason, actor };
    case "resume-child":
      return { type: "resume-instance", actor };
    case "answer-parent": {
      const { parent, outcome, undoable } = message;
      const left = undoable === undefined ? {} : { undoable };
      return { type: "end-child", key: parent.key, childId: from.instanceId, outcome, ...left };
    }
    case "escalate-parent": {
      const { parent, number, code, payload } = message;
      return { type: "escalate-call", key: parent.key, childId: from.instanceId, number, code, payload };
    }
    case "continue":
      return { type: "continue" };
  }
}

function startChild(
  { scope, draft }: InTurn,
  { from }: Call,
  message: Extract<InstanceMessage, { readonly type: "start-child" }>,
): void {
  const { childId, key, process, variables, queue, priority, undoes } = message;
  // It was started before a crash lost the answer, or asked for again by a resume: once is enough.
  if (scope.instances.id(childId) !== undefined) return;
  const entry = { id: 0, from, message };
  const named = calledProgram(scope, entry);
  const answerFailed = (code: string, reason: string): void => refuseCall(draft, entry, { key, code, reason });
  if (named === undefined) {
    answerFailed("process-not-found", `Expected a deployed process '${process}' to call, but there is none`);
    return;
  }
  const result = start(scope, draft, {
    named,
    number: ++draft.numbers.instance,
    requestId: null,
    startedBy: null,
    command: {
      type: "create-instance",
      instanceId: childId,
      rootId: from.rootId,
      parent: { instanceId: from.instanceId, key },
      variables,
      actor: from.instanceId,
      ...(queue === undefined ? {} : { queue }),
      ...(priority === undefined ? {} : { priority }),
      ...(undoes === undefined ? {} : { undoes }),
    },
  });
  if (result instanceof Error) answerFailed("instance-quarantined", result.message);
  else if (result !== undefined) answerFailed(result.code, result.reason);
}

/** A call that cannot be made is answered as a called instance would answer that failed at once. */
function refuseCall(
  draft: Draft,
  { from, message }: Call,
  { key, code, reason }: { readonly key: Key; readonly code: string; readonly reason: string },
): void {
  if (message.type !== "start-child") return;
  const outcome = { type: "failed" as const, error: { code, message: reason } };
  const answer: Message = { type: "answer-parent", parent: { instanceId: from.instanceId, key }, outcome };
  draft.send({ ...from, instanceId: message.childId }, answer);
}
