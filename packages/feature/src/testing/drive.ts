import { createHost } from "@tutti/definition";
import {
  type Command,
  decide,
  type Effect,
  effectsOf,
  evolve,
  type InstanceOutcome,
  type InstanceView,
  instanceView,
  isEnded,
  type JobHandler,
  type JsonObject,
  loadProgram,
  must,
  newState,
  type Program,
  type ProgramDocument,
  type State,
} from "@tutti/kernel";
import type { RunContext } from "../model.ts";

/*
 * Runs the real programs with the real handlers, in memory and in real time: what an engine does, without its
 * durability. Good for one run of one process and all that it calls.
 */

interface Instance {
  readonly id: string;
  readonly rootId: string;
  readonly program: Program;
  readonly state: State;
}

export interface DriveOptions {
  readonly programs: readonly ProgramDocument[];
  readonly handlers: { readonly [jobType: string]: JobHandler };
  readonly process: string;
  readonly variables: JsonObject;
  /** Default 4. */
  readonly slots?: number;
  /** What a person does each time nothing goes on by itself; when they are used up the drive ends. */
  readonly person?: readonly Act[];
}

/** Answers the newest incident, or the task, that waits; `before` runs first. */
export interface Act {
  readonly action: "retry" | "accept" | "approve" | "reject";
  /** Accepts without writing the reason down first, as no face of ours does. */
  readonly silent?: boolean;
  readonly before?: (views: readonly InstanceView[]) => Promise<void>;
}

export interface Drive {
  /** Null: it waits for a person. */
  readonly outcome: InstanceOutcome | null;
  /** Of the process at the top. */
  readonly variables: JsonObject;
  /** Every instance that is open, the one at the top first. */
  readonly open: readonly InstanceView[];
  /** Incidents that nobody resolved, as `element: code message`. */
  readonly incidents: readonly string[];
  /** How called instances failed, as `process: code message`. */
  readonly errors: readonly string[];
  /** Variables that a process has although its definition does not say so, as `process: name`. */
  readonly undeclared: readonly string[];
  /** Types of the jobs that were done, in the order they ended, with the unit where there is one. */
  readonly jobs: readonly string[];
}

export function drive(options: DriveOptions): Promise<Drive> {
  return new Driver(options).run();
}

interface Waiting {
  readonly instance: Instance;
  readonly effect: Extract<Effect, { type: "offer-job" }>;
}

class Driver {
  readonly #options: DriveOptions;
  readonly #programs: ReadonlyMap<string, Program>;
  /** A run is named after the instance at its top. */
  readonly #root: string;
  readonly #instances = new Map<string, Instance>();
  readonly #queue: Waiting[] = [];
  readonly #running = new Map<string, AbortController>();
  readonly #incidents: string[] = [];
  readonly #errors: string[] = [];
  readonly #jobs: string[] = [];
  readonly #end: PromiseWithResolvers<Drive> = Promise.withResolvers();
  readonly #acts: Act[];
  #sleeping = 0;

  constructor(options: DriveOptions) {
    this.#options = options;
    this.#root = (options.variables["context"] as unknown as RunContext).run;
    this.#acts = [...(options.person ?? [])];
    const host = createHost();
    this.#programs = new Map(options.programs.map((document) => [document.id, loadProgram(document, host)]));
  }

  run(): Promise<Drive> {
    const { process, variables } = this.#options;
    this.#create({ id: this.#root, rootId: this.#root, process, variables });
    this.#pump();
    return this.#end.promise;
  }

  #create(request: { id: string; rootId: string; process: string; variables: JsonObject; parent?: Parent }): void {
    const { id: instanceId, rootId, process, variables, parent } = request;
    const program = must(this.#programs.get(process), `no program ${process}`);
    const instance: Instance = { id: instanceId, rootId, program, state: newState() };
    this.#instances.set(instanceId, instance);
    const create = { type: "create-instance", at: Date.now(), instanceId, rootId, variables, actor: "test" } as const;
    this.#send(instance, parent === undefined ? create : { ...create, parent });
  }

  #send(instance: Instance, command: Command): void {
    if (command.type !== "create-instance" && isEnded(instance.state)) return;
    const decision = decide(instance.program, instance.state, command);
    if ("rejection" in decision) {
      // A job that was cancelled meanwhile answers too late; everything else is our own mistake.
      if (command.type.endsWith("-job")) return;
      throw new Error(`${instance.id}: ${command.type} was refused: ${decision.rejection.reason}`);
    }
    for (const event of decision.events) {
      evolve(instance.state, event);
      if (event.type === "incident-created") {
        this.#incidents.push(`${instance.program.document.id}: ${event.error.code} ${event.error.message}`);
      }
      if (event.type === "instance-failed") {
        this.#errors.push(`${instance.program.document.id}: ${event.error.code} ${event.error.message}`);
      }
      for (const effect of effectsOf(instance.state, event)) this.#perform(instance, effect);
    }
  }

  #perform(instance: Instance, effect: Effect): void {
    switch (effect.type) {
      case "offer-job":
        this.#queue.push({ instance, effect });
        return;
      case "cancel-job":
        this.#running.get(`${instance.id}/${effect.key}`)?.abort("cancelled");
        return;
      case "start-child":
        this.#later(() => {
          const { childId: id, process, variables, key } = effect;
          this.#create({ id, rootId: instance.rootId, process, variables, parent: { instanceId: instance.id, key } });
        });
        return;
      case "cancel-child":
        this.#later(() => {
          const child = this.#instances.get(effect.childId);
          if (child === undefined || isEnded(child.state)) return;
          this.#send(child, { type: "cancel-instance", at: Date.now(), reason: effect.reason, actor: "test" });
        });
        return;
      case "answer-parent":
        this.#later(() => {
          const parent = must(this.#instances.get(effect.parent.instanceId), "an answer to nobody");
          const { key } = effect.parent;
          this.#send(parent, { type: "end-child", at: Date.now(), key, childId: instance.id, outcome: effect.outcome });
        });
        return;
      case "continue":
        this.#later(() => this.#send(instance, { type: "continue", at: Date.now() }));
        return;
      case "open-task":
      case "close-task":
        // A task is part of the state; nobody here keeps a list of them.
        return;
      default:
        throw new Error(`The driver does not perform ${effect.type}.`);
    }
  }

  /** Commands are never sent from within another one. */
  #later(run: () => void): void {
    this.#sleeping += 1;
    setImmediate(() => {
      this.#sleeping -= 1;
      this.#guard(run);
      this.#pump();
    });
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#end.reject(error);
    }
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#running.size < (this.#options.slots ?? 4)) {
      const next = this.#queue.shift();
      if (next !== undefined) this.#start(next);
    }
    if (this.#running.size > 0 || this.#sleeping > 0 || this.#queue.length > 0) return;
    const { program, state } = must(this.#instances.get(this.#root), "there is no root");
    const act = isEnded(state) ? undefined : this.#acts.shift();
    if (act !== undefined) {
      this.#sleeping += 1;
      this.#answer(act).catch((error: unknown) => this.#end.reject(error));
      return;
    }
    const { outcome, variables } = instanceView(program, state);
    const [incidents, errors, jobs] = [this.#incidents, this.#errors, this.#jobs];
    const [open, undeclared] = [this.#open(), this.#undeclared()];
    this.#end.resolve({ outcome, variables, open, incidents, errors, undeclared, jobs });
  }

  #undeclared(): string[] {
    const found = [...this.#instances.values()].flatMap(({ program, state }) => {
      const { id, variables: declared } = program.document;
      const names = Object.keys(instanceView(program, state).variables);
      return names.filter((name) => !declared.some((each) => each.name === name)).map((name) => `${id}: ${name}`);
    });
    return [...new Set(found)].sort();
  }

  #open(): InstanceView[] {
    const open = [...this.#instances.values()].filter(({ state }) => !isEnded(state));
    return open.map(({ program, state }) => instanceView(program, state));
  }

  /** As the command line does it: an acceptance is written down before the incident is answered. */
  async #answer({ action, before, silent = false }: Act): Promise<void> {
    await before?.(this.#open());
    this.#sleeping -= 1;
    this.#guard(() => {
      const [at, actor, reason] = [Date.now(), "person:test", "good enough"];
      const root = must(this.#instances.get(this.#root), "there is no root");
      const waiting = [...this.#instances.values()].toReversed().flatMap((instance) => {
        const { incidents } = instanceView(instance.program, instance.state);
        return incidents.map(({ key }) => ({ instance, key }));
      });
      if (action === "approve" || action === "reject") {
        const result = { approved: action === "approve", note: reason };
        const { elements } = instanceView(root.program, root.state);
        const task = must(
          elements.find(({ kind }) => kind === "user-task"),
          "there is no task",
        );
        this.#send(root, { type: "complete-task", at, key: task.key, result, actor });
        return;
      }
      const { instance, key } = must(waiting[0], "there is no incident");
      if (action === "accept" && !silent) {
        const values = { acceptances: [{ reason, by: actor, at }] };
        this.#send(root, { type: "set-variables", at, scope: 0, values, reason, actor });
      }
      this.#send(instance, { type: "resolve-incident", at, key, action, reason, actor });
    });
    this.#pump();
  }

  #start({ instance, effect }: Waiting): void {
    const id = `${instance.id}/${effect.key}`;
    const handler = must(this.#options.handlers[effect.jobType], `no handler for ${effect.jobType}`);
    const controller = new AbortController();
    this.#running.set(id, controller);
    const { queue, priority, attempt, attemptsMax, headers, element: elementId, jobType: type } = effect;
    const input = JSON.parse(JSON.stringify(effect.input)) as JsonObject;
    const { id: instanceId, rootId } = instance;
    const named = { id, instanceId, rootId, elementId, type };
    const job = { ...named, queue, priority, attempt, attemptsMax, input, headers, fencingToken: attempt };
    const context = { signal: controller.signal, heartbeat: () => undefined };
    handler(job, context)
      .then((outcome) => {
        this.#running.delete(id);
        const unit = input["unit"] as { readonly id?: string } | undefined;
        this.#jobs.push(unit?.id === undefined ? type : `${type} ${unit.id}`);
        this.#send(instance, answer(effect.key, outcome));
        this.#pump();
      })
      .catch((error: unknown) => this.#end.reject(error));
  }
}

type Parent = { readonly instanceId: string; readonly key: number };

function answer(key: number, outcome: Awaited<ReturnType<JobHandler>>): Command {
  const at = Date.now();
  if (outcome.type === "completed") return { type: "complete-job", at, key, result: outcome.result, actor: "test" };
  const { code, message, details } = outcome;
  const error = details === undefined ? { code, message } : { code, message, details };
  if (outcome.type === "error") return { type: "throw-job-error", at, key, error };
  return { type: "fail-job", at, key, error, retryable: outcome.retryable };
}
