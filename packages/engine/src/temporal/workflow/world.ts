import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { getExternalWorkflowHandle, isCancellation, sleep, startChild, workflowInfo } from "@temporalio/workflow";
import { type Effect, type EffectType, type JsonObject, lookup, type State } from "@tutti/kernel";
import { attributesOf } from "../attributes.ts";
import { type LocalActivities, names, type ProcessInput, type UntimedCommand } from "../contract.ts";
import { tooLargeInline } from "../inline-payload.ts";
import type { BrokerName, BrokerTask, Parcel, PostActivities } from "../message/contract.ts";
import { Agenda } from "./agenda.ts";
import type { WorkflowClock } from "./clock.ts";
import { Jobs } from "./jobs.ts";
import type { OneAtATime } from "./one-at-a-time.ts";
import { TaskRoom } from "./task-room.ts";
import { hasAttributes } from "./tell-standing.ts";

type Of<K extends EffectType> = Extract<Effect, { readonly type: K }>;
type Performers = { readonly [K in EffectType]: (world: World, effect: Of<K>, position: number) => void };

const nothing = (): void => undefined;

/** Every effect, and what of Temporal does it. */
const performers: Performers = lookup({
  "offer-job": ({ jobs }, effect) => jobs.offer(effect),
  "cancel-job": ({ jobs }, { key }) => jobs.cancel(key),
  // Temporal holds back what waits for a worker before anybody is told: `holdJobs`.
  "hold-jobs": ({ jobs }, { stopRunning }) => {
    jobs.hold(stopRunning);
  },
  "release-jobs": (world) => world.releaseJobs(),
  "arm-timer": (world, { key, due }) => world.armTimer(key, due),
  // Its appointment finds out that the timer is gone.
  "cancel-timer": nothing,
  // The tables have tasks and subscriptions; the history is the outbox of what people are to be told.
  "open-task": nothing,
  "close-task": nothing,
  notify: nothing,
  "open-subscription": nothing,
  "close-subscription": nothing,
  "publish-message": (world, { name, correlationKey, messageId, ttlMs, payload }) =>
    world.postTo(
      { kind: "message", name, correlationKey },
      { type: "publish", said: { id: messageId, ttlMs, payload } },
    ),
  "broadcast-signal": (world, { name, payload }, position) => world.broadcast(name, payload, position),
  "start-child": (world, effect) => world.startChild(effect),
  "cancel-child": (world, { childId, reason, undo }) =>
    world.send(childId, { type: "cancel-instance", reason, actor: world.id, ...(undo === undefined ? {} : { undo }) }),
  "pause-child": (world, { childId, stopRunning, reason }) =>
    world.send(childId, { type: "pause-instance", stopRunning, reason, actor: world.id }),
  "resume-child": (world, { childId }) => world.send(childId, { type: "resume-instance", actor: world.id }),
  "answer-parent": (world, { parent, outcome, undoable }) => {
    const left = undoable === undefined ? {} : { undoable };
    world.send(parent.instanceId, { type: "end-child", key: parent.key, childId: world.id, outcome, ...left });
  },
  "escalate-parent": (world, { parent, number, code, payload }) =>
    world.send(parent.instanceId, { type: "escalate-call", key: parent.key, childId: world.id, number, code, payload }),
  continue: (world) => world.tell({ type: "continue" }),
});

/** Puts a command into the inbox; `answer` is called once it is decided and written. */
export type Tell = (command: UntimedCommand, answer?: () => void) => void;

interface WorldOptions {
  readonly state: State;
  readonly input: ProcessInput;
  readonly clock: WorkflowClock;
  readonly local: LocalActivities & PostActivities;
  readonly oneAtATime: OneAtATime;
  readonly tell: Tell;
  /** What calls with `deployment` binding are bound to. */
  readonly deployment: () => string;
  /** Of jobs, by executions before. */
  readonly offers: number;
}

/** What an instance asks of Temporal, and how what comes of it finds back to the inbox. */
export class World {
  readonly jobs: Jobs;
  readonly tell: Tell;
  readonly #options: WorldOptions;
  readonly #agenda: Agenda;
  /** What is on its way to another instance, by its id: one after the other, so that nothing overtakes a start. */
  readonly #mail: Map<string, Promise<void>> = new Map();

  readonly #room: TaskRoom = new TaskRoom();

  /** Signals of the newest row with one. */
  #broadcasts = { position: 0, count: 0 };

  constructor(options: WorldOptions) {
    this.#options = options;
    this.tell = options.tell;
    this.#agenda = new Agenda(options.clock);
    const { state, tell, input, clock, oneAtATime, offers } = options;
    const at = (due: number, run: () => void): void => this.#agenda.add(due, run);
    this.jobs = new Jobs({
      state,
      tell,
      create: input.create,
      askedAt: input.askedAt,
      clock,
      oneAtATime,
      room: this.#room,
      limited: input.limited,
      at,
      offers,
    });
  }

  get id(): string {
    return this.#options.input.create.instanceId;
  }

  /** Nothing is on its way to another instance. */
  get isQuiet(): boolean {
    return this.#mail.size === 0;
  }

  /** `position` is that of the row in the log that has it. */
  perform(effect: Effect, position = 0): void {
    // Indexing by a union loses which performer belongs to which effect; the type of `performers` has proven it.
    (performers[effect.type] as (world: World, effect: Effect, position: number) => void)(this, effect, position);
  }

  /** The instance has ended: nothing that it waited for matters any more. */
  close(): void {
    this.#agenda.clear();
    this.jobs.close();
  }

  armTimer(key: number, due: number): void {
    this.#agenda.add(due, () => {
      if (this.#options.state.timers.get(key)?.due === due) this.tell({ type: "fire-timer", key });
    });
  }

  /**
   * Temporal's own pause of activities: one that waits for a worker does not start, one that runs may finish. Short ones
   * have ended, as before every turn. Resolves once none can start any more.
   */
  async holdJobs({ stopRunning }: Of<"hold-jobs">): Promise<void> {
    const activityIds = this.jobs.hold(stopRunning);
    if (activityIds.length === 0) return;
    // What was offered just now reaches the server with the end of this workflow task: a timer waits for that.
    await sleep(1);
    await this.#options.local.setHeld({ instanceId: this.id, activityIds, held: true });
  }

  releaseJobs(): void {
    const activityIds = this.jobs.release();
    if (activityIds.length === 0) return;
    this.#post(this.id, () => this.#options.local.setHeld({ instanceId: this.id, activityIds, held: false }));
  }

  /**
   * Of the jobs that a migration names otherwise, those that nobody has begun are held back until `offerRenamed`; gives
   * their activities.
   */
  async holdRenamed(): Promise<readonly string[]> {
    const activityIds = this.jobs.renamed();
    if (activityIds.length === 0) return [];
    // As for a pause.
    await sleep(1);
    return this.#options.local.holdWaiting({ instanceId: this.id, activityIds, held: this.jobs.isHeld });
  }

  /** A command for another instance. One that has ended, or was never started, needs to be told nothing. */
  send(instanceId: string, command: UntimedCommand): void {
    this.#post(instanceId, async () => {
      try {
        await getExternalWorkflowHandle(instanceId).signal(names.tell, command);
      } catch (error) {
        if (isCancellation(error)) throw error;
      }
    });
  }

  postTo(broker: BrokerName, task: BrokerTask): void {
    this.#post(JSON.stringify(broker), () => this.#options.local.post(broker, task));
  }

  broadcast(name: string, payload: JsonObject, position: number): void {
    this.#broadcasts = this.#broadcasts.position === position ? this.#broadcasts : { position, count: 0 };
    const id = `${this.id}/${position}/${++this.#broadcasts.count}`;
    const signal = { id, payload, sender: { instanceId: this.id, position } };
    this.postTo({ kind: "signal", name }, { type: "broadcast", signal });
  }

  /** A signal is not kept for others. */
  giveBack({ command, message }: Parcel, process: string): void {
    if (message === undefined || command.type !== "deliver-message") return;
    const { name, correlationKey, number } = message;
    const { messageId, payload } = command;
    const task = { type: "give-back", number, messageId, payload, instanceId: this.id, process } as const;
    this.postTo({ kind: "message", name, correlationKey }, task);
  }

  startChild(effect: Of<"start-child">): void {
    this.#post(effect.childId, () => this.#startChild(effect));
  }

  async #startChild(effect: Of<"start-child">): Promise<void> {
    const { childId, key, process, binding, variables, queue, priority, undoes } = effect;
    const { input, local, clock, deployment } = this.#options;
    const { rootId, instanceId } = input.create;
    // All that one instance calls goes the way of the one at the top.
    const routing = { routingKey: rootId, variables };
    const undone = undoes === undefined ? {} : { undoneHash: undoes.hash };
    const resolved = await local.resolveCall({ process, binding, deployment: deployment(), routing, ...undone });
    if (resolved === null) {
      const message = `Expected a deployed process '${process}' to call, but there is none`;
      const outcome = { type: "failed", error: { code: "process-not-found", message } } as const;
      this.tell({ type: "end-child", key, childId, outcome });
      return;
    }
    const { version, ...named } = resolved;
    const child: ProcessInput = {
      ...named,
      ...(input.secret === undefined ? {} : { secret: input.secret }),
      ...(input.limited === undefined ? {} : { limited: input.limited }),
      requestId: null,
      askedAt: clock.now(),
      create: {
        type: "create-instance",
        instanceId: childId,
        rootId,
        parent: { instanceId, key },
        variables,
        actor: instanceId,
        ...(queue === undefined ? {} : { queue }),
        ...(priority === undefined ? {} : { priority }),
        ...(undoes === undefined ? {} : { undoes }),
      },
    };
    const json = JSON.stringify(child);
    const tooLarge = input.limited === true ? tooLargeInline(json) : undefined;
    if (tooLarge !== undefined) {
      const outcome = { type: "failed", error: { code: "input-too-large", message: tooLarge } } as const;
      this.tell({ type: "end-child", key, childId, outcome });
      return;
    }
    while (this.#room.isFull) await this.#room.next();
    this.#room.take(json.length);
    try {
      const { taskQueue, taskTimeoutMs } = workflowInfo();
      const never = { parentClosePolicy: "ABANDON", workflowIdReusePolicy: "REJECT_DUPLICATE" } as const;
      await startChild(process, {
        workflowId: childId,
        args: [child],
        taskQueue,
        workflowTaskTimeout: taskTimeoutMs,
        ...never,
        ...(version === undefined || !hasAttributes()
          ? {}
          : { typedSearchAttributes: attributesOf({ version, rootId }) }),
      });
    } catch (error) {
      // It was asked for again by a resume: once is enough.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  #post(target: string, deliver: () => Promise<void>): void {
    const delivered = (this.#mail.get(target) ?? Promise.resolve()).then(deliver);
    this.#mail.set(target, delivered);
    void delivered.then(() => {
      if (this.#mail.get(target) === delivered) this.#mail.delete(target);
    });
  }
}
