import { passEvent, type Triggered } from "../bpmn-event/trigger.ts";
import { abandon, armWaits, prepareWaits, type Wait } from "../bpmn-event/wait.ts";
import type { Key } from "../command.ts";
import { release } from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { EventBasedGateway, Flow } from "../program.ts";
import type { Names, Result } from "../scope.ts";
import type { Turn } from "../turn.ts";
import type { ElementBehavior, Visit } from "./behavior.ts";

function flowsAfter(turn: Turn, gateway: EventBasedGateway): readonly Flow[] {
  return must(turn.program.outgoing.get(gateway.id), `'${gateway.id}' leads nowhere`);
}

/** What the events after a gateway wait for. */
function waitsAfter(turn: Turn, gateway: EventBasedGateway, names: Names): Result<readonly Wait[]> {
  const waits: Wait[] = [];
  for (const flow of flowsAfter(turn, gateway)) {
    const prepared = prepareWaits(turn, turn.element(flow.to), names);
    if (!prepared.ok) return prepared;
    waits.push(...prepared.value);
  }
  return { ok: true, value: waits };
}

/** The token goes on at the event that was triggered, as if it had waited there. */
function passOn(turn: Turn, visit: Visit<EventBasedGateway>, { element, payload }: Triggered): void {
  const { scope } = visit;
  const flows = flowsAfter(turn, visit.element);
  const { id } = must(
    flows.find((flow) => flow.to === element.id),
    `no flow leads to '${element.id}'`,
  );
  turn.emit({ type: "flow-taken", flow: id, scope, arrives: "passes" });
  passEvent(turn, element, { scope, payload });
}

function leave(turn: Turn, { element, key }: Visit<EventBasedGateway>): void {
  release(turn, key);
  turn.emit({ type: "element-completed", key, element: element.id, at: turn.at });
}

/** Whether an event of a gateway that wants all of them is still awaited. */
function isWaiting(turn: Turn, key: Key): boolean {
  const { timersOf, subscriptionsOf, incidentsOf } = turn.state;
  return timersOf.count(key) + subscriptionsOf.count(key) + incidentsOf.count(key) > 0;
}

export const eventBasedGateway: ElementBehavior<EventBasedGateway> = {
  prepare: (turn, visit, names) => {
    const waits = waitsAfter(turn, visit.element, names);
    return waits.ok ? { ok: true, value: () => armWaits(turn, visit.key, waits.value) } : waits;
  },
  onChosen: (turn, visit, triggered) => {
    if (visit.element.instantiate !== "parallel") {
      leave(turn, visit);
      passOn(turn, visit, triggered);
      return;
    }
    abandon(turn, visit.key, { element: triggered.element.id, reason: "The event was triggered." });
    passOn(turn, visit, triggered);
    if (!isWaiting(turn, visit.key)) leave(turn, visit);
  },
};
