import { AppError, instanceView, type Key, type Rejection } from "@tutti/kernel";
import type { Inbox, Item, OwnCommand, TimelessCommand } from "./inbox.ts";
import type { Instances, Live } from "./instances.ts";
import { type Named, type Programs, programNotFound } from "./programs.ts";
import type { InstanceNumber, InstanceRecord, Message, OutboxEntry } from "./store.ts";
import type { Timers } from "./timers.ts";
import type { Draft, Numbers } from "./turn.ts";
import type { WorkQueue } from "./work-queue.ts";

/** What a batch needs in memory before it can be decided. */
export interface Wants {
  readonly instanceIds: Set<string>;
  readonly numbers: Set<InstanceNumber>;
  readonly requestIds: Set<string>;
  readonly hashes: Set<string>;
}

/** What items are decided with. */
export interface Scope {
  readonly instances: Instances;
  readonly programs: Programs;
  readonly inbox: Inbox;
  readonly work: WorkQueue;
  readonly timers: Timers;
  /** Request ids that are already used → their instances. */
  readonly requests: Map<string, string>;
  readonly numbers: Numbers;
  /** Why an instance cannot be used, by id and by number. */
  refusal(of: { readonly instanceId?: string; readonly number?: InstanceNumber }): Error | undefined;
  quarantine(record: InstanceRecord, error: unknown): Error;
  readonly warn: (message: string, data: { readonly [name: string]: unknown }) => void;
}

/** `wants` runs before the instances are loaded, `take` once they are. Neither may fail but by throwing to the caller. */
interface ItemHandler<I> {
  readonly wants: (scope: Scope, item: I, wants: Wants) => void;
  readonly take: (scope: Scope, draft: Draft, item: I) => void;
}

type ItemHandlers = { readonly [K in Item["type"]]: ItemHandler<Extract<Item, { readonly type: K }>> };

const handlers: ItemHandlers = {
  view: {
    wants: (scope, item, wants) => wantId(scope, item.instanceId, wants),
    take: (scope, _draft, { instanceId, answer }) => {
      const live = scope.instances.id(instanceId);
      if (live === undefined) answer.reject(scope.refusal({ instanceId }) ?? instanceNotFound(instanceId));
      else answer.resolve(instanceView(live.program, live.state));
    },
  },
  command: {
    wants: (scope, item, wants) => wantId(scope, item.instanceId, wants),
    take: (scope, draft, { instanceId, command, answer }) => {
      const live = scope.instances.id(instanceId);
      if (live === undefined) {
        answer.reject(scope.refusal({ instanceId }) ?? instanceNotFound(instanceId));
        return;
      }
      const result = run({ scope, draft }, live, command);
      if (result instanceof Error) {
        answer.reject(result);
        return;
      }
      const position = draft.numbers.position;
      draft.answers.push(() =>
        answer.resolve(result === undefined ? { ok: true, position } : { ok: false, rejection: result }),
      );
    },
  },
  start: { wants: wantStart, take: takeStart },
  own: {
    wants: (scope, item, wants) => wantNumber(scope, item.instance, wants),
    take: (scope, draft, { instance, command }) => {
      const live = scope.instances.number(instance);
      if (live !== undefined) takeOwn({ scope, draft }, live, command);
      else if (command.type !== "fire-timer") scope.work.finished(instance, command.key);
    },
  },
  deliver: { wants: wantDelivery, take: takeDelivery },
  load: {
    wants: (scope, item, wants) => wantNumber(scope, item.instance, wants),
    take: (scope, draft, { instance }) => {
      const live = scope.instances.number(instance);
      if (live === undefined) return;
      draft.touch(live);
      draft.loaded.push(live);
    },
  },
  deploy: {
    wants: () => undefined,
    take: (scope, draft, { deployment, documents, answer }) => {
      draft.changes.push({ type: "deployment-put", deployment, number: ++draft.numbers.deployment, documents });
      draft.answers.push(() => {
        scope.programs.add({ deployment });
        answer.resolve(deployment);
      });
    },
  },
  slots: {
    wants: () => undefined,
    take: (scope, draft, { queue, slots, answer }) => {
      draft.changes.push({ type: "slots-put", queue, slots });
      draft.answers.push(() => {
        scope.work.adjust(queue, slots);
        answer.resolve();
      });
    },
  },
};

export function wantItem(scope: Scope, item: Item, wants: Wants): void {
  // Indexing by a union loses which handler belongs to which item; the type of `handlers` has proven the pairing.
  (handlers[item.type] as ItemHandler<Item>).wants(scope, item, wants);
}

export function takeItem(scope: Scope, draft: Draft, item: Item): void {
  (handlers[item.type] as ItemHandler<Item>).take(scope, draft, item);
}

function wantId(scope: Scope, instanceId: string, wants: Wants): void {
  if (scope.instances.id(instanceId) === undefined) wants.instanceIds.add(instanceId);
}

function wantNumber(scope: Scope, number: InstanceNumber, wants: Wants): void {
  if (scope.instances.number(number) === undefined) wants.numbers.add(number);
}

function wantProgram(scope: Scope, named: Named | undefined, wants: Wants): void {
  if (named !== undefined && scope.programs.loaded(named.hash) === undefined) wants.hashes.add(named.hash);
}

interface InTurn {
  readonly scope: Scope;
  readonly draft: Draft;
}

/** A rejection is a value; an error means that the instance is now in quarantine. */
function run({ scope, draft }: InTurn, live: Live, command: TimelessCommand): Rejection | Error | undefined {
  try {
    return draft.run(live, command);
  } catch (error) {
    return scope.quarantine(live.record, error);
  }
}

type StartItem = Extract<Item, { readonly type: "start" }>;

function wantStart(scope: Scope, item: StartItem, wants: Wants): void {
  const { requestId, instanceId, process, version } = item.request;
  item.number = ++scope.numbers.instance;
  wants.requestIds.add(requestId);
  wantId(scope, instanceId ?? madeId(item), wants);
  wantProgram(
    scope,
    version === undefined ? scope.programs.latest(process) : scope.programs.version(process, version),
    wants,
  );
}

function madeId({ request, number }: StartItem): string {
  return `${request.process}-${number}`;
}

function takeStart(scope: Scope, draft: Draft, item: StartItem): void {
  const { request, answer } = item;
  const earlier = scope.requests.get(request.requestId);
  if (earlier !== undefined) {
    draft.answers.push(() => answer.resolve(earlier));
    return;
  }
  const instanceId = request.instanceId ?? madeId(item);
  if (request.instanceId === undefined && scope.instances.id(instanceId) !== undefined) {
    // Somebody chose this very id for an instance of their own: the next number will do.
    scope.inbox.push(item);
    return;
  }
  const result = start(scope, draft, {
    named: scope.programs.named(request.process, request.version),
    number: item.number,
    requestId: request.requestId,
    command: {
      type: "create-instance",
      instanceId,
      rootId: instanceId,
      variables: request.variables,
      actor: request.actor,
      ...(request.businessKey === undefined ? {} : { businessKey: request.businessKey }),
      ...(request.queue === undefined ? {} : { queue: request.queue }),
      ...(request.priority === undefined ? {} : { priority: request.priority }),
    },
  });
  if (result instanceof Error) {
    answer.reject(result);
  } else if (result !== undefined) {
    const error = new AppError("start-refused", `${result.reason}.`, { details: { rejection: result.code } });
    draft.answers.push(() => answer.reject(error));
  } else {
    scope.requests.set(request.requestId, instanceId);
    draft.answers.push(() => answer.resolve(instanceId));
  }
}

interface Starting {
  readonly named: Named;
  readonly number: InstanceNumber;
  readonly requestId: string | null;
  readonly command: Extract<TimelessCommand, { readonly type: "create-instance" }>;
}

function start(scope: Scope, draft: Draft, starting: Starting): Rejection | Error | undefined {
  const { named, number, requestId, command } = starting;
  const existing = scope.instances.id(command.instanceId);
  if (existing !== undefined) return run({ scope, draft }, existing, command);
  const program = scope.programs.loaded(named.hash);
  if (program === undefined) return programNotFound(named.hash, undefined);
  const live = draft.create(program, {
    number,
    instanceId: command.instanceId,
    rootId: command.rootId,
    parentId: command.parent?.instanceId ?? null,
    process: program.document.id,
    version: program.document.version,
    hash: named.hash,
    deployment: named.deployment,
    businessKey: command.businessKey ?? null,
    requestId,
  });
  const mark = draft.changes.push({ type: "instance-put", record: live.record });
  let result: Rejection | Error | undefined;
  try {
    result = draft.run(live, command);
  } catch (error) {
    // There is no instance yet that could be put in quarantine; nothing but the request is lost.
    scope.warn("a new instance broke an invariant", { process: named.hash, error: String(error) });
    result = error instanceof Error ? error : new Error(String(error));
  }
  if (result !== undefined) draft.changes.length = mark - 1;
  else scope.instances.add(live);
  return result;
}

/** The outcome reached nobody: the job is not open any more, so the worker's word no longer counts. */
const lateCodes: ReadonlySet<string> = new Set(["job-not-found", "instance-ended", "instance-not-found"]);

function takeOwn({ scope, draft }: InTurn, live: Live, command: OwnCommand): void {
  const { number, instanceId } = live.record;
  const result = run({ scope, draft }, live, command);
  if (result === undefined) return;
  if (command.type === "fire-timer") {
    const timer = live.state.timers.get(command.key);
    // The clock went back. While paused nothing is to be done: resuming arms its timers anew.
    if (!(result instanceof Error) && result.code === "timer-not-due" && timer !== undefined) {
      draft.answers.push(() => scope.timers.arm({ instance: number, key: command.key, due: timer.due }));
    }
    return;
  }
  const finished = (): void => scope.work.finished(number, command.key);
  if (result instanceof Error || lateCodes.has(result.code) || command.type === "fail-job") {
    draft.answers.push(finished);
    if (!(result instanceof Error) && !lateCodes.has(result.code)) {
      scope.warn("a job's failure was refused", { instanceId, key: command.key, reason: result.reason });
    }
    return;
  }
  const error = { code: result.code, message: `What the job gave was refused: ${result.reason}.` };
  const follow: OwnCommand = { type: "fail-job", key: command.key, error, retryable: false };
  scope.inbox.push({ type: "own", instance: number, command: follow });
}

type DeliverItem = Extract<Item, { readonly type: "deliver" }>;

function targetOf({ from, message }: OutboxEntry): string {
  if (message.type === "continue") return from.instanceId;
  return message.type === "answer-parent" ? message.parent.instanceId : message.childId;
}

function calledProgram(scope: Scope, { from, message }: OutboxEntry): Named | undefined {
  if (message.type !== "start-child") return undefined;
  const { binding, process } = message;
  if (binding === "deployment") return scope.programs.bound(process, from.deployment);
  return binding === "latest" ? scope.programs.latest(process) : scope.programs.version(process, binding.version);
}

function wantDelivery(scope: Scope, item: DeliverItem, wants: Wants): void {
  wantId(scope, targetOf(item.entry), wants);
  wantProgram(scope, calledProgram(scope, item.entry), wants);
}

function takeDelivery(scope: Scope, draft: Draft, item: DeliverItem): void {
  const { entry } = item;
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

function commandFor(from: OutboxEntry["from"], message: Exclude<Message, { type: "start-child" }>): TimelessCommand {
  const actor = from.instanceId;
  switch (message.type) {
    case "cancel-child":
      return { type: "cancel-instance", reason: message.reason, actor };
    case "pause-child":
      return { type: "pause-instance", stopRunning: message.stopRunning, reason: message.reason, actor };
    case "resume-child":
      return { type: "resume-instance", actor };
    case "answer-parent":
      return { type: "end-child", key: message.parent.key, childId: from.instanceId, outcome: message.outcome };
    case "continue":
      return { type: "continue" };
  }
}

function startChild(
  { scope, draft }: InTurn,
  { from }: OutboxEntry,
  message: Extract<Message, { readonly type: "start-child" }>,
): void {
  const { childId, key, process, variables, queue, priority } = message;
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
    command: {
      type: "create-instance",
      instanceId: childId,
      rootId: from.rootId,
      parent: { instanceId: from.instanceId, key },
      variables,
      actor: from.instanceId,
      ...(queue === undefined ? {} : { queue }),
      ...(priority === undefined ? {} : { priority }),
    },
  });
  if (result instanceof Error) answerFailed("instance-quarantined", result.message);
  else if (result !== undefined) answerFailed(result.code, result.reason);
}

/** A call that cannot be made is answered as a called instance would answer that failed at once. */
function refuseCall(
  draft: Draft,
  { from, message }: OutboxEntry,
  { key, code, reason }: { readonly key: Key; readonly code: string; readonly reason: string },
): void {
  if (message.type !== "start-child") return;
  const outcome = { type: "failed" as const, error: { code, message: reason } };
  const answer: Message = { type: "answer-parent", parent: { instanceId: from.instanceId, key }, outcome };
  draft.send({ ...from, instanceId: message.childId }, answer);
}

export function instanceNotFound(instanceId: string): AppError {
  return new AppError("instance-not-found", `Expected an instance '${instanceId}', but there is none.`);
}
