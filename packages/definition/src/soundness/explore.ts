import {
  type Command,
  type Decision,
  decide,
  type Event,
  evolve,
  type Host,
  instanceView,
  isEnded,
  type JsonObject,
  limits,
  loadProgram,
  newState,
  type Program,
  type ProgramDocument,
  restoreState,
  type State,
  snapshotState,
} from "@tutti/kernel";
import { abstractProgram } from "./abstract.ts";
import { canonical, type Tokens, undoableOf } from "./canonical.ts";
import { Choices, CircleGone, choosingHost } from "./choice.ts";
import { type Move, type Wait, waitsOf } from "./move.ts";
import { Surroundings } from "./surroundings.ts";

export interface ExploreLimits {
  readonly statesMax: number;
  /** Records of states that may be copied and compared: the same on every machine, whatever its clock says. */
  readonly workMax: number;
  /** Also orders that make no difference: slower, and the same verdict. */
  readonly everyOrder: boolean;
}

/** A state that was reached, and how. */
export interface Reached {
  /** The state it was first reached from; undefined for a beginning. */
  readonly from: number | undefined;
  readonly events: readonly Event[];
  readonly ended: boolean;
  /** A join that can never be completed was reported on the way here. */
  readonly stuckAt: string | undefined;
  /** The joins that wait when it is stuck. */
  readonly joins: readonly string[];
  readonly next: number[];
  /** What it waits for when nothing can happen any more. */
  waiting: readonly string[];
  /** A command came to no end on the way here: tokens go in circles without ever waiting. */
  readonly runaway: boolean;
  /** The state on its way here that it has everything of, and more. */
  readonly grownFrom: number | undefined;
}

export interface Exploration {
  readonly states: readonly Reached[];
  /** Why it is not complete; undefined when every state was reached. */
  readonly cut: string | undefined;
  /** Every state that so many commands lead to was reached. */
  readonly depth: number;
  /** Elements that were entered in some state. */
  readonly entered: ReadonlySet<string>;
}

interface Seen extends Reached {
  readonly tokens: Tokens;
  readonly adds: boolean;
  /** Commands on the way here. */
  readonly depth: number;
}

/** Stands for the state that a step does not come to, whatever is answered on its way. */
const runaway: Omit<Seen, "from"> = {
  events: [],
  ended: false,
  stuckAt: undefined,
  joins: [],
  next: [],
  waiting: [],
  runaway: true,
  grownFrom: undefined,
  tokens: { counts: new Map(), total: 0 },
  adds: false,
  depth: 0,
};

interface Outcome {
  readonly events: readonly Event[];
  readonly state: State;
}

interface Open {
  readonly index: number;
  readonly snapshot: JsonObject;
  /** It has completed, and whoever called it has this undone. */
  readonly undoes?: NonNullable<Extract<Command, { readonly type: "create-instance" }>["undoes"]>;
}

const parent = { instanceId: "caller", key: 1 };
const plainStart = {
  type: "create-instance",
  instanceId: "i",
  rootId: "i",
  variables: {},
  actor: "world",
  at: 0,
} as const;

/** How often one command enters an element, if it comes to an end: two items of each collection around it. */
const entriesMax = 8;

/** Outcomes of one command, by how its conditions are answered. */
const waysMax = 512;

/**
 * Everything a process may do, breadth first, so that each state is reached on a shortest way. It runs the kernel
 * itself: there is no second idea here of what a process means.
 */
export class Explorer {
  readonly #document: ProgramDocument;
  readonly #choices = new Choices();
  readonly #program: Program;
  readonly #surroundings: Surroundings;
  readonly #limits: ExploreLimits;
  readonly #known: Map<string, number> = new Map();
  readonly #states: Seen[] = [];
  readonly #entered: Set<string> = new Set();
  readonly #nothing: JsonObject = snapshotState(newState());
  #open: (Open | undefined)[] = [];
  #cut: string | undefined;
  #work: number = 0;

  constructor(document: ProgramDocument, limits: ExploreLimits) {
    this.#document = abstractProgram(document);
    const host: Host = choosingHost(this.#choices);
    this.#program = loadProgram(this.#document, host);
    this.#surroundings = new Surroundings(this.#document);
    this.#limits = limits;
  }

  /** Explores from the states given, or else from every way in which the process may start. */
  explore(from: readonly State[] = []): Exploration {
    for (const state of from) this.#reach(undefined, { events: [], state }, false);
    if (from.length === 0) {
      for (const start of this.#starts()) this.#follow(undefined, this.#nothing, { command: start, adds: false });
    }
    let depth = 0;
    for (let at = 0; at < this.#open.length && this.#cut === undefined; at += 1) {
      const open = this.#open[at] as Open;
      depth = this.#states[open.index]?.depth ?? 0;
      this.#expand(open);
      this.#open[at] = undefined;
    }
    return { states: this.#states, cut: this.#cut, depth, entered: this.#entered };
  }

  /** Counts before the work is done: what a limit keeps from being done must not have been half done. */
  #afford(records: number): boolean {
    this.#work += records;
    if (this.#work > this.#limits.workMax) this.#cut ??= `that takes more than ${this.#limits.workMax} units of work`;
    return this.#cut === undefined;
  }

  #starts(): Command[] {
    // Called, it leaves what can be undone of it.
    const create = this.#program.handlerOf.size === 0 ? plainStart : { ...plainStart, parent };
    const triggered = this.#program.processStarts.map(
      ({ id }): Command => ({ ...create, start: { element: id, payload: {} } }),
    );
    return this.#program.starts.has(null) ? [create, ...triggered] : triggered;
  }

  #expand({ index, snapshot, undoes }: Open): void {
    if (undoes !== undefined) {
      this.#follow(index, this.#nothing, { command: { ...plainStart, parent, undoes }, adds: false });
      return;
    }
    const state = restoreState(snapshot);
    const context = { program: this.#program, state, surroundings: this.#surroundings, at: state.head.at };
    const waits = waitsOf(context);
    const quiet = this.#limits.everyOrder ? undefined : waits.find((wait) => this.#mayGoFirst(wait, waits));
    // What cannot interfere may go first, as long as that leads on: else the others would be put off for ever.
    if (quiet !== undefined && waits.length > 1 && this.#take(index, snapshot, [quiet]) === "on") return;
    this.#take(
      index,
      snapshot,
      waits.filter((wait) => wait !== quiet || waits.length === 1),
    );
    const reached = this.#states[index];
    if (
      reached === undefined ||
      reached.next.length > 0 ||
      reached.ended ||
      this.#states.at(-1)?.from === index ||
      this.#cut !== undefined
    )
      return;
    reached.waiting = this.#waitingIn(state);
  }

  #mayGoFirst({ moves, element }: Wait, waits: readonly Wait[]): boolean {
    if (moves.length === 0 || !this.#surroundings.isQuiet(element)) return false;
    return waits.every((other) => other.moves.length === 0 || !this.#surroundings.mayPileUp(other.element, element));
  }

  #take(index: number, before: JsonObject, waits: readonly Wait[]): "on" | "back" {
    let back = false;
    for (const wait of waits) {
      for (const move of wait.moves) {
        if (this.#cut !== undefined) return "on";
        back = !this.#follow(index, before, move) || back;
      }
    }
    return back ? "back" : "on";
  }

  /** Every outcome of one move. Gives whether all of them are new states. */
  #follow(from: number | undefined, before: JsonObject, move: Move): boolean {
    const state = restoreState(before);
    const records = recordsIn(before);
    let allNew = true;
    let ways = 0;
    let circles = 0;
    for (let script: readonly number[] | undefined = []; script !== undefined; script = this.#choices.next()) {
      if (++ways > waysMax) {
        this.#cut = `one step has more than ${waysMax} outcomes`;
        return allNew;
      }
      if (!this.#afford(records)) return allNew;
      this.#choices.begin(script);
      const decision = this.#decide(state, move.command);
      if (decision === undefined) circles += 1;
      if (decision === undefined || "rejection" in decision || decision.events.some(isUnforeseen)) {
        allNew = false;
        continue;
      }
      if (!this.#afford(decision.events.length)) return allNew;
      const after = restoreState(before);
      for (const event of decision.events) evolve(after, event);
      allNew = this.#reach(from, { events: decision.events, state: after }, move.adds) && allNew;
    }
    if (circles === ways) this.#states.push({ ...runaway, from });
    return allNew;
  }

  #decide(state: State, command: Command): Decision | undefined {
    try {
      return decide(this.#program, state, command);
    } catch (error) {
      if (error instanceof CircleGone) return undefined;
      throw error;
    }
  }

  #reach(from: number | undefined, outcome: Outcome, adds: boolean): boolean {
    const { events, state } = outcome;
    for (const event of events)
      if (event.type === "element-passed" || event.type === "element-activated") this.#entered.add(event.element);
    const snapshot = snapshotState(state);
    const { text, tokens } = canonical(snapshot);
    const known = this.#known.get(text);
    if (known !== undefined) {
      if (from !== undefined) this.#states[from]?.next.push(known);
      return false;
    }
    const index = this.#states.length;
    if (index >= this.#limits.statesMax) {
      this.#cut = `there are more than ${this.#limits.statesMax} states`;
      return false;
    }
    this.#known.set(text, index);
    if (from !== undefined) this.#states[from]?.next.push(index);
    const grownFrom = adds ? undefined : this.#grownFrom(from, tokens);
    const depth = from === undefined ? 0 : (this.#states[from]?.depth ?? 0) + 1;
    const ended = isEnded(state);
    const stuckAt = stuckJoin(events);
    const runs = state.head.continuing && this.#document.elements.length * entriesMax < limits.activationsPerCommandMax;
    this.#states.push({
      from,
      events,
      ended,
      stuckAt,
      joins: stuckAt === undefined ? [] : this.#joinsIn(state),
      next: [],
      waiting: [],
      runaway: runs,
      grownFrom,
      tokens,
      adds,
      depth,
    });
    const undoes = undoableOf(state.head);
    if (undoes !== undefined) this.#open.push({ index, snapshot, undoes });
    // What grows once grows for ever: going on would only show it again.
    if (!ended && !runs && grownFrom === undefined) this.#open.push({ index, snapshot });
    return true;
  }

  /** Nothing of a state whose join is stuck: that was found on the way here. */
  #waitingIn(state: State): string[] {
    for (const incident of state.incidents.values()) if (incident.error.code === "join-stuck") return [];
    return instanceView(this.#program, state).waiting.map((wait) => `${wait.element ?? "the process"}: ${wait.reason}`);
  }

  #joinsIn(state: State): string[] {
    const { waiting } = instanceView(this.#program, state);
    return waiting.flatMap(({ on, element }) => (on === "join" && element !== null ? [element] : []));
  }

  /** The nearest state on the way that has some of these tokens and no others: from there the same way can be gone again. */
  #grownFrom(from: number | undefined, tokens: Tokens): number | undefined {
    for (let at = from; at !== undefined; ) {
      const before = this.#states[at];
      if (before === undefined) return undefined;
      if (this.#isLess(before.tokens, tokens)) return at;
      if (before.adds) return undefined;
      at = before.from;
    }
    return undefined;
  }

  #isLess(before: Tokens, after: Tokens): boolean {
    if (before.total === 0 || before.total >= after.total) return false;
    for (const [name, count] of before.counts) {
      this.#work += 1;
      if ((after.counts.get(name) ?? 0) < count) return false;
    }
    return true;
  }
}

function recordsIn(snapshot: JsonObject): number {
  return Object.values(snapshot["tables"] as JsonObject).reduce<number>(
    (sum, records) => sum + (records as readonly unknown[]).length,
    1,
  );
}

/** A data fault, which the abstraction invented or other checks report. */
function isUnforeseen(event: Event): boolean {
  return event.type === "incident-created" && event.kind !== "items-failed" && event.error.code !== "join-stuck";
}

function stuckJoin(events: readonly Event[]): string | undefined {
  for (const event of events) {
    if (event.type === "incident-created" && event.error.code === "join-stuck") return event.error.message;
  }
  return undefined;
}
