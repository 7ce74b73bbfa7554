import type { Key } from "../command.ts";
import type { VariableScope } from "../host.ts";
import type { Json, JsonObject } from "../json.ts";
import { assert, must } from "../problem.ts";
import { type Asking, evaluateCondition, Names, type Result } from "../scope.ts";
import type { SubscriptionRecord } from "../state/state.ts";
import type { Turn } from "../turn.ts";
import { triggerSubscription } from "./trigger.ts";
import { needsAll, triggerAt } from "./wait.ts";

/** Remembers whether a name was asked for that nothing has. */
class AskedNames implements VariableScope {
  readonly #names: Names;
  missed: boolean = false;

  constructor(names: Names) {
    this.#names = names;
  }
  get(name: string): Json | undefined {
    const value = this.#names.get(name);
    if (value === undefined) this.missed = true;
    return value;
  }
  isInteger(name: string): boolean {
    return this.#names.isInteger(name);
  }
}

/** Whether a condition holds now. One that fails because a variable is not there yet does not hold yet. */
function holds(turn: Turn, subscription: SubscriptionRecord): Result<boolean> {
  const trigger = triggerAt(turn.element(subscription.element), subscription.trigger);
  assert(trigger?.type === "conditional", `'${subscription.element}' waits for no condition`);
  const { key, owner } = subscription;
  const extra = needsAll(turn.element(subscription.element)) ? broughtToo(turn, subscription) : {};
  const names = new AskedNames(new Names(turn.program, turn.state, { scope: owner, extra }));
  const asking: Asking = {
    program: turn.program,
    noteDoubt: (doubt) => turn.noteDoubt({ ...doubt, scope: owner, subscription: key }),
  };
  const result = evaluateCondition(asking, trigger.condition, names);
  return !result.ok && names.missed ? { ok: true, value: false } : result;
}

/** What the other triggers have brought that an event needs all of. */
function broughtToo({ state }: Turn, { owner, element }: SubscriptionRecord): JsonObject {
  const brought: { [name: string]: Json } = {};
  for (const key of state.subscriptionsOf.of(owner)) {
    const other = must(state.subscriptions.get(key), "it is open");
    if (other.element === element) Object.assign(brought, other.payload);
  }
  return brought;
}

/** Whether the limit keeps a condition that came to hold from triggering its event. */
export function isHeld(turn: Turn, subscription: SubscriptionRecord): boolean {
  if (subscription.kind !== "condition" || subscription.holds) return false;
  const now = holds(turn, subscription);
  return now.ok && now.value;
}

/** Looks at every condition that something may have changed for; one that came to hold triggers its event. */
export function lookAtConditions(turn: Turn): void {
  while (turn.conditions !== undefined) {
    const keys = turn.conditions;
    turn.conditions = undefined;
    for (const key of keys) lookAt(turn, key);
  }
}

function lookAt(turn: Turn, key: Key): void {
  const subscription = turn.state.subscriptions.get(key);
  // Another one that came to hold first may have ended what this one waited for.
  if (subscription === undefined) return;
  const result = holds(turn, subscription);
  const { owner, element } = subscription;
  if (!result.ok) return turn.raiseOnce({ owner, element, kind: "trigger", error: result.error });
  if (result.value === subscription.holds) return;
  if (!result.value) return turn.emit({ type: "condition-lapsed", key });
  // The rest follows in a command of its own: events that keep triggering one another must not go on for ever.
  if (turn.isFull()) return;
  turn.countActivation();
  triggerSubscription(turn, subscription, { payload: {}, actor: element });
}
