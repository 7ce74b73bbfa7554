import { AppError, type Rejection } from "@tutti/kernel";
import type { ForkRequest } from "../../port.ts";
import { forkRowsMax } from "../limits.ts";
import type { LogRow, StoreReader } from "../store.ts";
import { programNotFound } from "../version/programs.ts";
import type { Item } from "./inbox.ts";
import type { Live } from "./instances.ts";
import { instanceNotFound, isGiven, run, type Scope, type Wants, wantId } from "./scope.ts";
import { hold } from "./start.ts";
import type { Draft } from "./turn.ts";

type ForkItem = Extract<Item, { readonly type: "fork" }>;

const pageRows = 1_000;

/** What a fork begins with. The log only grows, so this may be read while turns go on. */
export async function readPrefix(store: StoreReader, request: ForkRequest): Promise<Pick<ForkItem, "rows" | "hash">> {
  const { instanceId, at } = request;
  const rows: LogRow[] = [];
  const last = at?.position ?? Number.POSITIVE_INFINITY;
  for (let after = 0; ; ) {
    const page = await store.rows({ after, instanceId, limit: pageRows });
    rows.push(...page.filter(({ position }) => position <= last));
    if (after === 0 && page.length === 0) throw instanceNotFound(instanceId);
    const end = page.at(-1);
    if (end === undefined || end.position >= last || page.length < pageRows) break;
    after = end.position;
    if (rows.length > forkRowsMax) break;
  }
  const prefix = prefixOf(rows, request);
  if ("refusal" in prefix) throw refused(prefix.refusal);
  return prefix;
}

/** Of all rows of an instance those that a fork begins with, and the program that it is under then; or why there are none. */
export function prefixOf<R extends Pick<LogRow, "position" | "events">>(
  all: readonly R[],
  { instanceId, at }: Pick<ForkRequest, "instanceId" | "at">,
): { readonly rows: readonly R[]; readonly hash: string } | { readonly refusal: string } {
  const rows = at === undefined ? all : all.filter(({ position }) => position <= at.position);
  if (rows.length > forkRowsMax) {
    return { refusal: `Expected at most ${forkRowsMax} rows to begin with, but there are more` };
  }
  const hash = rows.flatMap(({ events }) => events).reduce<string | undefined>(hashAfter, undefined);
  if (hash !== undefined) return { rows, hash };
  const when = at === undefined ? "" : ` up to position ${at.position}`;
  return { refusal: `Expected events of '${instanceId}'${when}, but there are none` };
}

/** The program that an instance is under after an event. */
function hashAfter(before: string | undefined, event: LogRow["events"][number]): string | undefined {
  return event.type === "instance-created" || event.type === "instance-migrated" ? event.hash : before;
}

export function wantFork(scope: Scope, item: ForkItem, wants: Wants): void {
  item.number = ++scope.numbers.instance;
  wants.requestIds.push(item.request.requestId);
  wantId(scope, item.request.instanceId, wants);
  wantId(scope, idOf(item), wants);
  if (scope.programs.loaded(item.hash) === undefined) wants.hashes.add(item.hash);
}

function idOf({ request, number }: ForkItem): string {
  return request.newId ?? `${request.instanceId}-fork-${number}`;
}

function refused(reason: string): AppError {
  return new AppError("fork-refused", `${reason}.`);
}

export function takeFork(scope: Scope, draft: Draft, item: ForkItem): void {
  const { request, answer } = item;
  const { requestId, instanceId, cancelOriginal = false } = request;
  const earlier = scope.requests.get(requestId);
  if (earlier !== undefined) {
    draft.answers.push(() => answer.resolve(earlier));
    return;
  }
  const original = scope.instances.id(instanceId);
  // What is in quarantine cannot be cancelled, but others can begin with what it did before.
  const record = original?.record ?? (cancelOriginal ? undefined : scope.setAside(instanceId));
  if (record === undefined) return answer.reject(scope.refusal({ instanceId }) ?? instanceNotFound(instanceId));
  const awaited = cancelOriginal ? awaitedBy(record) : undefined;
  if (awaited !== undefined) return answer.reject(refused(awaited));
  const forkId = idOf(item);
  if (isGiven(scope, forkId)) {
    return answer.reject(refused(`Expected no instance '${forkId}', but there is one`));
  }
  const result = fork(scope, draft, { item, original: record, forkId });
  if (result instanceof Error) return answer.reject(result);
  if (result !== undefined) return answer.reject(refused(result.reason));
  scope.requests.set(requestId, forkId);
  const { reason, actor } = request;
  if (cancelOriginal && original !== undefined && record.endedAt === null) {
    const channel = heldBy(record);
    run({ scope, draft }, original, { type: "cancel-instance", reason, actor });
    // What the channel keeps has to wait for the fork now.
    if (channel !== null) hold(draft, { channel, process: record.process, instance: item.number });
  }
  draft.answers.push(() => answer.resolve(forkId));
}

/** Why it is not to be rolled back. */
export function awaitedBy({ parentId, endedAt }: Live["record"]): string | undefined {
  if (parentId === null || endedAt !== null) return undefined;
  return `Expected an instance that nobody called, but '${parentId}' waits for it: roll that back`;
}

/** The channel that starts no other instance while this one is open. */
export function heldBy({ startedBy, endedAt }: Live["record"]): string | null {
  return endedAt === null ? startedBy : null;
}

function fork(
  scope: Scope,
  draft: Draft,
  { item, original, forkId }: { readonly item: ForkItem; readonly original: Live["record"]; readonly forkId: string },
): Rejection | Error | undefined {
  const { rows, hash, number, request } = item;
  const program = scope.programs.loaded(hash);
  if (program === undefined) return programNotFound(hash, undefined);
  const { id: process, version } = program.document;
  const live = draft.create(program, {
    number,
    instanceId: forkId,
    rootId: forkId,
    parentId: null,
    process,
    version,
    hash,
    deployment: original.hash === hash ? original.deployment : scope.programs.named(process, version).deployment,
    businessKey: original.businessKey,
    requestId: request.requestId,
    startedBy: request.cancelOriginal === true ? heldBy(original) : null,
    copied: rows.reduce((count, row) => count + row.events.length, 0),
  });
  const mark = draft.mark();
  draft.changes.push({ type: "instance-put", record: live.record });
  const { reason, actor } = request;
  let result: Rejection | Error | undefined;
  try {
    draft.copy(live, rows);
    result = draft.run(live, { type: "fork-instance", instanceId: forkId, reason, actor });
  } catch (error) {
    // There is no instance yet that could be put in quarantine; nothing but the request is lost.
    scope.warn("a fork broke an invariant", { instanceId: item.request.instanceId, error: String(error) });
    result = error instanceof Error ? error : new Error(String(error));
  }
  if (result !== undefined) draft.undo(mark);
  else scope.instances.add(live);
  return result;
}
