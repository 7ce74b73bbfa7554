import {
  AppError,
  type ElementId,
  type Key,
  type ProgramDocument,
  type SourcePosition,
  type State,
} from "@tutti/kernel";
import { isGenerated, isGeneratedEnd } from "../generated.ts";
import { limits } from "../limits.ts";
import { type Exploration, Explorer, type Reached } from "./explore.ts";

export type SoundnessCode = "process-stuck" | "process-endless" | "process-grows" | "process-spins" | "element-dead";

export interface SoundnessFinding {
  readonly code: SoundnessCode;
  /** "Expected X, but Y". */
  readonly message: string;
  /** How to get there, by the names in the definition: events that interrupt or come from outside in brackets. */
  readonly path: readonly string[];
  readonly element?: ElementId;
  readonly position?: SourcePosition;
}

export interface Soundness {
  /** `unknown`: nothing was found, but not everything was looked at; `reason` says why. */
  readonly verdict: "sound" | "unsound" | "unknown";
  readonly reason?: string;
  readonly findings: readonly SoundnessFinding[];
  readonly statesExplored: number;
}

export interface SoundnessOptions {
  readonly statesMax?: number;
  readonly workMax?: number;
  readonly everyOrder?: boolean;
  readonly from?: readonly State[];
}

/**
 * Whether a process can always finish, without a token left at a join, without growing for ever and without an element
 * that nothing reaches. Explores the kernel itself with data abstracted: conditions may be either way, collections have
 * none, one or two items, jobs complete or throw what is caught around them, and whatever is waited for comes. What is
 * found may therefore need data that never occurs; what is not found cannot happen.
 * With `from`, the states are where it starts: for instances that are to be migrated.
 */
export function checkSoundness(document: ProgramDocument, options: SoundnessOptions = {}): Soundness {
  const {
    statesMax = limits.soundnessStatesMax,
    workMax = limits.soundnessWorkMax,
    everyOrder = false,
    from = [],
  } = options;
  let explored: Exploration;
  try {
    explored = new Explorer(document, { statesMax, workMax, everyOrder }).explore(from);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { verdict: "unknown", reason: error.message, findings: [], statesExplored: 0 };
  }
  const findings = [...stuck(document, explored), ...growing(document, explored), ...endless(document, explored)];
  const whole = explored.cut === undefined;
  if (whole && from.length === 0 && findings.length === 0) findings.push(...dead(document, explored));
  const statesExplored = explored.states.length;
  if (findings.length > 0) return { verdict: "unsound", findings, statesExplored };
  if (whole) return { verdict: "sound", findings, statesExplored };
  return { verdict: "unknown", reason: howFar(explored), findings, statesExplored };
}

/** A verdict about a part is worth as much as the part: every way to go wrong that is shorter would have been found. */
function howFar({ cut, states, depth }: Exploration): string {
  const steps = depth === 1 ? "1 step" : `${depth} steps`;
  return `Expected to see every state, but ${cut}: ${states.length} were seen, among them all within ${steps} of the start.`;
}

/** One finding per way of being stuck, each by its shortest path. */
function stuck(document: ProgramDocument, explored: Exploration): SoundnessFinding[] {
  const found = new Map<string, SoundnessFinding>();
  for (const [index, state] of explored.states.entries()) {
    const reason = state.stuckAt ?? state.waiting.join("; ");
    if (reason === "" || found.has(reason)) continue;
    const path = pathTo(document, explored, index);
    const join = document.elements.find((element) => element.id === state.joins[0]);
    const what = state.stuckAt ?? `Expected a way on, but nothing can happen any more: ${reason}`;
    const said = join === undefined ? what : what.replace(`'${join.id}'`, placeOf(document, join.id));
    const message = path.length === 0 ? said : `${said}, after ${path.join(" → ")}`;
    const place = join?.position === undefined ? {} : { position: join.position };
    found.set(reason, {
      code: "process-stuck",
      message,
      path,
      ...(join !== undefined && { element: join.id }),
      ...place,
    });
  }
  return [...found.values()];
}

function growing(document: ProgramDocument, explored: Exploration): SoundnessFinding[] {
  const runaway = explored.states.findIndex((state) => state.runaway);
  if (runaway >= 0) {
    const path = pathTo(document, explored, runaway);
    const message = `Expected every step to come to an end, but tokens go in circles without ever waiting: ${path.join(" → ")}`;
    return [{ code: "process-spins", message, path }];
  }
  const index = explored.states.findIndex((state) => state.grownFrom !== undefined);
  const before = explored.states[index]?.grownFrom;
  if (before === undefined) return [];
  const path = pathTo(document, explored, index);
  const message = `Expected as many tokens to end as start, but every round leaves more behind: ${path.join(" → ")}`;
  return [{ code: "process-grows", message, path }];
}

/** States from which no end can be reached, and which are not stuck themselves. Says nothing about a part of the states. */
function endless(document: ProgramDocument, explored: Exploration): SoundnessFinding[] {
  const { states } = explored;
  if (explored.cut !== undefined) return [];
  const before: number[][] = states.map(() => []);
  for (const [index, state] of states.entries()) for (const next of state.next) before[next]?.push(index);
  const isFinal = (state: Reached) =>
    state.ended || state.runaway || state.next.length === 0 || state.stuckAt !== undefined;
  const open = states.flatMap((state, index) => (isFinal(state) ? [index] : []));
  const finishing = new Set(open);
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    for (const earlier of before[index] ?? []) {
      if (finishing.has(earlier)) continue;
      finishing.add(earlier);
      open.push(earlier);
    }
  }
  const index = states.findIndex((_state, at) => !finishing.has(at));
  if (index < 0) return [];
  const path = pathTo(document, explored, index);
  return [
    {
      code: "process-endless",
      message: `Expected an end that can be reached, but there is none after ${path.join(" → ")}`,
      path,
    },
  ];
}

function dead(document: ProgramDocument, explored: Exploration): SoundnessFinding[] {
  const undone = handlers(document);
  return document.elements.flatMap((element): SoundnessFinding[] => {
    if (explored.entered.has(element.id) || undone.has(element.id) || isGeneratedEnd(element)) return [];
    // One finding for a container is enough.
    if (element.parent !== null && !explored.entered.has(element.parent)) return [];
    const { id, position } = element;
    const message = `Expected some run to reach ${nameOf(document, id)}, but none can`;
    return [{ code: "element-dead", message, path: [], element: id, ...(position !== undefined && { position }) }];
  });
}

/** What undoes work may do so as nothing catches an error, which is not explored. */
function handlers(document: ProgramDocument): Set<ElementId> {
  const found = new Set<ElementId>();
  for (const element of document.elements) {
    if ("forCompensation" in element) found.add(element.id);
    const undoes = element.kind === "start-event" && element.trigger.type === "compensation";
    if (undoes && element.parent !== null) found.add(element.parent);
  }
  return found;
}

function nameOf(document: ProgramDocument, id: ElementId): string {
  return document.elements.find((element) => element.id === id)?.name ?? id;
}

/** A join that a compiler made stands before something that has a name. */
function placeOf(document: ProgramDocument, join: ElementId): string {
  if (!isGenerated(join)) return `'${nameOf(document, join)}'`;
  const next = document.flows.find((flow) => flow.from === join);
  return next === undefined ? `'${join}'` : `the join before ${placeOf(document, next.to)}`;
}

/**
 * The shortest way to a state, as the elements that were entered, without what only compilers see. From a state that
 * was given, it also names what completes of that state.
 */
function pathTo(document: ProgramDocument, explored: Exploration, index: number): string[] {
  const steps: Reached[] = [];
  for (let at: number | undefined = index; at !== undefined; at = explored.states[at]?.from) {
    const state = explored.states[at];
    if (state !== undefined) steps.unshift(state);
  }
  const names: string[] = [];
  const entered = new Set<Key>();
  const elements = new Map(document.elements.map((element) => [element.id, element]));
  for (const event of steps.flatMap((step) => step.events)) {
    if (event.type !== "element-passed" && event.type !== "element-activated" && event.type !== "element-completed")
      continue;
    if (event.type === "element-activated") entered.add(event.key);
    if (event.type === "element-completed" && entered.has(event.key)) continue;
    const element = elements.get(event.element);
    if (element === undefined || isGenerated(element.id)) continue;
    const name = element.name ?? element.id;
    const shown = element.kind === "boundary-event" ? `[${name}]` : name;
    if (names.at(-1) !== shown) names.push(shown);
  }
  return names.length > limits.pathElementsMax ? ["…", ...names.slice(-limits.pathElementsMax)] : names;
}
