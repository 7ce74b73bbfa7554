import { AppError, type Rejection } from "@tutti/kernel";
import { madeId } from "../instance-id.ts";
import type { InstanceNumber } from "../store.ts";
import { type Named, programNotFound } from "../version/programs.ts";
import type { Item, TimelessCommand } from "./inbox.ts";
import { isGiven, run, type Scope, type Wants, wantId, wantProgram } from "./scope.ts";
import type { Draft } from "./turn.ts";

type StartItem = Extract<Item, { readonly type: "start" }>;

export function wantStart(scope: Scope, item: StartItem, wants: Wants): void {
  const { requestId, instanceId, process } = item.request;
  item.number = ++scope.numbers.instance;
  item.instanceId = instanceId ?? madeId(process, item.number);
  wants.requestIds.push(requestId);
  wantId(scope, item.instanceId, wants);
  wantProgram(scope, namedBy(scope, item), wants);
}

function namedBy(scope: Scope, item: StartItem): Named | undefined {
  const { process, version, businessKey, routingKey, variables } = item.request;
  if (version !== undefined) return scope.programs.version(process, version);
  return scope.programs.chosen(process, { routingKey: routingKey ?? businessKey ?? item.instanceId, variables });
}

export function takeStart(scope: Scope, draft: Draft, item: StartItem): void {
  const { request, answer, instanceId } = item;
  const earlier = scope.requests.get(request.requestId);
  if (earlier !== undefined) {
    draft.answers.push(() => answer.resolve(earlier));
    return;
  }
  if (request.instanceId === undefined && isGiven(scope, instanceId)) {
    // Somebody chose this very id for an instance of their own: the next number will do.
    scope.inbox.push(item);
    return;
  }
  const named = namedBy(scope, item);
  if (named === undefined) throw programNotFound(request.process, request.version);
  const result = start(scope, draft, {
    named,
    number: item.number,
    requestId: request.requestId,
    startedBy: null,
    command: commandOf(request, instanceId),
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

type CreateCommand = Extract<TimelessCommand, { readonly type: "create-instance" }>;

/** What is optional is put in afterwards: spreads in the middle cost more than all the rest. */
function commandOf(request: StartItem["request"], instanceId: string): CreateCommand {
  const { variables, actor, businessKey, queue, priority, start: element } = request;
  const command: { -readonly [K in keyof CreateCommand]: CreateCommand[K] } = {
    type: "create-instance",
    instanceId,
    rootId: instanceId,
    variables,
    actor,
  };
  if (businessKey !== undefined) command.businessKey = businessKey;
  if (queue !== undefined) command.queue = queue;
  if (priority !== undefined) command.priority = priority;
  if (element !== undefined) command.start = { element, payload: {} };
  return command;
}

export interface Starting {
  readonly named: Named;
  readonly number: InstanceNumber;
  readonly requestId: string | null;
  /** The channel of the message that starts it; while it is open that one starts no other. */
  readonly startedBy: string | null;
  readonly command: CreateCommand;
}

export function start(scope: Scope, draft: Draft, starting: Starting): Rejection | Error | undefined {
  const { named, number, requestId, startedBy, command } = starting;
  const existing = scope.instances.id(command.instanceId);
  if (existing !== undefined) return run({ scope, draft }, existing, command);
  const unusable = scope.refusal({ instanceId: command.instanceId });
  if (unusable !== undefined) return unusable;
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
    startedBy,
    copied: 0,
  });
  const mark = draft.changes.push({ type: "instance-put", record: live.record });
  const exchange = draft.exchange.mark();
  if (startedBy !== null) hold(draft, { channel: startedBy, process: live.record.process, instance: number });
  let result: Rejection | Error | undefined;
  try {
    result = draft.run(live, command);
  } catch (error) {
    // There is no instance yet that could be put in quarantine; nothing but the request is lost.
    scope.warn("a new instance broke an invariant", { process: named.hash, error: String(error) });
    result = error instanceof Error ? error : new Error(String(error));
  }
  if (result === undefined) {
    scope.instances.add(live);
    return undefined;
  }
  draft.changes.length = mark - 1;
  draft.exchange.undo(exchange);
  return result;
}

/** While it is open, its channel starts no other instance of the process. */
export function hold(
  draft: Draft,
  holder: { readonly channel: string; readonly process: string; readonly instance: number },
): void {
  const { channel, process } = holder;
  draft.changes.push({ type: "holder-put", ...holder });
  draft.exchange.hold({ channel, process, held: true });
}
