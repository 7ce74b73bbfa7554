import { advance } from "./advance.ts";
import type { Command, Rejection } from "./command.ts";
import { behaviors } from "./element/behaviors.ts";
import type { Event } from "./event.ts";
import { adHocHandlers } from "./handle/ad-hoc.ts";
import { type Handlers, instanceHandlers } from "./handle/instance.ts";
import { messageHandlers } from "./handle/message.ts";
import { migrationHandlers } from "./handle/migration.ts";
import { modificationHandlers } from "./handle/modification.ts";
import { personHandlers } from "./handle/person.ts";
import { taskHandlers } from "./handle/task.ts";
import { workHandlers } from "./handle/work.ts";
import type { Program } from "./load.ts";
import { assert } from "./problem.ts";
import { lookup } from "./state/lookup.ts";
import { overlay } from "./state/overlay.ts";
import type { State } from "./state/state.ts";
import { refusal, Turn, type TurnContext } from "./turn.ts";

const handlers: Handlers<Command["type"]> = lookup({
  ...instanceHandlers,
  ...workHandlers,
  ...taskHandlers,
  ...messageHandlers,
  ...personHandlers,
  ...migrationHandlers,
  ...adHocHandlers,
  ...modificationHandlers,
});

export type Decision = { readonly events: readonly Event[] } | { readonly rejection: Rejection };

function refuseByStatus(state: State, command: Command): Rejection | undefined {
  const { status, instanceId } = state.head;
  if (command.type === "create-instance") {
    return status === null
      ? undefined
      : refusal("instance-exists", `Expected no instance '${instanceId}', but there is one`);
  }
  if (status === null) return refusal("instance-not-found", "Expected an instance, but there is none");
  if (status === "completed" || status === "failed" || status === "cancelled") {
    return refusal("instance-ended", `Expected '${instanceId}' to be open, but it is ${status}`);
  }
  return undefined;
}

/** Decisions are made one at a time; one that throws takes its turn with it. */
let spareTurn: Turn | undefined;

/** Puts the decision on `context.state`, event by event. */
function follow(command: Command, context: TurnContext): Decision {
  const rejection = refuseByStatus(context.state, command);
  if (rejection !== undefined) return { rejection };
  const turn = spareTurn ?? new Turn(behaviors);
  spareTurn = undefined;
  turn.begin(context, command.at);
  const handle = handlers[command.type] as (turn: Turn, command: Command) => Rejection | undefined;
  const refused = handle(turn, command);
  if (refused === undefined) {
    advance(turn);
    turn.recordDoubts();
  }
  const events = turn.end();
  spareTurn = turn;
  if (refused === undefined) return { events };
  assert(events.length === 0, "what is refused has changed nothing");
  return { rejection: refused };
}

/**
 * What follows from a command: every event up to the next wait state, or why it is refused. Pure: the state it is given
 * stays untouched, and equal arguments give equal events. Throws InvariantError for a bug of ours, never for bad input.
 */
export function decide(program: Program, state: State, command: Command): Decision {
  return follow(command, { program, state: overlay(state), applied: undefined });
}

/**
 * `decide` and `evolve` in one pass, at half the cost: the state is moved on as it is decided, and `applied` is told each
 * event right after it was applied, the moment for `effectsOf`. A refusal changes nothing. After a throw the state is
 * not to be used again; `decide` would have left it whole.
 */
export function step(
  instance: { readonly program: Program; readonly state: State },
  command: Command,
  applied: (event: Event) => void,
): Decision {
  return follow(command, { program: instance.program, state: instance.state, applied });
}
