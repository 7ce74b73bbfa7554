import type { Key, ProcessStartedBy } from "../command.ts";
import type { JsonObject } from "../json.ts";
import { must } from "../problem.ts";
import type { Element, ElementId, EventBasedGateway } from "../program.ts";
import { Names } from "../scope.ts";
import type { Turn } from "../turn.ts";
import { passEvent, trigger } from "./trigger.ts";
import { armWaits, needsAll, prepareWaits } from "./wait.ts";

/** Puts a token where a scope begins: at its none start event, or without one at everything that no flow leads to. */
export function beginContent(turn: Turn, container: ElementId | null, scope: Key): void {
  for (const element of must(turn.program.entries.get(container), "what is entered begins somewhere"))
    turn.arrivals.push({ element: element.id, scope });
  turn.touched.add(scope);
}

/** The gateway before an event that starts the process by way of it. */
function gatewayBefore(turn: Turn, event: Element): EventBasedGateway | undefined {
  const sources = (turn.program.incoming.get(event.id) ?? []).map(({ from }) => turn.element(from));
  return sources.find((source) => source.kind === "event-based-gateway" && source.instantiate !== undefined) as
    | EventBasedGateway
    | undefined;
}

/** The process begins with an event that was triggered; where that is one of several needed, the others are awaited. */
export function beginByEvent(turn: Turn, started: ProcessStartedBy): void {
  const { payload } = started;
  const event = turn.element(started.element);
  const gateway = gatewayBefore(turn, event);
  if (gateway === undefined && !needsAll(event)) return passEvent(turn, event, { scope: 0, payload });
  const owner = turn.nextKey();
  const element = gateway ?? event;
  turn.emit({ type: "element-activated", key: owner, element: element.id, scope: 0, at: turn.at });
  if (gateway === undefined) {
    armOthers(turn, owner, { event, except: started.trigger ?? 0, payload });
    return trigger(turn, { owner, element: event.id }, payload);
  }
  if (gateway.instantiate === "parallel") {
    for (const { to } of must(turn.program.outgoing.get(gateway.id), `'${gateway.id}' leads nowhere`)) {
      if (to !== event.id) armOthers(turn, owner, { event: turn.element(to), except: null, payload });
    }
  }
  trigger(turn, { owner, element: event.id }, payload);
}

/** What came first may say by what key the others are known. */
function armOthers(
  turn: Turn,
  owner: Key,
  awaited: { readonly event: Element; readonly except: number | null; readonly payload: JsonObject },
): void {
  const { event, except, payload } = awaited;
  const waits = prepareWaits(turn, event, new Names(turn.program, turn.state, { scope: owner, extra: payload }));
  if (!waits.ok) return turn.raise({ owner, element: event.id, kind: "trigger", error: waits.error });
  const others = waits.value.filter((wait) => {
    const { trigger: place } = "timer" in wait ? wait.timer : wait.subscription;
    return except === null || place !== except;
  });
  armWaits(turn, owner, others);
}
