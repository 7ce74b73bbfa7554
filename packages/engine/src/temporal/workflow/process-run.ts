import { allHandlersFinished, condition } from "@temporalio/workflow";
import {
  type Command,
  type Decision,
  decide,
  type Event,
  effectsOf,
  evolve,
  type Host,
  type InstanceOutcome,
  type InstanceView,
  instanceView,
  isEnded,
  loadProgram,
  must,
  newState,
  type Program,
  pendingEffects,
  type Rejection,
  restoreState,
  type State,
  snapshotState,
  step,
} from "@tutti/kernel";
import type { Change, InstanceRecord } from "../../embedded/store.ts";
import { otherProcess } from "../../embedded/version/other-process.ts";
import type {
  Began,
  Carried,
  CommandAnswer,
  ForkOrder,
  LocalActivities,
  MigrateAnswer,
  MigrateOrder,
  ProcessInput,
  ReleaseAnswer,
  UntimedCommand,
} from "../contract.ts";
import { tooLargeInline } from "../inline-payload.ts";
import type { Parcel, ParcelAnswer, PostActivities } from "../message/contract.ts";
import { cancelOf, causeOf, noNumber, recordChanges, recordEnd, subscriptionsOf } from "./changes.ts";
import type { WorkflowClock } from "./clock.ts";
import { FailureBehind } from "./failure-of.ts";
import { HistoryRoom } from "./history-room.ts";
import { hasMoved, Leaving } from "./leaving.ts";
import type { OneAtATime } from "./one-at-a-time.ts";
import { keptMax, Parcels } from "./parcels.ts";
import { recordOf } from "./record-of.ts";
import { tellStanding } from "./tell-standing.ts";
import { type Decided, type Enacted, newTurn, type Turn, type Waiting } from "./turn.ts";
import { World } from "./world.ts";

/** What an execution gives back. `given`: the request had begun another instance before. */
export type Ending =
  | InstanceOutcome
  | { readonly type: "refused"; readonly rejection: Rejection }
  | { readonly type: "given"; readonly instanceId: string }
  /** Another engine goes on with it. */
  | { readonly type: "moved" }
  /** The history grows long: another execution goes on with it. */
  | { readonly type: "carried"; readonly carried: Carried };

export interface Surroundings {
  readonly host: Host;
  readonly clock: WorkflowClock;
  /** Each in turn with all else that is done by `oneAtATime`. */
  readonly local: LocalActivities & PostActivities;
  readonly oneAtATime: OneAtATime;
  /** From so many events of the history on no job begins, until those that run have ended and it can begin anew. */
  readonly historyEventsMax: number;
}

/**
 * One instance in one execution. Whatever happens to it comes into the inbox: from callers by updates, from other
 * instances by signals, from jobs, timers and calls by promises, in an order that the history gives. A turn takes all
 * that waits, decides it, has it written, and only then answers and performs: the same steps as the embedded engine's.
 */
export class ProcessRun {
  /** What the instance failed with. */
  readonly behind: FailureBehind;
  readonly #input: ProcessInput;
  readonly #around: Surroundings;
  readonly #state: State;
  readonly #world: World;
  readonly #record: InstanceRecord;
  /** By their hashes. */
  readonly #programs: Map<string, Program> = new Map();
  readonly #parcels: Parcels;
  readonly #leaving: Leaving = new Leaving();
  readonly #history: HistoryRoom;
  #hasMoved = false;
  #inbox: Waiting[] = [];
  #began: Began | undefined;

  constructor(input: ProcessInput, around: Surroundings) {
    this.behind = new FailureBehind(input.secret === true);
    this.#input = input;
    this.#around = around;
    const { carried, create } = input;
    this.#state = carried === undefined ? newState() : restoreState(carried.state);
    this.#record = carried === undefined ? recordOf(input) : { ...carried.record };
    const { clock, local, oneAtATime } = around;
    const tell: World["tell"] = (...told) => this.tell(...told);
    const deployment = (): string => this.#record.deployment;
    const offers = carried?.offers ?? 0;
    this.#world = new World({ state: this.#state, input, clock, local, oneAtATime, tell, deployment, offers });
    this.#history = new HistoryRoom(around.historyEventsMax);
    this.#world.jobs.short.know(input.shortTypes);
    this.#parcels = new Parcels(carried?.parcels);
    const first = input.fork === undefined && input.adopted === undefined ? [create] : [];
    for (const command of carried?.inbox ?? first) this.tell(command);
    if (carried !== undefined) this.#began = { ok: true, instanceId: create.instanceId };
  }

  /** `answer` is called once it is decided and written. */
  tell(command: UntimedCommand, answer?: Waiting["answer"]): void {
    this.#inbox.push(answer === undefined ? { command } : { command, answer });
  }

  async ask(command: UntimedCommand): Promise<CommandAnswer> {
    this.#history.count();
    const decided = await new Promise<Decided>((resolve) => this.tell(command, resolve));
    return decided.ok ? { ok: true, position: decided.position } : decided;
  }

  migrate(order: MigrateOrder): Promise<MigrateAnswer> {
    this.#history.count();
    return new Promise((resolve) => this.tell(order, resolve));
  }

  /** What a migration would do as the instance is now. */
  async tryMigration(order: MigrateOrder): Promise<MigrateAnswer> {
    this.#history.count();
    await condition(() => this.#began !== undefined);
    await this.#load(order.hash);
    const refused = this.#refusal(order);
    const command = { ...this.#kernels(order), at: this.#state.head.at } as Command;
    const decision = refused === undefined ? decide(this.#program, this.#state, command) : { rejection: refused };
    return "rejection" in decision ? { ok: false, ...decision } : { ok: true, position: null, ...decision };
  }

  /** For another engine to go on with. Answered once it is in the log. */
  release(): Promise<ReleaseAnswer> {
    this.#history.count();
    return this.#leaving.ask();
  }

  /** Something from a broker; answered once it is in the log whether it is taken. */
  deliver(parcel: Parcel): Promise<ParcelAnswer> {
    this.#history.count();
    return this.#parcels.once(parcel, (answer) => this.#inbox.push({ command: parcel.command, parcel, answer }));
  }

  /** The answer to a start under a request id, or by a message or signal without one. */
  async begun(requestId: string | null): Promise<Began> {
    this.#history.count();
    await condition(() => this.#began !== undefined);
    const began = must(this.#began, "the condition waited for it");
    if (!began.ok || requestId === this.#input.requestId) return began;
    return { ok: false, rejection: exists(this.#record.instanceId) };
  }

  /** Null until the instance exists. */
  view(): InstanceView | null {
    if (this.#state.head.status === null || !this.#programs.has(this.#record.hash)) return null;
    return instanceView(this.#program, this.#state);
  }

  /** Lives until the instance has ended, or could not begin, and nobody waits for an answer. */
  async live(): Promise<Ending> {
    const { fork, adopted, carried } = this.#input;
    if (fork !== undefined && carried === undefined) await this.#fork(fork);
    if (adopted !== undefined && carried === undefined) await this.#adopt();
    await this.#load(this.#record.hash);
    const { id: process, version } = this.#program.document;
    Object.assign(this.#record, { process, version });
    if (this.#began !== undefined && !this.#isVoid) {
      for (const effect of pendingEffects(this.#state)) this.#world.perform(effect);
    }
    for (;;) {
      // Temporal takes a stack trace of every promise that is made: none is for what is there already.
      const waits = (): boolean => this.#isIdle() && !this.#leaving.isAsked && !this.#isDone() && !this.#mayGoOnAnew();
      if (waits()) await condition(() => !waits());
      if (this.#mayGoOnAnew()) return { type: "carried", carried: this.#carried() };
      if (this.#inbox.length > 0) await this.#turn();
      else if (this.#world.jobs.hasBatch) await this.#world.jobs.workBatch();
      else if (this.#leaving.isAsked) await this.#leave();
      else break;
    }
    this.#world.close();
    const began = this.#began;
    if (this.#hasMoved) return { type: "moved" };
    if (began?.ok === false) return { type: "refused", rejection: began.rejection };
    return this.#state.head.outcome ?? { type: "given", instanceId: this.#record.instanceId };
  }

  /** It begins with what another instance did. */
  async #fork(order: ForkOrder): Promise<void> {
    const forked = await this.#around.local.fork(order);
    if (!forked.ok) {
      this.#began = "rejection" in forked ? forked : { ok: true, instanceId: forked.instanceId };
      return;
    }
    Object.assign(this.#state, restoreState(forked.state));
    Object.assign(this.#record, forked.record);
    this.#began = { ok: true, instanceId: order.newId };
    // The log has its end already. It is told, and takes it from there.
    if (order.cancelOriginal === true) this.#world.send(order.instanceId, cancelOf(order));
  }

  /** It came from another engine, and the log has it. */
  async #adopt(): Promise<void> {
    const adopted = await this.#around.local.adopted(this.#record.instanceId);
    if (adopted === null) return this.#gone();
    Object.assign(this.#state, restoreState(adopted.state));
    Object.assign(this.#record, adopted.record);
    this.#began = { ok: true, instanceId: this.#record.instanceId };
  }

  async #leave(): Promise<void> {
    const { clock, local } = this.#around;
    const own = { state: this.#state, record: this.#record, parcels: this.#parcels };
    const leaver = this.#isVoid ? undefined : { ...own, project: local.project, now: clock.now() };
    if (await this.#leaving.decide(leaver)) this.#gone();
  }

  #gone(): void {
    this.#hasMoved = true;
    this.#began = { ok: false, rejection: hasMoved };
  }

  #isIdle(): boolean {
    return this.#inbox.length === 0 && !this.#world.jobs.hasBatch;
  }

  #isDone(): boolean {
    return this.#isOver() && this.#world.isQuiet && allHandlersFinished();
  }

  #isOver(): boolean {
    return this.#isVoid || isEnded(this.#state);
  }

  /**
   * Temporal forgets what is under way when an execution goes on as a new one, so nothing may be: no job, no message, no
   * answer that somebody waits for. Timers, calls and jobs that wait are in the state, and asked for again.
   */
  #mayGoOnAnew(): boolean {
    if (!this.#history.isLong) return false;
    if (this.#isOver() || this.#began === undefined) return false;
    return this.#world.isQuiet && this.#world.jobs.isIdle && allHandlersFinished() && !this.#isHeavy;
  }

  /** The server would not take what the next execution is to begin with. */
  get #isHeavy(): boolean {
    return this.#input.limited === true && tooLargeInline(JSON.stringify(this.#carried())) !== undefined;
  }

  #carried(): Carried {
    return {
      state: snapshotState(this.#state),
      record: this.#record,
      inbox: this.#inbox.map(({ command }) => command),
      offers: this.#world.jobs.offers,
      parcels: this.#parcels.carried(),
    };
  }

  async #turn(): Promise<void> {
    const commands = this.#inbox.splice(0);
    for (const { command } of commands) if (command.type === "migrate-instance") await this.#load(command.hash);
    const after = this.#state.head.sequence;
    const before = { ...this.#record };
    const parcels = this.#parcels.mark();
    let turn = newTurn();
    for (const waiting of commands) this.#decide(waiting, turn);
    let positions = await this.#write(turn);
    while (positions === undefined) {
      Object.assign(this.#record, before);
      this.#parcels.reset(parcels);
      const { waitingJobs } = turn;
      turn = await this.#takeFromLog(commands, after);
      turn.waitingJobs.push(...waitingJobs);
      positions = await this.#write(turn);
    }
    for (const answer of turn.answers) answer(positions);
    if (this.#isVoid) return;
    // Whoever still works on what ended otherwise is told to stop.
    for (const key of turn.endedJobs) if (key !== turn.begun) this.#world.jobs.cancel(key);
    for (const { effect, row } of turn.effects) this.#world.perform(effect, positions[row]);
    this.#world.jobs.offerRenamed(turn.waitingJobs);
    tellStanding(this.#record);
    this.#openParcels();
    if (this.#history.isFull && !this.#isHeavy) this.#world.jobs.makeWay(this.#history);
  }

  /** What was kept while the instance was paused is taken now that it is not; what it cannot take goes back. */
  #openParcels(): void {
    if (this.#state.head.status === "paused") return;
    for (const parcel of this.#parcels.open()) {
      const answer = ({ ok }: Decided): void => {
        if (!ok && !this.#parcels.isKept(parcel)) this.#world.giveBack(parcel, this.#record.process);
      };
      this.#inbox.push({ command: parcel.command, parcel, answer });
    }
  }

  get #program(): Program {
    return must(this.#programs.get(this.#record.hash), "what an instance is under was loaded");
  }

  async #load(hash: string): Promise<void> {
    if (this.#programs.has(hash)) return;
    const { document } = this.#input;
    const named = document?.hash === hash ? document : await this.#around.local.program(hash);
    this.#programs.set(hash, loadProgram(named, this.#around.host));
  }

  /** Why the kernel is not asked at all. */
  #refusal(command: UntimedCommand): Rejection | undefined {
    if (this.#isVoid) return { code: "instance-not-found", reason: "Expected an instance, but there is none" };
    if (command.type !== "migrate-instance" || command.process === this.#record.process) return undefined;
    return otherProcess(this.#record.process, command.process);
  }

  /** As the kernel takes it. */
  #kernels(command: UntimedCommand): Omit<Command, "at"> {
    if (command.type !== "migrate-instance") return command;
    const { hash, type, mapping, reason, actor } = command;
    const to = must(this.#programs.get(hash), "it was loaded before the turn");
    return { type, to, mapping, reason, actor } as Omit<Command, "at">;
  }

  /**
   * The turn as the log has it: somebody has taken it before, and written it, but did not live to tell the history. By
   * now that may hold more, which comes in another order, at another time. Readers have seen what the log has, so that
   * is what happened; the commands that it does not have are decided after it.
   */
  async #takeFromLog(commands: readonly Waiting[], after: number): Promise<Turn> {
    const { instanceId } = this.#record;
    const { state, rows } = await this.#around.local.recall({ instanceId, after });
    // In its place: others hold on to it.
    Object.assign(this.#state, restoreState(state));
    const turn = newTurn();
    const left = [...commands];
    for (const told of rows) {
      const index = left.findIndex(({ command }) => causeOf(command) === told.cause);
      const [waiting] = index === -1 ? [] : left.splice(index, 1);
      for (const event of told.events) if (event.type === "instance-migrated") await this.#load(event.hash);
      this.#enact({ turn, waiting, told }, (applied) => {
        for (const event of told.events) {
          evolve(this.#state, event);
          applied(event);
        }
        return told;
      });
    }
    for (const waiting of left) this.#decide(waiting, turn);
    return turn;
  }

  /** Positions of the turn's rows in the log; undefined: it has others in their place. */
  async #write(turn: Turn): Promise<readonly number[] | undefined> {
    const { rows, changes, effects, waitingJobs } = turn;
    // Who is told of a pause may rely on it.
    for (const { effect } of effects) if (effect.type === "hold-jobs") await this.#world.holdJobs(effect);
    if (rows.some(({ movedFrom }) => movedFrom !== undefined)) waitingJobs.push(...(await this.#world.holdRenamed()));
    if (rows.length === 0 && changes.length === 0) return [];
    const { instanceId } = this.#record;
    const { sequence } = this.#state.head;
    const projection = { instanceId, rows, ...(changes.length === 0 ? {} : { beside: { sequence, changes } }) };
    const { jobs } = this.#world;
    // A short job begins with the rows that offer it: a step costs one local activity, not two.
    const begun = jobs.begin(effects, projection);
    const written = begun === undefined ? await this.#around.local.project(projection) : begun.ended(await begun.ends);
    if (written.ok) {
      jobs.short.know(written.shortTypes);
      this.#began ??= { ok: true, instanceId };
      turn.begun = begun?.key;
      if (begun !== undefined) turn.effects.length = 0;
      return written.positions;
    }
    if ("differs" in written) return undefined;
    // The log has this id or request already, from before all that Temporal remembers. Nothing of this is written.
    this.#began =
      written.instanceId === instanceId
        ? { ok: false, rejection: exists(instanceId) }
        : { ok: true, instanceId: written.instanceId };
    return [];
  }

  #decide(waiting: Waiting, turn: Turn): void {
    const { command, answer, parcel } = waiting;
    const state = this.#state;
    const program = this.#program;
    const refuse = (rejection: Rejection): void => {
      if (command.type === "create-instance") this.#refused(rejection);
      turn.answers.push(() => answer?.({ ok: false, rejection }));
    };
    const refused = this.#refusal(command);
    if (refused !== undefined) return refuse(refused);
    const at = Math.max(this.#around.clock.now(), state.head.at);
    const told = this.behind.before(command, state);
    const decision = this.#enact({ turn, waiting, told: { at, cause: causeOf(command) } }, (applied) =>
      step({ program, state }, { ...this.#kernels(command), at } as Command, applied),
    );
    told();
    if (!("rejection" in decision)) return;
    const { rejection } = decision;
    if (parcel === undefined || rejection.code !== "instance-paused") return refuse(rejection);
    const kept = this.#parcels.keep(parcel);
    if (kept === undefined) return refuse(noRoom);
    turn.changes.push(...kept);
    refuse(rejection);
  }

  /** `happen` applies the events of one command, and says each right after. Unless it is refused, the turn has its row. */
  #enact({ turn, waiting, told }: Enacted, happen: (applied: (event: Event) => void) => Decision): Decision {
    const state = this.#state;
    const record = this.#record;
    const { at, cause } = told;
    const before = { ...record };
    const sequence = state.head.sequence + 1;
    const changes: Change[] = [];
    const decision = happen((event) => {
      if (event.type === "instance-migrated") changes.push(...this.#move(event, waiting));
      const effects = effectsOf(state, event);
      recordChanges({ record, state, program: this.#program }, { event, effects }, changes);
      for (const effect of effects) turn.effects.push({ effect, row: turn.rows.length });
      if (endsAttempt(event)) turn.endedJobs.push(event.key);
    });
    if ("rejection" in decision) return decision;
    if (waiting?.parcel !== undefined) changes.push(...this.#parcels.take(waiting.parcel, state));
    const { events } = decision;
    if (sequence === 1) changes.unshift(...this.#beginning());
    recordEnd({ record, state }, sequence === 1 ? undefined : before, changes);
    const moved = record.hash === before.hash ? {} : { movedFrom: before.hash };
    if (events.length > 0) turn.rows.push({ sequence, at, cause, events, changes, ...moved });
    const row = turn.rows.length - 1;
    turn.answers.push((positions) => waiting?.answer?.({ ok: true, position: positions[row] ?? 0, events }));
    return decision;
  }

  /** It is of another program from now on. What it waits for is listed by new names. */
  #move(
    { process, version, hash }: Extract<Event, { readonly type: "instance-migrated" }>,
    waiting: Waiting | undefined,
  ): Change[] {
    const record = this.#record;
    const { deployment } = waiting?.command.type === "migrate-instance" ? waiting.command : record;
    Object.assign(record, { process, version, hash, deployment });
    return [
      { type: "instance-move", record: { ...record } },
      ...subscriptionsOf({ record, state: this.#state, program: this.#program }),
    ];
  }

  /** While it is open, the channel that started it starts no other of its process. */
  #beginning(): Change[] {
    const { received } = this.#input;
    const { startedBy, process } = this.#record;
    return [
      ...(received === undefined ? [] : [{ type: "message-received" as const, ...received }]),
      ...(startedBy === null ? [] : [{ type: "holder-put" as const, channel: startedBy, process, instance: noNumber }]),
    ];
  }

  /** An instance that cannot begin is told of by whoever asked for it: a caller, or the instance that called it. */
  #refused(rejection: Rejection): void {
    this.#began = { ok: false, rejection };
    const { parent } = this.#input.create;
    if (parent === undefined) return;
    const error = { code: rejection.code, message: rejection.reason };
    this.#world.perform({ type: "answer-parent", parent, outcome: { type: "failed", error } });
  }

  /** Nothing of this execution is an instance. */
  get #isVoid(): boolean {
    const began = this.#began;
    return began !== undefined && !(began.ok && began.instanceId === this.#record.instanceId);
  }
}

const attemptEnds: ReadonlySet<Event["type"]> = new Set(["job-completed", "job-failed", "job-error-thrown"]);

function endsAttempt(
  event: Event,
): event is Extract<Event, { readonly type: "job-completed" | "job-failed" | "job-error-thrown" }> {
  return attemptEnds.has(event.type);
}

const noRoom: Rejection = {
  code: "subscription-not-found",
  reason: `Expected at most ${keptMax} messages and signals for a paused instance, but there are more`,
};

function exists(instanceId: string): Rejection {
  return { code: "instance-exists", reason: `Expected no instance '${instanceId}', but there is one` };
}
