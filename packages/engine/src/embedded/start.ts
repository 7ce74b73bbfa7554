import { AppError, type Rejection } from "@tutti/kernel";
import type { Item, TimelessCommand } from "./inbox.ts";
import { type Named, programNotFound } from "./programs.ts";
import { run, type Scope, type Wants, wantId, wantProgram } from "./scope.ts";
import type { InstanceNumber } from "./store.ts";
import type { Draft } from "./turn.ts";

type StartItem = Extract<Item, { readonly type: "start" }>;

export function wantStart(scope: Scope, item: StartItem, wants: Wants): void {
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

export function takeStart(scope: Scope, draft: Draft, item: StartItem): void {
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

export interface Starting {
  readonly named: Named;
  readonly number: InstanceNumber;
  readonly requestId: string | null;
  readonly command: Extract<TimelessCommand, { readonly type: "create-instance" }>;
}

export function start(scope: Scope, draft: Draft, starting: Starting): Rejection | Error | undefined {
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
