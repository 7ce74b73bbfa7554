import type { Client } from "@temporalio/client";
import type { PayloadCodec } from "@temporalio/common";
import {
  AppError,
  type Command,
  decide,
  type Host,
  instanceView,
  isEnded,
  type JobHandler,
  must,
  type ProgramDocument,
  type QueueClass,
  queueClasses,
  type Rollout,
  type RolloutPlan,
  slotsMax,
  startTriggers,
} from "@tutti/kernel";
import { checkedCommand, checkedPayload, checkId } from "../caller.ts";
import { type Clock, realClock } from "../clock.ts";
import { defaultLimits, type EngineLimits } from "../embedded/limits.ts";
import { readHistory } from "../embedded/log/history.ts";
import { RecentRows } from "../embedded/log/recent.ts";
import { queryStore } from "../embedded/read/query.ts";
import type { SharedLog } from "../embedded/shared-log.ts";
import { renewedSchedules } from "../embedded/time/schedules.ts";
import { targetOf } from "../embedded/turn/migrate.ts";
import type { EngineLog } from "../embedded/turn/pump.ts";
import { deploymentOf, type Programs, programNotFound, type Starter } from "../embedded/version/programs.ts";
import { checkPlan, planned, shownRollout } from "../embedded/version/rollouts.ts";
import { refuseMisfit } from "../form.ts";
import type {
  AdoptOptions,
  CommandOptions,
  Deployment,
  Engine,
  ForkRequest,
  InstanceCommand,
  MessageRequest,
  MigrateRequest,
  Migration,
  MovedInstance,
  Outcome,
  SignalRequest,
  StartRequest,
  Stop,
  WorkOptions,
} from "../port.ts";
import type { Refused } from "./ask-execution.ts";
import type { TemporalConnection } from "./connection.ts";
import {
  type Began,
  type CommandAnswer,
  type LocalActivities,
  type MigrateAnswer,
  type MigrateOrder,
  names,
  type ProcessInput,
} from "./contract.ts";
import { Courier } from "./courier.ts";
import { Definitions } from "./definitions.ts";
import { refusedAtDoor } from "./door.ts";
import { Forks } from "./forks.ts";
import { holdWaiting, setHeld } from "./held.ts";
import { inlinePayload } from "./inline-payload.ts";
import { checkInstanceId, madeId } from "./instance-id.ts";
import type { PostActivities } from "./message/contract.ts";
import { brokerActivities, Desk, type DeskOptions } from "./message/desk.ts";
import { Publisher } from "./message/publisher.ts";
import { Moves } from "./moves.ts";
import { areSecret, takeLarge } from "./payload-codecs.ts";
import { Projector } from "./projector.ts";
import { registerAttributes } from "./register-attributes.ts";
import type { Release } from "./release.ts";
import type { BeginningOptions } from "./rows-begun-with.ts";
import { Schedules } from "./schedules.ts";
import { Standings } from "./standings.ts";
import { Workers } from "./workers.ts";

export interface TemporalEngineOptions {
  /** `host:port` of the server. */
  readonly address: string;
  /** Default: `default`. */
  readonly namespace?: string;
  /** Where workflows are worked on; jobs on `<it>-<class>`. Default: `tutti`. */
  readonly taskQueue?: string;
  /** The log and the programs. Closed by the engine. */
  readonly store: SharedLog;
  readonly host: Host;
  /** Of `bundleProcessWorkflow`. */
  readonly workflowBundle: { readonly code: string };
  /**
   * A workflow task that a dead worker held is given to another one after this time, and so is one that a busy machine
   * could not do in it. Default 2 000.
   */
  readonly workflowTaskTimeoutMs?: number;
  /** What becomes of payloads on their way to Temporal, in this order: the same in every process that works for it. */
  readonly payloadCodecs?: readonly PayloadCodec[];
  /** Of the workflows of this process. Absent: it works on what has begun without one, or under the one that is current. */
  readonly release?: Release;
  /** Classes whose jobs this process takes. Default: all. */
  readonly queues?: readonly QueueClass[];
  /** Where this process is: it also takes the jobs that only those at one of these places can do. Default: nowhere. */
  readonly places?: readonly string[];
  readonly clock?: Clock;
  readonly log?: EngineLog;
  readonly limits?: Partial<EngineLimits>;
}

const workflowTaskTimeoutMs = 2_000;
/** A program of so many elements goes along with each start. */
const elementsMax = 50;
/** Made instance ids that are tried when callers have chosen the same ones. */
const madeIdsMax = 100;

/** Checks what comes from callers, asks executions by updates, and reads from the log. */
export class TemporalEngine implements Engine {
  readonly #options: Required<Pick<TemporalEngineOptions, "taskQueue" | "clock">> & TemporalEngineOptions;
  readonly #connection: TemporalConnection;
  readonly #limits: EngineLimits;
  readonly #definitions: Definitions;
  readonly #recent: RecentRows;
  readonly #projector: Projector;
  readonly #courier: Courier;
  readonly #desk: Desk;
  readonly #publisher: Publisher;
  readonly #workers: Workers;
  readonly #schedules: Schedules;
  readonly #standings: Standings;
  readonly #forks: Forks;
  readonly #moves: Moves;
  #closing: Promise<void> | undefined;

  constructor(options: TemporalEngineOptions, connection: TemporalConnection) {
    const { taskQueue = "tutti", clock = realClock, store, host } = options;
    this.#options = { ...options, taskQueue, clock };
    this.#connection = connection;
    const isLimited = !takeLarge(options.payloadCodecs ?? []);
    const { payloadCharsMax } = isLimited ? inlinePayload : defaultLimits;
    this.#limits = { ...defaultLimits, payloadCharsMax, ...options.limits };
    this.#definitions = new Definitions(store, host, {
      resize: (queue, slots) => this.#workers.resize(queue, slots),
      schedule: (all) => this.#schedules.reset(all),
    });
    this.#recent = new RecentRows(this.#limits.recentRowsMax);
    this.#projector = new Projector(store, this.#recent);
    const { client } = connection;
    const timeoutMs = options.workflowTaskTimeoutMs ?? workflowTaskTimeoutMs;
    const isSecret = areSecret(options.payloadCodecs ?? []);
    const courier = new Courier({ client, taskQueue, workflowTaskTimeoutMs: timeoutMs, isSecret, isLimited });
    const write: DeskOptions["write"] = (changes) => this.#projector.change(changes);
    this.#courier = courier;
    this.#desk = new Desk({ log: store, write, definitions: this.#definitions, courier, clock });
    this.#publisher = new Publisher({ courier, limits: this.#limits, clock, counts: () => store.messageCounts() });
    const { programs } = this.#definitions;
    this.#standings = new Standings(store, programs);
    const beginning: BeginningOptions = {
      ...{ log: store, projector: this.#projector, definitions: this.#definitions, standings: this.#standings },
      ...{ courier, clock, wake: (projection) => this.#desk.wake(projection) },
    };
    this.#forks = new Forks(beginning);
    this.#moves = new Moves({ ...beginning, client });
    this.#schedules = new Schedules({
      ...{ clock, host, programs, projector: this.#projector, log: options.log },
      start: (request, place) => this.#start(request, place),
      look: () => this.#definitions.look(),
    });
    this.#workers = new Workers(
      { ...this.#options, connection, limits: this.#limits },
      { instances: this.#activities(), brokers: brokerActivities(this.#desk) },
    );
  }

  #activities(): LocalActivities & PostActivities {
    return {
      program: (programHash) => this.#standings.document(programHash),
      project: async (projection) => {
        const projected = await this.#projector.project(projection);
        if (!projected.ok) return projected;
        await this.#desk.wake(projection);
        return { ...projected, shortTypes: this.#workers.crew.shortTypes() };
      },
      fork: (order) => this.#forks.write(order),
      adopted: (instanceId) => this.#moves.adopted(instanceId),
      recall: ({ instanceId, after }) => this.#standings.recall(instanceId, after),
      setHeld: (wanted) => setHeld(this.#client, wanted),
      holdWaiting: (wanted) => holdWaiting(this.#client, wanted),
      refusedAtDoor: ({ instanceId, command }) => refusedAtDoor(() => this.#checked(instanceId, command)),
      resolveCall: async (wanted) => {
        await this.#definitions.look();
        const called = this.#programs.called(wanted);
        return called === undefined ? null : { ...called, version: this.#programs.versionOf(called) };
      },
      post: (broker, task) => this.#courier.post(broker, task),
    };
  }

  /** Resolves when commands are taken. */
  async open(): Promise<void> {
    const { store, log } = this.#options;
    await this.#definitions.look();
    this.#recent.reset((await store.news()).position);
    store.watch((news) => {
      this.#recent.reached(news.position);
      this.#definitions.told(news).catch((error: unknown) => {
        log?.warn("what is deployed could not be read", { error: String(error) });
      });
    });
    this.#courier.hasAttributes = await registerAttributes(this.#client, log);
    await this.#workers.open();
    await this.#desk.recover();
    this.#schedules.fireDue();
  }

  async deploy(documents: readonly ProgramDocument[]): Promise<Deployment> {
    this.#refuseClosed();
    const loaded = documents.map((document) => this.#programs.load(document));
    const deployed = loaded.map((program) => {
      const { id: process, hash: programHash } = program.document;
      return { process, hash: programHash, starts: startTriggers(program) };
    });
    const starts = Object.fromEntries(deployed.map((each) => [each.hash, each.starts]));
    const deployment = deploymentOf(documents);
    const { clock, host } = this.#options;
    const at = { host, now: clock.now() };
    await this.#projector.define(({ counters, schedules }) => [
      { type: "deployment-put", deployment, number: counters.deployment + 1, documents, starts },
      ...renewedSchedules(schedules, deployed, at),
    ]);
    await this.#definitions.look();
    await this.#desk.beginAnew(documents.map(({ id }) => id));
    return deployment;
  }

  async start(request: StartRequest): Promise<string> {
    this.#refuseClosed();
    checkId("request id", request.requestId);
    return this.#start(request);
  }

  /** `place` is where something else than a caller begins it. */
  async #start(request: StartRequest, place?: Starter["place"]): Promise<string> {
    const { requestId } = request;
    const { store } = this.#options;
    const [{ requests }] = await Promise.all([
      store.find({ instanceIds: [], numbers: [], requestIds: [requestId] }),
      this.#definitions.look(),
    ]);
    const checked = this.#checkedStart(request);
    const earlier = requests.get(requestId);
    if (earlier !== undefined) return earlier;
    for (let made = 0; ; made++) {
      const instanceId = checked.instanceId ?? madeId(checked, made);
      const began = await this.#begin(checked, instanceId, place);
      if (began.ok) return began.instanceId;
      const { code, reason } = began.rejection;
      // Somebody chose this very id for an instance of their own: the next one will do.
      if (code === "instance-exists" && checked.instanceId === undefined && made < madeIdsMax) continue;
      throw new AppError("start-refused", `${reason}.`, { details: { rejection: code } });
    }
  }

  #checkedStart(request: StartRequest): StartRequest {
    const { process, version } = request;
    if (request.instanceId !== undefined) checkInstanceId(request.instanceId);
    if (request.routingKey !== undefined) checkId("routing key", request.routingKey);
    const named = version === undefined ? this.#programs.latest(process) : this.#programs.version(process, version);
    if (named === undefined) throw programNotFound(process, version);
    return { ...request, variables: checkedPayload("variables", request.variables, this.#limits.payloadCharsMax) };
  }

  async #begin(request: StartRequest, instanceId: string, place?: Starter["place"]): Promise<Began> {
    const input = this.#inputOf(request, instanceId, place);
    const named = { process: request.process, version: this.#programs.versionOf(input) };
    const began = await this.#courier.begin(named, input);
    return began ?? this.#begunBefore(request.requestId, instanceId);
  }

  /** The id was given to an instance that has ended since: maybe to this very request. */
  async #begunBefore(requestId: string, instanceId: string): Promise<Began> {
    const { instances } = await this.#options.store.find({ instanceIds: [instanceId], numbers: [], requestIds: [] });
    if (instances[0]?.record.requestId === requestId) return { ok: true, instanceId };
    const reason = `Expected no instance '${instanceId}', but there is one`;
    return { ok: false, rejection: { code: "instance-exists", reason } };
  }

  #inputOf(request: StartRequest, instanceId: string, place?: Starter["place"]): ProcessInput {
    const { requestId, process, version, businessKey, routingKey, variables, queue, priority, actor, start } = request;
    const routing = { routingKey: routingKey ?? businessKey ?? instanceId, variables };
    const named =
      version === undefined ? this.#programs.chosen(process, routing) : this.#programs.version(process, version);
    if (named === undefined) throw programNotFound(process, version);
    const document = this.#programs.loaded(named.hash)?.document;
    return {
      ...named,
      ...(document === undefined || document.elements.length > elementsMax ? {} : { document }),
      shortTypes: this.#workers.crew.shortTypes(),
      requestId,
      askedAt: this.#options.clock.now(),
      create: {
        type: "create-instance",
        instanceId,
        rootId: instanceId,
        variables,
        actor,
        ...(businessKey === undefined ? {} : { businessKey }),
        ...(queue === undefined ? {} : { queue }),
        ...(priority === undefined ? {} : { priority }),
        ...(start === undefined ? {} : { start: { ...(place ?? { element: start }), payload: {} } }),
      },
    };
  }

  async command(instanceId: string, command: InstanceCommand, { requestId }: CommandOptions = {}): Promise<Outcome> {
    this.#refuseClosed();
    if (requestId !== undefined) checkId("request id", requestId);
    const checked = await this.#checked(instanceId, command);
    const update = { name: names.command, ...(requestId === undefined ? {} : { updateId: requestId }) };
    return this.#moves.ask<CommandAnswer>({ instanceId, update, asked: checked }, () =>
      this.#refusedByLog(instanceId, checked),
    );
  }

  async #checked(instanceId: string, command: InstanceCommand): Promise<InstanceCommand> {
    const checked = checkedCommand(command, this.#limits.payloadCharsMax);
    await refuseMisfit(this, instanceId, checked);
    return checked;
  }

  /** No execution answers: most likely the instance has ended, or never was. Undefined when the log has it open. */
  async #refusedByLog(instanceId: string, command: InstanceCommand): Promise<Refused | undefined> {
    const { program, state } = await this.#standings.of(instanceId);
    const at = Math.max(this.#options.clock.now(), state.head.at);
    const decision = decide(program, state, { ...command, at } as Command);
    return "rejection" in decision && isEnded(state) ? { ok: false, rejection: decision.rejection } : undefined;
  }

  async instance(instanceId: string): ReturnType<Engine["instance"]> {
    this.#refuseClosed();
    const { program, state } = await this.#standings.of(instanceId);
    return instanceView(program, state);
  }

  async query<V extends Parameters<Engine["query"]>[0]>(
    view: V,
    filter?: Parameters<Engine["query"]>[1],
    page?: { readonly after?: string; readonly limit?: number },
  ): Promise<never> {
    this.#refuseClosed();
    const { store, clock } = this.#options;
    const live = {
      standing: ({ instanceId, key }: { readonly instanceId: string; readonly key: number }) =>
        this.#workers.crew.standing(instanceId, key),
      now: () => clock.now(),
      queues: () => Promise.all(queueClasses.map((queue) => this.#workers.queueRow(queue))),
    };
    return (await queryStore(store, { view, filter, page }, live)) as never;
  }

  async *history(request: Parameters<Engine["history"]>[0] = {}): ReturnType<Engine["history"]> {
    const { store } = this.#options;
    // Whoever was answered reads what that is about, whichever process wrote it.
    if (!this.#recent.closed) this.#recent.reached((await store.news()).position);
    yield* readHistory(store, this.#recent, request);
  }

  work(jobType: string, handler: JobHandler, options: WorkOptions = {}): Stop {
    this.#refuseClosed();
    return this.#workers.work(jobType, handler, options);
  }

  async adjustQueue(queue: QueueClass, slots: number): Promise<void> {
    this.#refuseClosed();
    if (!Number.isInteger(slots) || slots < 0 || slots > slotsMax) {
      throw new AppError("limit-invalid", `Expected slots as a whole number from 0 to ${slotsMax}, but got ${slots}.`);
    }
    await this.#projector.define(() => [{ type: "slots-put", queue, slots }]);
    await this.#definitions.look();
  }

  async publish(request: MessageRequest): ReturnType<Engine["publish"]> {
    this.#refuseClosed();
    return this.#publisher.publish(request);
  }

  async broadcast(request: SignalRequest): Promise<void> {
    this.#refuseClosed();
    return this.#publisher.broadcast(request);
  }

  async rollout(process: string, plan: RolloutPlan | null): Promise<Rollout | null> {
    this.#refuseClosed();
    checkId("process", process);
    if (plan === null) {
      await this.#projector.define(() => [{ type: "rollout-delete", process }]);
      await this.#definitions.look();
      await this.#desk.beginAnew([process]);
      return null;
    }
    const checked = checkedPayload("plan", plan, this.#limits.payloadCharsMax) as unknown as RolloutPlan;
    await this.#definitions.look();
    checkPlan(this.#programs, process, checked);
    const since = this.#options.clock.now();
    const [change] = await this.#projector.define(({ counters, rollouts }) => {
      const before = rollouts.find((each) => each.process === process);
      const rollout = planned({ process, plan: checked, since, newest: counters.instance }, before);
      return [{ type: "rollout-put", rollout } as const];
    });
    await this.#definitions.look();
    await this.#desk.beginAnew([process]);
    return shownRollout(must(change, "one change was written").rollout);
  }

  async migrate(instanceId: string, request: MigrateRequest): Promise<Migration> {
    this.#refuseClosed();
    await this.#definitions.look();
    const named = targetOf(this.#programs, request);
    const { process, reason, actor, dryRun = false } = request;
    const mapping = checkedPayload("mapping", request.mapping ?? {}, this.#limits.payloadCharsMax);
    const order = { ...named, type: "migrate-instance", process, mapping, reason, actor } as MigrateOrder;
    return this.#moves.ask<MigrateAnswer>(
      { instanceId, update: { name: dryRun ? names.tryMigration : names.migrate }, asked: order },
      async () => {
        const { program, state } = await this.#standings.of(instanceId);
        const to = await this.#standings.program(named.hash);
        const command = { type: "migrate-instance", to, mapping, reason, actor, at: state.head.at } as Command;
        const decision = decide(program, state, command);
        return "rejection" in decision && isEnded(state) ? { ok: false, ...decision } : undefined;
      },
    );
  }

  async fork(request: ForkRequest): Promise<string> {
    checkId("request id", request.requestId);
    if (request.newId !== undefined) checkInstanceId(request.newId);
    this.#refuseClosed();
    return this.#forks.begin(request);
  }

  async release(instanceId: string): Promise<MovedInstance> {
    this.#refuseClosed();
    return this.#moves.release(instanceId);
  }

  async adopt(moved: MovedInstance, options: AdoptOptions): Promise<void> {
    this.#refuseClosed();
    checkInstanceId(moved.instanceId);
    return this.#moves.adopt(moved, options);
  }

  close({ graceMs = 5_000 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    await this.#schedules.close();
    await this.#workers.close(graceMs);
    this.#courier.close();
    await this.#projector.rest();
    this.#recent.close();
    await this.#connection.close();
    await this.#options.store.close();
  }

  get #programs(): Programs {
    return this.#definitions.programs;
  }

  get #client(): Client {
    return this.#connection.client;
  }

  #refuseClosed(): void {
    if (this.#closing === undefined) return;
    throw new AppError("engine-closed", "Expected an open engine, but it was closed.");
  }
}
