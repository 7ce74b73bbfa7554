import { AppError, must, type Program, type Rejection, snapshotState } from "@tutti/kernel";
import type { Change, InstanceRecord, LogRow, Standing, StandingWanted } from "../embedded/store.ts";
import { awaitedBy, heldBy, prefixOf, readPrefix } from "../embedded/turn/fork.ts";
import { movedAway } from "../moving.ts";
import type { ForkRequest } from "../port.ts";
import type { Began, Forked, ForkOrder, ProcessInput, ProjectedRow, Projection } from "./contract.ts";
import { type BeginningOptions, rowsBegunWith, stateAfter } from "./rows-begun-with.ts";
import { cancelOf, noNumber, rowOf, subscriptionsOf } from "./workflow/changes.ts";

/** Made instance ids that are tried when others were first. */
const madeIdsMax = 100;

type Stands = Standing["instances"] extends ReadonlyMap<string, infer S> ? S : never;

/**
 * Forks, and rollbacks: a fork that takes the place of its original. The execution of a fork has it written into the log
 * as its first step, with the end of the original in the same turn, so whatever crashes there are both or neither. The
 * original's execution then takes its end from the log.
 */
export class Forks {
  readonly #options: BeginningOptions;

  constructor(options: BeginningOptions) {
    this.#options = options;
  }

  /** Gives the fork's id. Rejects with AppErrors `fork-refused` and `instance-not-found`. */
  async begin(request: ForkRequest): Promise<string> {
    const { log, definitions, courier, clock } = this.#options;
    const { requestId, instanceId: from, newId, actor } = request;
    for (let made = 1; ; made++) {
      const found = await log.find({ instanceIds: [from], numbers: [], requestIds: [requestId] });
      const earlier = found.requests.get(requestId);
      if (earlier !== undefined) return earlier;
      const { hash } = await readPrefix(log, request);
      const { record } = must(found.instances[0], "it has rows");
      if (record.status === "moved") throw movedAway(from);
      const { position } = await log.news();
      const instanceId = newId ?? `${from}-fork-${position + 1}`;
      const order = { ...request, newId: instanceId };
      const refusal = await this.#tryFork(order);
      if (refusal !== undefined) throw refused(refusal);
      const input: ProcessInput = {
        hash,
        deployment: record.deployment,
        requestId,
        askedAt: clock.now(),
        create: { type: "create-instance", instanceId, rootId: instanceId, variables: {}, actor },
        fork: order,
      };
      await definitions.look();
      const { id: process, version } = await this.#options.standings.document(hash);
      const began = (await courier.begin({ process, version }, input)) ?? (await this.#begunBefore(order));
      if (began.ok) return began.instanceId;
      const isTaken = began.rejection.code === "instance-exists" && newId === undefined;
      if (!isTaken || made === madeIdsMax) throw refused(began.rejection.reason);
    }
  }

  /** Why there would be no fork, before an execution begins for it. */
  async #tryFork(order: ForkOrder): Promise<string | undefined> {
    const { log } = this.#options;
    const { instances } = await log.find({
      instanceIds: [order.instanceId, order.newId],
      numbers: [],
      requestIds: [],
    });
    await this.#load(instances.flatMap(({ rows }) => rows));
    const standing = new Map(instances.map((each) => [each.record.instanceId, each]));
    const forked = this.#forked(order, standing);
    return "rejection" in forked ? forked.rejection.reason : undefined;
  }

  /** The id was given to an execution that has ended since: maybe to this very fork. */
  async #begunBefore({ newId, requestId }: ForkOrder): Promise<Began> {
    const { requests } = await this.#options.log.find({ instanceIds: [], numbers: [], requestIds: [requestId] });
    return requests.get(requestId) === newId
      ? { ok: true, instanceId: newId }
      : { ok: false, rejection: exists(newId) };
  }

  /** The first step of a fork's execution. It may be done again: it counts once. */
  async write(order: ForkOrder): Promise<Forked> {
    const { projector, standings, wake } = this.#options;
    const { requestId, newId, instanceId: from } = order;
    await this.#options.definitions.look();
    const { record, rows } = await standings.stored(from);
    const hashes = await this.#load(rows);
    const wanted: StandingWanted = {
      instances: [from, newId].map((instanceId) => ({ instanceId, sequence: 1 })),
      requestIds: [requestId],
      hashes: [record.hash, ...hashes],
    };
    let refusal: Exclude<Forked, { readonly ok: true }> | undefined;
    await projector.together(wanted, ({ requests, instances }) => {
      const earlier = requests.get(requestId);
      refusal = earlier === undefined || earlier === newId ? undefined : { ok: false, instanceId: earlier };
      if (earlier !== undefined) return [];
      const forked = this.#forked(order, instances);
      if ("projections" in forked) return forked.projections;
      refusal = { ok: false, ...forked };
      return [];
    });
    if (refusal !== undefined) return refusal;
    const fork = await this.#begun(newId);
    await wake({ instanceId: newId, rows: [], beside: { sequence: fork.sequence, changes: subscriptionsOf(fork) } });
    return { ok: true, state: snapshotState(fork.state), record: fork.record };
  }

  /** As the log has it right after it began, whatever has happened to it since. */
  async #begun(forkId: string) {
    const { record, rows } = await this.#options.standings.stored(forkId);
    const first = rows.filter(({ sequence }) => sequence <= record.copied + 1);
    const { state, hash } = stateAfter(first);
    const { status, startedAt, sequence } = state.head;
    const incidents = [...state.incidents.values()].length;
    const stood = { number: noNumber, hash, incidents, held: status === "paused", startedAt, endedAt: null };
    const program = await this.#options.standings.program(hash);
    const { id: process, version } = program.document;
    const deployment = record.hash === hash ? record.deployment : this.#deploymentOf(program);
    const begun = { ...record, ...stood, status: status ?? record.status, process, version, deployment };
    return { record: begun, state, program, sequence };
  }

  /** What the log gets, decided from what it has. */
  #forked(
    order: ForkOrder,
    instances: ReadonlyMap<string, Stands>,
  ): { readonly projections: readonly Projection[] } | { readonly rejection: Rejection } {
    const { instanceId: from, newId, cancelOriginal = false } = order;
    if (instances.has(newId)) return { rejection: exists(newId) };
    const original = must(instances.get(from), "it was there before");
    const awaited = cancelOriginal ? awaitedBy(original.record) : undefined;
    if (awaited !== undefined) return refusal(awaited);
    const prefix = prefixOf(original.rows, order);
    if ("refusal" in prefix) return refusal(prefix.refusal);
    const rows = this.#rowsOf(order, original.record, prefix);
    if ("rejection" in rows) return rows;
    const fork = { instanceId: newId, rows };
    if (!cancelOriginal || original.record.endedAt !== null) return { projections: [fork] };
    const { state, hash } = stateAfter(original.rows);
    const record = { ...original.record, number: noNumber };
    const ended = rowOf({ record, state, program: this.#loaded(hash) }, cancelOf(order), this.#now());
    // Its own end is first: what its channel keeps has to wait for the fork from then on.
    return "rejection" in ended ? ended : { projections: [{ instanceId: from, rows: [ended] }, fork] };
  }

  /** The rows of the original as they were, and the one that makes a fork of them. */
  #rowsOf(
    { requestId, newId, cancelOriginal = false, reason, actor }: ForkOrder,
    original: InstanceRecord,
    { rows, hash }: { readonly rows: readonly LogRow[]; readonly hash: string },
  ): readonly ProjectedRow[] | { readonly rejection: Rejection } {
    const { state } = stateAfter(rows);
    const program = this.#loaded(hash);
    const { id: process, version } = program.document;
    const { status, startedAt, endedAt } = state.head;
    const startedBy = cancelOriginal ? heldBy(original) : null;
    const record: InstanceRecord = {
      ...original,
      ...{ number: noNumber, instanceId: newId, rootId: newId, parentId: null, process, version, hash, requestId },
      ...{ startedBy, copied: rows.reduce((count, { events }) => count + events.length, 0) },
      deployment: original.hash === hash ? original.deployment : this.#deploymentOf(program),
      ...{ status: status ?? "running", held: false, incidents: 0, startedAt, endedAt },
    };
    const of = { record, state, program };
    const put = (as: InstanceRecord): readonly Change[] => [{ type: "instance-put", record: as }];
    return rowsBegunWith(of, { rows, put, by: { reason, actor }, now: this.#now() });
  }

  /** Every program that the rows were under is loaded from then on; gives their hashes. */
  async #load(rows: readonly LogRow[]): Promise<readonly string[]> {
    const hashes = new Set<string>();
    for (const { events } of rows) for (const event of events) if ("hash" in event) hashes.add(event.hash);
    for (const hash of hashes) await this.#options.standings.program(hash);
    return [...hashes];
  }

  #loaded(hash: string): Program {
    return must(this.#options.definitions.programs.loaded(hash), "it was loaded before the turn");
  }

  #deploymentOf({ document: { id, version } }: Program): string {
    return this.#options.definitions.programs.named(id, version).deployment;
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

function refused(reason: string): AppError {
  return new AppError("fork-refused", `${reason}.`);
}

function refusal(reason: string): { readonly rejection: Rejection } {
  return { rejection: { code: "instance-ended", reason } };
}

function exists(instanceId: string): Rejection {
  return { code: "instance-exists", reason: `Expected no instance '${instanceId}', but there is one` };
}
