import type { Command, Effect, ElementId, JsonObject, Key, Program, State } from "@tutti/kernel";
import { pendingEffects } from "@tutti/kernel";
import type { Surroundings } from "./surroundings.ts";

/** Something the world may do next. */
export interface Move {
  readonly command: Command;
  /** It adds to what runs without ending anything, as often as one likes. */
  readonly adds: boolean;
}

/** All that may happen to what one element instance waits for; either of them, in any order with other waits. */
export interface Wait {
  readonly owner: Key;
  readonly element: ElementId | null;
  readonly moves: Move[];
}

type WaitOf = { readonly owner: Key; readonly moves: readonly Move[] };
type Answer<E extends Effect> = (effect: E, context: Context) => WaitOf | undefined;

interface Context {
  readonly program: Program;
  readonly state: State;
  readonly surroundings: Surroundings;
  readonly at: number;
}

const actor = "world";

type AdHoc = NonNullable<ReturnType<State["adHocs"]["get"]>>;

/** Effects that are not here wait for nothing. */
const answers: { readonly [T in Effect["type"]]?: Answer<Extract<Effect, { readonly type: T }>> } = {
  "offer-job": (effect, { state, surroundings, at }) => ({
    owner: effect.key,
    moves: [
      ...surroundings.resultsOf(state, effect.element).map(
        (result): Move => ({
          command: { type: "complete-job", key: effect.key, result, actor, at },
          adds: Object.hasOwn(result, "activate"),
        }),
      ),
      ...surroundings.codesAround(effect.element).map(
        (code): Move => ({
          command: { type: "throw-job-error", key: effect.key, error: { code, message: "" }, at },
          adds: false,
        }),
      ),
    ],
  }),
  "open-task": ({ key, element }, { state, surroundings, at }) => {
    const task = state.tasks.get(key);
    // Whoever has it does it; who was lent it gives it back first.
    const who = { key, actor: task?.assignee ?? actor, at };
    if (task?.owner !== undefined)
      return { owner: key, moves: [{ command: { type: "resolve-task", ...who }, adds: false }] };
    return {
      owner: key,
      moves: [
        { command: { type: "complete-task", result: {}, ...who }, adds: false },
        ...surroundings.codesAround(element).map(
          (code): Move => ({
            command: { type: "throw-task-error", error: { code, message: "" }, ...who },
            adds: false,
          }),
        ),
      ],
    };
  },
  "arm-timer": (effect, { state, surroundings, at }) => {
    const timer = state.timers.get(effect.key);
    if (timer === undefined) return undefined;
    const command: Command = { type: "fire-timer", key: effect.key, at: Math.max(at, effect.due) };
    // What a late task escalates comes beside the task.
    if (timer.rule !== undefined) return { owner: timer.owner, moves: [{ command, adds: true }] };
    return triggered(surroundings, state, { owner: timer.owner, element: timer.element, command });
  },
  "open-subscription": (effect, { state, surroundings, at }) => {
    const subscription = state.subscriptions.get(effect.key);
    if (subscription === undefined) return undefined;
    const told = { key: effect.key, name: effect.name, payload: {}, actor, at };
    // No message comes twice: each is another one.
    const messageId = String(state.head.sequence);
    const command: Command =
      effect.kind === "message" ? { type: "deliver-message", messageId, ...told } : { type: "deliver-signal", ...told };
    return triggered(surroundings, state, { owner: subscription.owner, element: subscription.element, command });
  },
  "start-child": (effect, { state, surroundings, at }) => {
    const { key, childId } = effect;
    const element = state.calls.get(key)?.element ?? "";
    const failures = surroundings.codesAround(element).map(
      (code): Move => ({
        command: { type: "end-child", key, childId, outcome: { type: "failed", error: { code, message: "" } }, at },
        adds: false,
      }),
    );
    const outcome = { type: "completed" as const, result: {} };
    return {
      owner: key,
      moves: [{ command: { type: "end-child", key, childId, outcome, at }, adds: false }, ...failures],
    };
  },
  // The child of a call that is undone as it is open: it has undone what it did.
  "cancel-child": ({ childId }, { state, at }) => {
    const call = [...state.calls.values()].find((each) => each.childId === childId);
    if (call === undefined) return undefined;
    const { key } = call;
    const outcome = { type: "cancelled" as const, reason: "" };
    return { owner: key, moves: [{ command: { type: "end-child", key, childId, outcome, at }, adds: false }] };
  },
  continue: (_effect, { at }) => ({ owner: 0, moves: [{ command: { type: "continue", at }, adds: false }] }),
};

/** An event that does not interrupt is triggered again only once what it started before has gone by. */
function triggered(
  surroundings: Surroundings,
  state: State,
  event: { readonly owner: Key; readonly element: ElementId; readonly command: Command },
): WaitOf {
  const { owner, element, command } = event;
  const adds = surroundings.isAdding(element);
  if (adds && surroundings.isGoingOn(state, element)) return { owner, moves: [] };
  return { owner, moves: [{ command, adds }] };
}

/** Everything an instance waits for, with what may happen to it. */
export function waitsOf(context: Context): Wait[] {
  const { state } = context;
  const waits = new Map<Key, Wait>();
  const add = ({ owner, moves }: WaitOf): void => {
    const wait = waits.get(owner) ?? { owner, element: state.elements.get(owner)?.element ?? null, moves: [] };
    wait.moves.push(...moves);
    waits.set(owner, wait);
  };
  for (const effect of pendingEffects(state)) {
    const answer = answers[effect.type] as Answer<Effect> | undefined;
    const found = answer?.(effect, context);
    if (found !== undefined) add(found);
  }
  for (const incident of state.incidents.values()) {
    if (incident.kind !== "items-failed") continue;
    const decided = { key: incident.key, reason: "", actor, at: context.at };
    const moves = (["retry", "accept"] as const).map(
      (action): Move => ({ command: { type: "resolve-incident", action, ...decided }, adds: false }),
    );
    add({ owner: incident.owner, moves });
  }
  for (const adHoc of state.adHocs.values()) {
    const found = chosenByPeople(context, adHoc);
    if (found !== undefined) add(found);
  }
  return [...waits.values()];
}

/** Where neither a job nor the definition chooses, somebody does, and says at last that it is enough. */
function chosenByPeople({ state, surroundings, at }: Context, adHoc: AdHoc): WaitOf | undefined {
  const { body, done, closing } = adHoc;
  const element = state.elements.get(body)?.element;
  if (done || closing || element === undefined || !surroundings.isChosenByPeople(element)) return undefined;
  const choose = (result: JsonObject): Move => {
    const elements = (result["activate"] as readonly string[]).map((id) => ({ element: id }));
    const complete = result["done"] === true;
    return { command: { type: "activate-elements", key: body, elements, complete, actor, at }, adds: !complete };
  };
  return { owner: body, moves: surroundings.choicesIn(state, element).map(choose) };
}
