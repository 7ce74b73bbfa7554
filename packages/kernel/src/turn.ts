import type { ItemThrow } from "./activity/item-event.ts";
import type { FailureInfo, Key, Rejection, RejectionCode } from "./command.ts";
import type { Behaviors, ElementBehavior } from "./element/behavior.ts";
import type { Event, IncidentKind } from "./event.ts";
import { watchersOf } from "./evolve/subscription.ts";
import { evolve } from "./evolve.ts";
import type { JsonObject } from "./json.ts";
import type { Program } from "./load.ts";
import { must } from "./problem.ts";
import type { Element, ElementId } from "./program.ts";
import type { Asking, Doubt } from "./scope.ts";
import { SmallMap } from "./state/small-map.ts";
import type { IncidentRecord, State } from "./state/state.ts";

/** A token on its way to an element, within the command that is being decided. */
export interface Arrival {
  readonly element: ElementId;
  readonly scope: Key;
  /** A person put it there: the element does not wait for others. */
  readonly direct?: boolean;
}

/** A signal on its way to those who wait for it in the instance that broadcasts it. */
export type Signal = Pick<Extract<Event, { readonly type: "signal-broadcast" }>, "key" | "name" | "payload">;

/** First in, first out. What was taken keeps its place until all is: most decisions have one entry or none. */
class Fifo<T> {
  #items: T[] = [];
  #next: number = 0;
  #end: number = 0;

  push(item: T): void {
    this.#items[this.#end++] = item;
  }
  take(): T | undefined {
    if (this.isEmpty) return undefined;
    const item = this.#items[this.#next++];
    if (this.#next === this.#end) this.clear();
    return item;
  }
  get isEmpty(): boolean {
    return this.#next === this.#end;
  }
  some(test: (item: T) => boolean): boolean {
    for (let index = this.#next; index < this.#end; index += 1) if (test(this.#items[index] as T)) return true;
    return false;
  }
  count(test: (item: T) => boolean): number {
    let count = 0;
    for (let index = this.#next; index < this.#end; index += 1) if (test(this.#items[index] as T)) count += 1;
    return count;
  }
  keep(test: (item: T) => boolean): void {
    for (const item of this.takeAll()) if (test(item)) this.push(item);
  }
  takeAll(): T[] {
    const all = this.#items.slice(this.#next, this.#end);
    this.clear();
    return all;
  }
  clear(): void {
    if (this.#end > keptPlacesMax) this.#items = [];
    this.#next = 0;
    this.#end = 0;
  }
}

/** A list that has held more than this is let go. */
const keptPlacesMax = 1_024;

/** What is still to be looked at, each once. */
class Agenda {
  readonly #keys: Fifo<Key> = new Fifo();

  add(key: Key): void {
    if (!this.has(key)) this.#keys.push(key);
  }
  has(key: Key): boolean {
    return this.#keys.some((other) => other === key);
  }
  take(): Key | undefined {
    return this.#keys.take();
  }
  clear(): void {
    this.#keys.clear();
  }
}

/** So much is recorded of what expressions are not sure of. */
const doubtsPerCommandMax = 20;
const warningsPerDoubtMax = 5;
const doubtCharactersMax = 200;

function shortened(text: string): string {
  return text.length <= doubtCharactersMax ? text : `${text.slice(0, doubtCharactersMax - 1)}…`;
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, index) => text === others[index]);
}

function isSame(one: Doubt, other: Doubt): boolean {
  const sameText = one.expression === other.expression && one.subscription === other.subscription;
  return sameText && areSame(one.warnings, other.warnings);
}

export interface TurnContext {
  readonly program: Program;
  /** What events are applied to: an overlay, or the instance's own state. */
  readonly state: State;
  /** Told each event once it is applied. */
  readonly applied: ((event: Event) => void) | undefined;
}

/**
 * One decision in the making: the command's time, the state it moves on, and the events so far. Whatever is decided
 * is emitted at once, so that the next step sees it. The agendas say what `advance` still has to look at.
 *
 * `begin` makes it the next decision's: most take few steps, and making the lists anew cost as much as filling them.
 */
export class Turn implements Asking {
  /** A migration goes on with another one. */
  program!: Program;
  state!: State;
  at: number = 0;
  readonly behaviors: Behaviors;
  #applied: TurnContext["applied"];
  readonly #events: Fifo<Event> = new Fifo();
  readonly arrivals: Fifo<Arrival> = new Fifo();
  /** Scopes in which something ended: they may have ended too once no token moves any more. */
  readonly touched: Agenda = new Agenda();
  /** Collections with items to start, or none left. */
  readonly stirred: Agenda = new Agenda();
  /** Ad-hoc sub-processes in which an activity completed: their condition is asked before what follows it starts. */
  readonly asked: Agenda = new Agenda();
  /** Collections that an item's failure ends, with that failure. */
  readonly collapsed: SmallMap<Key, FailureInfo> = new SmallMap();
  /** What items that completed throw. */
  readonly thrown: Fifo<ItemThrow> = new Fifo();
  /** Signals that were broadcast: who waits for them here gets them before any token moves on. */
  readonly signals: Fifo<Signal> = new Fifo();
  /** Owners of compensations whose next handler may start. */
  readonly undoing: Agenda = new Agenda();
  /** Conditions to look at before any token moves on; made when there is the first. */
  conditions: Set<Key> | undefined;
  #isStopped: boolean = false;
  #activations: number = 0;
  /** What expressions were not sure of, until the next event is emitted. */
  readonly #doubts: Fifo<Doubt> = new Fifo();
  /** Those of this command, each once. */
  readonly #doubted: Doubt[] = [];
  /** How many `continue` commands the step has had, this one included. */
  rounds: number = 0;
  /** It went on in parts for as long as it may. */
  isEndless: boolean = false;
  /** Something ended what a person was told of, that it never comes to rest. */
  isFreed: boolean = false;

  constructor(behaviors: Behaviors) {
    this.behaviors = behaviors;
  }

  begin({ program, state, applied }: TurnContext, at: number): void {
    this.program = program;
    this.state = state;
    this.at = at;
    this.#applied = applied;
    this.#activations = 0;
    this.rounds = 0;
    this.isEndless = false;
    this.isFreed = false;
    this.#isStopped = state.incidentsOf.count(0) > 0 && isStopped(state);
    this.#doubted.length = 0;
  }

  /** Gives what was decided, and forgets it. */
  end(): readonly Event[] {
    this.#doubts.clear();
    this.arrivals.clear();
    this.thrown.clear();
    this.signals.clear();
    this.touched.clear();
    this.stirred.clear();
    this.asked.clear();
    this.undoing.clear();
    this.collapsed.clear();
    this.conditions = undefined;
    this.#applied = undefined;
    return this.#events.takeAll();
  }

  /** Whoever looks through a table or an index meanwhile takes a copy first: this changes them. */
  emit(event: Event): void {
    this.recordDoubts();
    if (this.#isStopped) this.isFreed ||= endsWhatIsHeld(this.state, event);
    this.#apply(event);
    if (this.program.watches && event.type === "variables-set") this.#noticeChange(event.scope, event.values);
  }

  #apply(event: Event): void {
    this.#events.push(event);
    evolve(this.state, event);
    this.#applied?.(event);
  }

  /** Before what follows from them. */
  recordDoubts(): void {
    for (let doubt = this.#doubts.take(); doubt !== undefined; doubt = this.#doubts.take()) {
      this.#apply({ type: "expression-doubted", ...doubt, at: this.at });
    }
  }

  noteDoubt({ scope, expression, warnings, subscription }: Doubt): void {
    const said = warnings.slice(0, warningsPerDoubtMax).map(shortened);
    const of = subscription === undefined ? {} : { subscription };
    if (subscription !== undefined && this.#isKnown(subscription, said)) return;
    const doubt: Doubt = { scope, expression: shortened(expression), warnings: said, ...of };
    // A gateway that cannot go on asks again as it becomes an incident, in a scope of its own.
    if (this.#doubted.length === doubtsPerCommandMax || this.#doubted.some((other) => isSame(other, doubt))) return;
    this.#doubted.push(doubt);
    this.#doubts.push(doubt);
  }

  /** A condition is looked at again and again: what it is not sure of is said when it is something else. */
  #isKnown(subscription: Key, warnings: readonly string[]): boolean {
    const before = this.state.subscriptions.get(subscription)?.doubt;
    return before !== undefined && areSame(before, warnings);
  }

  #noticeChange(scope: Key, values: JsonObject): void {
    for (const name in values) {
      for (const key of watchersOf(this.state, scope, name)) this.lookAt(key);
    }
  }

  lookAt(condition: Key): void {
    this.conditions ??= new Set();
    this.conditions.add(condition);
  }

  /** The next free key. It is taken only by an event that names it. */
  nextKey(): Key {
    return this.state.head.nextKey;
  }

  element(id: ElementId): Element {
    return must(this.program.elements.get(id), "the program has no element", id);
  }

  behavior(element: Element): ElementBehavior {
    return this.behaviors[element.kind] as unknown as ElementBehavior;
  }

  countActivation(): void {
    this.#activations += 1;
  }

  /** Whether the rest must wait for a command of its own; then one is asked for, or a person when there were too many. */
  isFull(): boolean {
    const { limits } = this.program;
    if (this.#activations < limits.activationsPerCommandMax) return false;
    if (this.rounds >= limits.continuationsMax) this.isEndless = true;
    else this.goOn();
    return true;
  }

  /** Asks for a `continue` command, unless one is owed or a person has to say that it may go on. */
  goOn(): void {
    if (this.state.head.continuing || isStopped(this.state)) return;
    this.emit({ type: "continuation-requested", ...(this.rounds === 0 ? {} : { round: this.rounds }) });
  }

  raise(incident: { owner: Key; element: ElementId | null; kind: IncidentKind; error: FailureInfo }): void {
    this.emit({ type: "incident-created", key: this.nextKey(), ...incident, at: this.at });
  }

  /** For what is looked at again and again: what is wrong with it is said once. */
  raiseOnce(incident: { owner: Key; element: ElementId | null; kind: IncidentKind; error: FailureInfo }): void {
    for (const key of this.state.incidentsOf.of(incident.owner)) {
      const open = this.state.incidents.get(key);
      if (open?.kind === incident.kind && open.element === incident.element) return;
    }
    this.raise(incident);
  }

  /** Nobody has to answer the incidents of `owner` any more: all of them, or those that `concerned` picks. */
  dropIncidents(owner: Key, reason: string, concerned: (incident: IncidentRecord) => boolean = () => true): void {
    const { incidents, incidentsOf } = this.state;
    if (incidentsOf.count(owner) === 0) return;
    for (const key of [...incidentsOf.of(owner)]) {
      if (!concerned(must(incidents.get(key), "there is no incident", key))) continue;
      this.emit({ type: "incident-resolved", key, action: "gone", reason, actor: "kernel", at: this.at });
    }
  }
}

/** Whether what the limit holds back waits for a person, who is told that it went round for ever. */
export function isStopped(state: State): boolean {
  return hasIncident(state, 0, "endless");
}

export function hasIncident(state: State, owner: Key, kind: IncidentKind): boolean {
  for (const key of state.incidentsOf.of(owner)) if (state.incidents.get(key)?.kind === kind) return true;
  return false;
}

/** Whether an event ends something that the activation limit may hold back. */
function endsWhatIsHeld(state: State, event: Event): boolean {
  if (event.type === "flow-dropped") return state.heldIn.has(event.scope, event.flow);
  if (event.type === "subscription-closed") return state.subscriptions.get(event.key)?.kind === "condition";
  if (event.type !== "element-terminated") return false;
  const { loops, adHocs, collections, compensationRuns, heldIn } = state;
  return (
    heldIn.count(event.key) > 0 ||
    [loops, adHocs, collections, compensationRuns].some((table) => table.get(event.key) !== undefined)
  );
}

export function refusal(code: RejectionCode, reason: string): Rejection {
  return { code, reason };
}

export function isRejection(value: object): value is Rejection {
  return "reason" in value && "code" in value;
}
