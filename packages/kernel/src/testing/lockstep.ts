import type { Command } from "../command.ts";
import type { Decision } from "../decide.ts";
import type { Effect } from "../effect.ts";
import { effectsOf } from "../effects.ts";
import type { Event } from "../event.ts";
import type { JsonObject } from "../json.ts";
import type { Program } from "../load.ts";
import { assert } from "../problem.ts";
import { restoreState, snapshotState } from "../state/snapshot.ts";
import { newState, type State } from "../state/state.ts";
import type { Kernel } from "./driver.ts";
import { sameJson, sameState } from "./same-state.ts";

function fail(what: string, live: State, other: State): never {
  throw new Error(`${what}:\n${textOf(live)}\n${textOf(other)}`);
}

export function textOf(state: State): string {
  return JSON.stringify(snapshotState(state));
}

/**
 * Other lives of the instance that is being driven, each a step behind it until they are compared:
 *
 * - one that died right after its last write, was restored from what it had written, and decides in one pass (`step`);
 * - one that has seen nothing but the log, as text, from the first event on. It goes on from where it is: it equalled
 *   the live state after every step before, so this is what replaying the whole log would come to.
 */
export class Lockstep {
  readonly #kernel: Kernel;
  /** What is durable: the state after the last command. */
  #written: string = textOf(newState());
  readonly #replayed: State = newState();
  #revived: State = newState();
  #events: string = "";
  #effects: readonly Effect[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Deciding must have changed nothing, and must come to the same after a crash. */
  afterDecision(at: { readonly program: Program; readonly state: State }, command: Command, decision: Decision): void {
    const { program, state } = at;
    const { type } = command;
    const revived = restoreState(JSON.parse(this.#written) as JsonObject);
    if (!sameState(revived, state)) fail(`deciding '${type}' changed the state`, state, revived);
    const applied: Event[] = [];
    const effects: Effect[] = [];
    const again = this.#kernel.step({ program, state: revived }, command, (event) => {
      applied.push(event);
      effects.push(...effectsOf(revived, event));
    });
    const [text, other] = [JSON.stringify(decision), JSON.stringify(again)];
    assert(text === other, `a restored state decides '${type}' otherwise:\n${text}\n${other}`);
    this.#revived = revived;
    if ("rejection" in again) {
      assert(sameState(revived, state), `refusing '${type}' changed the state`);
      return;
    }
    const { events } = again;
    const inOrder = applied.length === events.length && applied.every((event, index) => event === events[index]);
    assert(inOrder, `'${type}' does not apply what it decides`);
    this.#events = text;
    this.#effects = effects;
  }

  /** The other lives must have led to where the live one is. */
  afterStep(state: State, effects: readonly Effect[]): void {
    if (!sameState(this.#revived, state)) fail("a step leads to another state", state, this.#revived);
    assert(sameJson(this.#effects, effects), "a step has other effects than deciding and applying");
    this.follow(state, (JSON.parse(this.#events) as { events: Event[] }).events);
  }

  /** The live state has come to where these events lead. */
  follow(state: State, events: readonly Event[]): void {
    for (const event of events) this.#kernel.evolve(this.#replayed, event);
    if (!sameState(this.#replayed, state)) fail("the log replays to another state", state, this.#replayed);
    this.#written = textOf(state);
  }
}
