import type { Chosen, Key } from "../command.ts";
import type { JsonObject } from "../json.ts";
import type { Driver, Said } from "./driver.ts";
import type { Random } from "./random.ts";
import { randomItems } from "./random-program.ts";
import { randomVariant } from "./variant.ts";

type Maker = (random: Random, driver: Driver) => Said | undefined;

function keyFrom(random: Random, records: Iterable<{ readonly key: Key }>): Key | undefined {
  const keys = [...records].map(({ key }) => key);
  return keys.length === 0 ? undefined : random.pick(keys);
}

/** Mostly a key that is open, sometimes any number. */
function aim(random: Random, records: Iterable<{ readonly key: Key }>): Key {
  const open = random.chance(0.05) ? undefined : keyFrom(random, records);
  return open ?? random.below(40);
}

function resultOf(random: Random, driver?: Driver): JsonObject {
  const result = random.pick<JsonObject>([{}, { n: random.below(5) }, { n: "no number" }]);
  // What only a job that chooses in an ad-hoc sub-process looks at.
  if (driver === undefined || driver.state.adHocs.values().next().done) return result;
  return { ...result, activate: chosenBy(random, driver).map((each) => ({ ...each })), done: random.chance(0.2) };
}

function chosenBy(random: Random, driver: Driver): Chosen[] {
  const known = [...driver.program.activatable.values()].flat().map(({ id }) => id);
  const count = known.length === 0 ? 0 : random.below(3);
  const variables = random.chance(0.2) ? { variables: { n: random.below(5) } } : {};
  return Array.from({ length: count }, () => ({ element: random.pick(known), ...variables }));
}

function errorOf(random: Random): { readonly code: string; readonly message: string } {
  return { code: random.pick(["E1", "E2"]), message: "it broke" };
}

function collectionElement(random: Random, driver: Driver): string {
  const bodies = [...driver.state.collections.values()].map(
    ({ body }) => driver.state.elements.get(body)?.element ?? "",
  );
  return bodies.length === 0 ? "nobody" : random.pick(bodies);
}

function itemName(random: Random, driver: Driver): string {
  const names = [...driver.state.items.values()].map((item) => item.definition.key);
  return names.length === 0 || random.chance(0.1) ? "nothing" : random.pick(names);
}

/** Mostly to one that waits, sometimes with another name or of the other kind. */
function deliver(random: Random, { state, at }: Driver): Said {
  const key = aim(random, state.subscriptions.values());
  const found = state.subscriptions.get(key);
  const said = { key, name: random.chance(0.05) ? "other" : (found?.name ?? "nothing"), payload: resultOf(random) };
  if (found?.kind === "signal") return { type: "deliver-signal", ...said };
  return { type: "deliver-message", ...said, messageId: random.chance(0.1) ? "again" : `m${at}` };
}

function randomModification(random: Random, { state, program }: Driver): Said {
  const known = [...program.elements.keys()];
  const activate = Array.from({ length: random.below(3) }, () => ({
    element: random.pick(known),
    ...(random.chance(0.3) ? { scope: aim(random, state.elements.values()) } : {}),
    ...(random.chance(0.3) ? { variables: resultOf(random) } : {}),
  }));
  const terminate = Array.from({ length: random.below(2) }, () => aim(random, state.elements.values()));
  return { type: "modify-instance", activate, terminate, reason: "so" };
}

const makers: readonly (readonly [number, Maker])[] = [
  [
    12,
    (random, driver) => {
      const key = aim(random, driver.state.jobs.values());
      return { type: "complete-job", key, result: resultOf(random, driver) };
    },
  ],
  [
    6,
    (random, { state }) => ({
      type: "fail-job",
      key: aim(random, state.jobs.values()),
      error: errorOf(random),
      retryable: random.chance(0.7),
    }),
  ],
  [
    3,
    (random, { state }) => ({ type: "throw-job-error", key: aim(random, state.jobs.values()), error: errorOf(random) }),
  ],
  [
    6,
    (random, { state, at }) => {
      const key = aim(random, state.timers.values());
      return { type: "fire-timer", key, at: random.chance(0.8) ? Math.max(at, state.timers.get(key)?.due ?? 0) : at };
    },
  ],
  [8, deliver],
  [
    4,
    (random, { state }) => ({
      type: "complete-task",
      key: aim(random, state.tasks.values()),
      result: resultOf(random),
    }),
  ],
  [
    1,
    (random, { state }) => ({
      type: "claim-task",
      key: aim(random, state.tasks.values()),
      actor: random.pick(["a", "tester"]),
    }),
  ],
  [
    1,
    (random, { state }) => ({
      type: "release-task",
      key: aim(random, state.tasks.values()),
      actor: random.pick(["a", "tester"]),
    }),
  ],
  [
    4,
    (random, { state, at }) => {
      const key = aim(random, state.tasks.values());
      const [actor, to] = [random.pick(["a", "tester"]), random.pick(["a", "b"])];
      return random.pick<Said>([
        { type: "start-task", key, actor },
        { type: "delegate-task", key, to, actor },
        { type: "resolve-task", key, actor },
        { type: "reassign-task", key, to: random.pick([to, null]), reason: "so", actor },
        { type: "update-task", key, dueAt: random.pick([null, at]), priority: random.below(120), actor },
        { type: "escalate-task", key, reason: "so", actor, ...random.pick([{ to: [to] }, { code: "E1" }, {}]) },
      ]);
    },
  ],
  [
    4,
    (random, { state }) => {
      const key = aim(random, state.calls.values());
      const outcome = random.pick([
        { type: "completed" as const, result: resultOf(random) },
        { type: "failed" as const, error: errorOf(random) },
        { type: "cancelled" as const, reason: "no" },
      ]);
      return { type: "end-child", key, childId: state.calls.get(key)?.childId ?? "nobody", outcome };
    },
  ],
  [
    1,
    (random, { state }) => {
      const key = aim(random, state.calls.values());
      const said = { code: random.pick(["E1", "E2"]), payload: resultOf(random), number: random.below(50) };
      return { type: "escalate-call", key, childId: state.calls.get(key)?.childId ?? "nobody", ...said };
    },
  ],
  [0.5, (random) => ({ type: "pause-instance", stopRunning: random.chance(0.5), reason: "rest" })],
  [1.5, () => ({ type: "resume-instance" })],
  [0.15, () => ({ type: "cancel-instance", reason: "enough" })],
  [
    6,
    (random, driver) => ({
      type: "resolve-incident",
      key: aim(random, driver.state.incidents.values()),
      action: random.pick(["retry", "retry", "accept"] as const),
      items: random.chance(0.7) ? [] : [itemName(random, driver)],
      reason: "so",
    }),
  ],
  [
    1,
    (random, { state }) => ({
      type: "set-variables",
      scope: random.chance(0.5) ? 0 : aim(random, state.elements.values()),
      values: random.pick<JsonObject>([{ n: random.below(9) }, { missing: 1 }, { flag: true }, { flag: 3 }]),
      reason: "so",
      ...(random.chance(0.3) ? { expectedVersions: { n: random.below(3) } } : {}),
    }),
  ],
  [
    2,
    (random, driver) => ({
      type: "add-items",
      element: collectionElement(random, driver),
      items: random.chance(0.2)
        ? [{ id: `late${random.below(99)}`, dependsOn: [itemName(random, driver)] }]
        : randomItems(random, 3, `n${random.below(1_000)}-`),
    }),
  ],
  [
    2,
    (random, driver) => ({
      type: "withdraw-items",
      element: collectionElement(random, driver),
      items: [itemName(random, driver)],
    }),
  ],
  [
    1,
    (random, driver) => ({
      type: "adjust-concurrency",
      element: collectionElement(random, driver),
      maxParallel: random.pick([null, 1, 2, 4, 0, -1, 1.5]),
    }),
  ],
  [1, (random, { program }) => ({ type: "migrate-instance", ...randomVariant(random, program), reason: "so" })],
  [
    4,
    (random, driver) => {
      const bodies = [...driver.state.adHocs.values()].map(({ body }) => ({ key: body }));
      const elements = chosenBy(random, driver);
      const key = aim(random, bodies);
      return { type: "activate-elements", key, elements, ...(random.chance(0.3) ? { complete: true } : {}) };
    },
  ],
  [0.3, (random) => ({ type: "fork-instance", instanceId: `fork${random.below(99)}`, reason: "so" })],
  [2, randomModification],
  [3, (_random, { state }) => (state.head.continuing ? { type: "continue" } : undefined)],
  [0.2, () => ({ type: "continue" })],
  [0.2, () => ({ type: "create-instance", instanceId: "i", rootId: "i", variables: {} })],
];

/** A command as the world might send it: mostly fitting, sometimes late, twice, or plain nonsense. */
export function randomCommand(random: Random, driver: Driver): Said {
  const made = random.oneOf(makers.map(([weight, make]) => [weight, () => make(random, driver)] as const));
  return made ?? randomCommand(random, driver);
}
