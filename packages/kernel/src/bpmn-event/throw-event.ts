import { planCompensation } from "../activity/compensation-plan.ts";
import { prepareMappedJob } from "../activity/offer.ts";
import { cancelTransaction } from "../activity/transaction.ts";
import type { Key } from "../command.ts";
import type { Visit } from "../element/behavior.ts";
import { complete, instanceAt, takeOutgoing, terminateContent } from "../lifecycle.ts";
import type { EndEvent, IntermediateThrowEvent, ThrowTrigger } from "../program.ts";
import { goesOnAtOnce, isEventSubProcess } from "../program-check.ts";
import { type Names, type Result, resolve, resolveName } from "../scope.ts";
import type { Turn } from "../turn.ts";
import { prepareEscalation, prepareSending } from "./message.ts";
import { failInstance, throwError, throwEscalation } from "./throw.ts";

type Thrown = EndEvent["trigger"] | IntermediateThrowEvent["trigger"];
type Step = Result<() => void>;

/** What an event throws in one go; all else takes time or ends the event, and so comes last. */
function isQuick(trigger: Thrown): trigger is Exclude<ThrowTrigger, { readonly type: "none" | "compensation" }> {
  if (trigger.type === "message") return trigger.job === undefined;
  return trigger.type === "signal" || trigger.type === "escalation";
}

/** Works out what a throwing event does. The function it gives throws all of it and then completes the event. */
export function prepareThrow(turn: Turn, visit: Visit<EndEvent | IntermediateThrowEvent>, names: Names): Step {
  const { trigger } = visit.element;
  const triggers: readonly Thrown[] = trigger.type === "multiple" ? trigger.triggers : [trigger];
  const steps: (() => void)[] = [];
  for (const each of triggers) {
    if (!isQuick(each)) continue;
    const step = prepareQuick(turn, visit, { trigger: each, names });
    if (!step.ok) return step;
    steps.push(step.value);
  }
  const last = prepareLast(turn, visit, { trigger: triggers.find((each) => !isQuick(each)), names });
  if (!last.ok) return last;
  return {
    ok: true,
    value: () => {
      for (const step of [...steps, last.value]) {
        // An escalation may have ended the event that threw it.
        if (turn.state.elements.get(visit.key) !== undefined) step();
      }
    },
  };
}

function prepareQuick(
  turn: Turn,
  visit: Visit,
  thrown: {
    readonly trigger: Exclude<ThrowTrigger, { readonly type: "none" | "compensation" }>;
    readonly names: Names;
  },
): Step {
  const { trigger, names } = thrown;
  if (trigger.type !== "escalation") return prepareSending(turn, { element: visit.element.id, trigger }, names);
  const escalation = prepareEscalation(turn, trigger, names);
  return escalation.ok ? { ok: true, value: () => throwEscalation(turn, visit.key, escalation.value) } : escalation;
}

function prepareLast(
  turn: Turn,
  visit: Visit,
  thrown: { readonly trigger: Thrown | undefined; readonly names: Names },
): Step {
  const { trigger, names } = thrown;
  const { key, scope } = visit;
  switch (trigger?.type) {
    case "message":
      return prepareMappedJob(turn, visit, { mappings: trigger.message.payload, names });
    case "compensation":
      return {
        ok: true,
        value: () => {
          const scopes = scopesUndoneFrom(turn, scope);
          const targets = scopes.flatMap((each) => planCompensation(turn.state, each, trigger.activity));
          if (goesOnAtOnce(visit.element)) takeOutgoing(turn, visit.element.id, scope);
          beginCompensation(turn, visit, targets);
        },
      };
    case "error":
      return prepareError(turn, visit, { trigger, names });
    case "cancel":
      return { ok: true, value: () => cancelTransaction(turn, visit) };
    case "terminate":
      return {
        ok: true,
        value: () => {
          complete(turn, key);
          terminateContent(turn, scope);
        },
      };
    default:
      return { ok: true, value: () => complete(turn, key) };
  }
}

function prepareError(
  turn: Turn,
  visit: Visit,
  thrown: { readonly trigger: Extract<Thrown, { readonly type: "error" }>; readonly names: Names },
): Step {
  const { message: said, code: fixed, codeFrom: from } = thrown.trigger;
  const named = resolveName(turn, { what: "the error code", fixed, from }, thrown.names);
  if (!named.ok) return named;
  const code = named.value;
  const text =
    said === undefined
      ? { ok: true as const, value: `'${visit.element.id}' was reached` }
      : resolve(turn, said, thrown.names);
  if (!text.ok) return text;
  const message = typeof text.value === "string" ? text.value : JSON.stringify(text.value);
  return {
    ok: true,
    value: () => {
      if (!throwError(turn, visit.key, { code, message })) failInstance(turn, { code, message });
    },
  };
}

/** An event sub-process belongs to the scope it stands in: what completed there can be undone from it, too. */
function scopesUndoneFrom(turn: Turn, from: Key): Key[] {
  const scopes = [from];
  for (let scope = from; scope !== 0; ) {
    const { element, scope: around } = instanceAt(turn, scope);
    if (!isEventSubProcess(turn.element(element)) || turn.program.handlers.has(element)) break;
    scopes.push(around);
    scope = around;
  }
  return scopes;
}

/** Undoes the targets one after the other and completes the element after the last; at once when there are none. */
function beginCompensation(turn: Turn, visit: Visit, targets: readonly Key[]): void {
  if (targets.length === 0) return complete(turn, visit.key);
  const { key, scope } = visit;
  turn.emit({ type: "compensation-started", owner: key, scope, targets, at: turn.at });
  turn.undoing.add(key);
}
