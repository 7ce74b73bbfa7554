import type { Command, CreateInstance, Key, Rejection } from "../command.ts";
import { decide, step } from "../decide.ts";
import type { Effect } from "../effect.ts";
import { effectsOf, pendingEffects } from "../effects.ts";
import type { Event } from "../event.ts";
import { evolve } from "../evolve.ts";
import type { JsonObject } from "../json.ts";
import type { Program } from "../load.ts";
import { assert, must } from "../problem.ts";
import { isEnded, newState, type State, type SubscriptionRecord } from "../state/state.ts";
import { instanceView } from "../view/instance-view.ts";
import type { InstanceView } from "../view/view.ts";
import { brokenInvariants } from "./invariants.ts";
import { Lockstep, textOf } from "./lockstep.ts";

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** `at` and `actor` may be left out: the next second, and `tester`. */
export type Said = DistributiveOmit<Command, "at" | "actor"> & { readonly at?: number; readonly actor?: string };

/** What decides and what applies: the kernel's own, or one with a bug that was put into it. */
export interface Kernel {
  readonly decide: typeof decide;
  readonly evolve: typeof evolve;
  readonly step: typeof step;
}

export const kernel: Kernel = { decide, evolve, step };

type Open = "offer-job" | "arm-timer" | "open-subscription" | "open-task" | "start-child" | "cancel-child" | "continue";

/**
 * Runs one instance and checks, after every command, all that must hold of any: deciding changed nothing, a state restored
 * after a crash goes on alike, the log replays to the live state, the invariants, and that the pending effects are those
 * the effects so far left open.
 */
export class Driver {
  /** Another one after a migration. */
  program: Program;
  state: State = newState();
  readonly history: Event[] = [];
  readonly effects: Effect[] = [];
  /** What the last command led to. */
  lastEvents: readonly Event[] = [];
  lastEffects: readonly Effect[] = [];
  /** Epoch ms of the next command. */
  at: number = 0;
  readonly #open: Set<string> = new Set();
  readonly kernel: Kernel;
  readonly #others: Lockstep | undefined;

  constructor(program: Program, options: { readonly checked?: boolean; readonly kernel?: Kernel } = {}) {
    this.program = program;
    this.kernel = options.kernel ?? kernel;
    this.#others = (options.checked ?? true) ? new Lockstep(this.kernel) : undefined;
  }

  /** Goes on where these events of another one led to. */
  follow(events: readonly Event[]): this {
    for (const event of events) this.kernel.evolve(this.state, event);
    this.history.push(...events);
    this.#others?.follow(this.state, events);
    this.at = this.state.head.at;
    return this;
  }

  create(variables: JsonObject = {}, options: Partial<CreateInstance> = {}): this {
    return this.send({ type: "create-instance", instanceId: "i", rootId: "i", variables, ...options });
  }

  /** Sends a command that must be accepted. */
  send(said: Said): this {
    const refused = this.try(said);
    assert(refused === undefined, `'${said.type}' was refused: ${refused?.reason}`);
    return this;
  }

  /** Sends a command; gives why it was refused. */
  try(said: Said): Rejection | undefined {
    const at = said.at ?? this.at + 1_000;
    const command = { actor: "tester", ...said, at } as Command;
    const decision = this.kernel.decide(this.program, this.state, command);
    this.#others?.afterDecision(this, command, decision);
    if ("rejection" in decision) return decision.rejection;
    this.at = at;
    if (command.type === "migrate-instance") this.program = command.to;
    this.lastEvents = decision.events;
    this.#answer(command);
    const effects: Effect[] = [];
    for (const event of decision.events) {
      this.kernel.evolve(this.state, event);
      effects.push(...effectsOf(this.state, event));
    }
    this.history.push(...decision.events);
    this.effects.push(...effects);
    this.lastEffects = effects;
    for (const effect of effects) this.#note(effect);
    if (this.#others === undefined) return undefined;
    this.#others.afterStep(this.state, effects);
    this.#checkState();
    return undefined;
  }

  /** The whole log from its first event, and what must hold of the state that it led to. */
  check(): void {
    const live = textOf(this.state);
    const replay = textOf(this.history.reduce((state, event) => this.kernel.evolve(state, event), newState()));
    assert(replay === live, `the log replays to another state:\n${live}\n${replay}`);
    this.#checkState();
  }

  #checkState(): void {
    const broken = brokenInvariants(this.program, this.state);
    assert(broken.length === 0, broken.join("\n"));
    this.#checkPending();
    const { waiting } = instanceView(this.program, this.state);
    this.#checkExplained(waiting);
    assert((waiting.length === 0) === isEnded(this.state), "only what has ended waits for nothing");
  }

  /** What stands on the border or in the scope of an element may come and may not: of its own something must be said. */
  #checkExplained(waiting: InstanceView["waiting"]): void {
    const apart = new Set(["boundary-event", "start-event"]);
    const explained = new Set<Key | null>();
    for (const { key, element, on } of waiting) {
      const isOwn = element === this.state.elements.get(key ?? 0)?.element;
      const kind = this.program.elements.get(element ?? "")?.kind ?? "";
      if (isOwn || on === "incident" || !apart.has(kind)) explained.add(key);
    }
    for (const { key, element } of this.state.elements.values()) {
      const isLeaf = this.state.children.count(key) === 0;
      // A collection of which nothing runs is explained by its items.
      const items = this.state.collections.get(key) !== undefined && waiting.some((each) => each.element === element);
      assert(!isLeaf || items || explained.has(key), `nothing says what '${element}' (${key}) waits for`);
    }
  }

  #checkPending(): void {
    const pending = pendingEffects(this.state);
    const paused = this.state.head.status === "paused";
    const names = pending.map(nameOf).filter((name) => name !== undefined);
    // While paused neither children nor the rest of a step are asked for: resuming asks for all of it.
    const later = (name: string): boolean => name === "continue" || name.startsWith("start-child");
    const expected = [...this.#open].filter((name) => !(paused && later(name)));
    const open = isEnded(this.state) ? [] : expected;
    const [found, wanted] = [names.sort().join(), open.sort().join()];
    assert(found === wanted, `pending are ${found}, but open is ${wanted}`);
    assert(paused === pending.some((effect) => effect.type === "hold-jobs"), "jobs are held while it is paused");
    const answers = pending.filter((effect) => effect.type === "answer-parent").length;
    const owed = isEnded(this.state) && this.state.head.parent !== null ? 1 : 0;
    assert(answers === owed, `${answers} answers to the parent are pending`);
  }

  /** A command answers the effect that asked for it. */
  #answer(command: Command): void {
    switch (command.type) {
      case "complete-job":
      case "fail-job":
      case "throw-job-error":
        this.#open.delete(`offer-job ${command.key}`);
        break;
      case "fire-timer":
        this.#open.delete(`arm-timer ${command.key}`);
        break;
      case "end-child":
        this.#open.delete(`start-child ${command.childId}`);
        break;
      case "continue":
        this.#open.delete("continue");
        break;
      case "fork-instance":
        this.#open.clear();
        break;
      default:
        break;
    }
  }

  #note(effect: Effect): void {
    const name = nameOf(effect);
    if (name !== undefined) this.#open.add(name);
    else if (effect.type === "cancel-job") this.#open.delete(`offer-job ${effect.key}`);
    else if (effect.type === "cancel-timer") this.#open.delete(`arm-timer ${effect.key}`);
    else if (effect.type === "close-subscription") this.#open.delete(`open-subscription ${effect.key}`);
    else if (effect.type === "close-task") this.#open.delete(`open-task ${effect.key}`);
    else if (effect.type === "cancel-child") this.#open.delete(`start-child ${effect.childId}`);
  }

  view(): InstanceView {
    return instanceView(this.program, this.state);
  }

  /** The key of an element's only instance. */
  key(element: string): Key {
    const found = [...this.state.elements.values()].filter((instance) => instance.element === element);
    assert(found.length === 1, `'${element}' has ${found.length} instances`);
    return must(found[0], "one was found").key;
  }

  /** The key of the instance of an item. */
  itemInstance(item: string): Key {
    const found = [...this.state.items.values()].find(({ definition }) => definition.key === item);
    return must(found?.instanceKey, `'${item}' does not run`);
  }

  complete(element: string, result: JsonObject = {}): this {
    return this.send({ type: "complete-job", key: this.key(element), result });
  }

  completeItem(item: string, result: JsonObject = {}): this {
    return this.send({ type: "complete-job", key: this.itemInstance(item), result });
  }

  fail(element: string, options: { readonly retryable?: boolean; readonly code?: string } = {}): this {
    return this.#fail(this.key(element), options);
  }

  failItem(item: string, options: { readonly retryable?: boolean; readonly code?: string } = {}): this {
    return this.#fail(this.itemInstance(item), options);
  }

  #fail(key: Key, options: { readonly retryable?: boolean; readonly code?: string }): this {
    const { retryable = true, code = "broken" } = options;
    return this.send({ type: "fail-job", key, error: { code, message: "it broke" }, retryable });
  }

  throw(element: string, code: string): this {
    const error = { code, message: "it was thrown" };
    return this.send({ type: "throw-job-error", key: this.key(element), error });
  }

  /** Fires the only timer of an element when it is due; of a user task, the one for a rule. */
  fire(element: string, rule?: number): this {
    const found = [...this.state.timers.values()].filter((timer) => timer.element === element && timer.rule === rule);
    assert(found.length === 1, `'${element}' has ${found.length} timers`);
    const { key, due } = must(found[0], "one was found");
    return this.send({ type: "fire-timer", key, at: Math.max(due, this.at) });
  }

  /** Delivers a message or signal to the only subscription of an element. */
  deliver(element: string, payload: JsonObject = {}, messageId: string = `m${this.at}`): this {
    const { key, kind, name } = this.subscription(element);
    if (kind === "signal") return this.send({ type: "deliver-signal", key, name, payload });
    return this.send({ type: "deliver-message", key, name, payload, messageId });
  }

  subscription(element: string): SubscriptionRecord {
    const found = [...this.state.subscriptions.values()].filter(
      (each) => each.element === element && each.kind !== "met",
    );
    assert(found.length === 1, `'${element}' has ${found.length} subscriptions`);
    return must(found[0], "one was found");
  }

  /** Resolves the only incident. */
  resolve(action: "retry" | "accept" = "retry", items?: readonly string[]): this {
    const found = [...this.state.incidents.values()];
    assert(found.length === 1, `there are ${found.length} incidents`);
    const { key } = must(found[0], "one was found");
    return this.send({
      type: "resolve-incident",
      key,
      action,
      reason: "why not",
      ...(items === undefined ? {} : { items }),
    });
  }

  /** Sends `continue` as long as it is owed. */
  goOn(): this {
    while (this.state.head.continuing) this.send({ type: "continue" });
    return this;
  }

  /** Elements with instances, in order, each once. */
  get active(): string[] {
    return [...new Set([...this.state.elements.values()].map((instance) => instance.element))].sort();
  }

  /** Items by status. */
  items(status: string): string[] {
    return [...this.state.items.values()].filter((item) => item.status === status).map((item) => item.definition.key);
  }

  /** Types of the last command's events. */
  get events(): string[] {
    return this.lastEvents.map((event) => event.type);
  }

  get status(): string | null {
    return this.state.head.status;
  }

  variable(name: string): unknown {
    return this.view().variables[name];
  }
}

function nameOf(effect: Effect): string | undefined {
  const names: { readonly [E in Open]: (effect: Extract<Effect, { readonly type: E }>) => string | undefined } = {
    "offer-job": ({ key }) => `offer-job ${key}`,
    "arm-timer": ({ key }) => `arm-timer ${key}`,
    "open-subscription": ({ key }) => `open-subscription ${key}`,
    "open-task": ({ key }) => `open-task ${key}`,
    "start-child": ({ childId }) => `start-child ${childId}`,
    // One that undoes itself still answers.
    "cancel-child": ({ childId, undo }) => (undo ? `start-child ${childId}` : undefined),
    continue: () => "continue",
  };
  const name = names[effect.type as Open] as ((effect: Effect) => string | undefined) | undefined;
  return name?.(effect);
}
