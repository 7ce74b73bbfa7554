import type { Program, Rejection } from "@tutti/kernel";
import { adoptedRecord, hasKept, moveBusy, moveRefused, rowsLacking, staysFor } from "../../moving.ts";
import type { MovedRow } from "../../port.ts";
import type { InstanceRecord, StoredInstance } from "../store.ts";
import { bringing, programNotFound } from "../version/programs.ts";
import type { Item } from "./inbox.ts";
import { type Live, revive } from "./instances.ts";
import { instanceNotFound, type Scope, type Wants, wantId } from "./scope.ts";
import { hold } from "./start.ts";
import type { Draft } from "./turn.ts";

type ReleaseItem = Extract<Item, { readonly type: "release" }>;
type AdoptItem = Extract<Item, { readonly type: "adopt" }>;

export function wantRelease(scope: Scope, { instanceId }: ReleaseItem, wants: Wants): void {
  wantId(scope, instanceId, wants);
}

export function takeRelease(scope: Scope, draft: Draft, { instanceId, answer }: ReleaseItem): void {
  const live = scope.instances.id(instanceId);
  if (live === undefined) {
    if (scope.moved.has(instanceId)) return answer.resolve();
    return answer.reject(scope.refusal({ instanceId }) ?? instanceNotFound(instanceId));
  }
  // Given up in this very turn.
  if (live.record.status === "moved") return void draft.answers.push(() => answer.resolve());
  const inTheWay = refusalOf(scope, live);
  if (inTheWay !== undefined) return answer.reject(inTheWay);
  const { number } = live.record;
  const { jobs, timers } = live.state;
  draft.release(live);
  draft.answers.push(() => {
    for (const { key } of timers.values()) scope.timers.cancel(number, key);
    for (const { key } of jobs.values()) scope.work.cancel(number, key);
    scope.work.release(number);
    answer.resolve();
  });
}

/** Why it is not given up: by its state, or for what is under way for it in this process. */
function refusalOf({ work, kept }: Scope, { record, state }: Live): Error | undefined {
  const { number, instanceId } = record;
  const reason = staysFor(state) ?? (kept.has(number) ? hasKept(instanceId) : undefined);
  if (reason !== undefined) return moveRefused(reason);
  for (const { key, element, jobType } of state.jobs.values()) {
    if (work.standing(number, key)?.state === "running") {
      return moveBusy(instanceId, `its job '${element}' (${jobType})`);
    }
  }
  return undefined;
}

export function wantAdopt(scope: Scope, item: AdoptItem, wants: Wants): void {
  const { instanceId, requestId, hash } = item.moved;
  item.number = ++scope.numbers.instance;
  wantId(scope, instanceId, wants);
  if (requestId !== null) wants.requestIds.push(requestId);
  if (scope.programs.loaded(hash) === undefined) wants.hashes.add(hash);
}

export function takeAdopt(scope: Scope, draft: Draft, item: AdoptItem): void {
  const { moved, answer } = item;
  const { instanceId, hash } = moved;
  const program = scope.programs.loaded(hash);
  if (program === undefined) return answer.reject(programNotFound(hash, undefined));
  const live = scope.instances.id(instanceId);
  const away = scope.moved.get(instanceId);
  // Given up in this very turn: the next one finds it gone.
  if (live?.record.status === "moved") return void draft.later.push(item);
  if (live === undefined && away === undefined) {
    const unusable = scope.refusal({ instanceId });
    if (unusable !== undefined) return answer.reject(unusable);
  }
  const known = live ?? (away === undefined ? undefined : revive(away, program));
  const rows = rowsLacking(moved, known && { record: known.record, events: known.state.head.sequence });
  if (rows === undefined) return void draft.answers.push(() => answer.resolve());
  const result = adopt(scope, draft, { item, program, away, rows });
  if (result instanceof Error) return answer.reject(result);
  if (result !== undefined) return answer.reject(moveRefused(result.reason));
  for (const brought of bringing(moved, scope.programs)) {
    draft.changes.push(brought);
    draft.answers.push(() => scope.programs.add(brought));
  }
  draft.answers.push(() => answer.resolve());
}

interface Adopting {
  readonly item: AdoptItem;
  readonly program: Program;
  /** It was here before. */
  readonly away: StoredInstance | undefined;
  readonly rows: readonly MovedRow[];
}

function adopt(scope: Scope, draft: Draft, adopting: Adopting): Rejection | Error | undefined {
  const { item, away, rows } = adopting;
  const { moved, options } = item;
  const { instanceId, requestId } = moved;
  const mark = draft.mark();
  const live = away === undefined ? created(scope, draft, adopting) : returned(draft, adopting, away);
  const { record } = live;
  let result: Rejection | Error | undefined;
  try {
    draft.copy(live, rows, { isBack: away !== undefined });
    result = draft.run(live, { type: "fork-instance", instanceId, ...options });
  } catch (error) {
    scope.warn("what came from another engine broke an invariant", { instanceId, error: String(error) });
    result = error instanceof Error ? error : new Error(String(error));
  }
  if (result !== undefined) {
    draft.undo(mark);
    return result;
  }
  const { startedBy: channel, process, number } = record;
  if (channel !== null) hold(draft, { channel, process, instance: number });
  if (record.requestId !== null && record.requestId === requestId) scope.requests.set(requestId, instanceId);
  scope.instances.add(live);
  return undefined;
}

function created(scope: Scope, draft: Draft, { item, program }: Adopting): Live {
  const { moved, number } = item;
  const { id: process, version } = program.document;
  const names = adoptedRecord(moved, { number, process, version });
  // Each engine has its own requests: one that has begun something else here stays that one's.
  const isUsed = names.requestId !== null && scope.requests.has(names.requestId);
  const live = draft.create(program, isUsed ? { ...names, requestId: null } : names);
  draft.changes.push({ type: "instance-put", record: live.record });
  return live;
}

function returned(draft: Draft, { item, program }: Adopting, away: StoredInstance): Live {
  const live = revive(away, program);
  const { id: process, version } = program.document;
  const { hash, deployment, copied } = adoptedRecord(item.moved, { number: away.record.number, process, version });
  const record: InstanceRecord = { ...live.record, process, version, hash, deployment, copied };
  draft.changes.push({ type: "instance-move", record }, { type: "instance-update", record });
  return { ...live, record };
}
