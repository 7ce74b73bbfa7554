import type { Chosen, Key } from "../command.ts";
import type { JsonObject } from "../json.ts";
import type { Program } from "../load.ts";
import type { JobRecord, State, SubscriptionRecord, Tables } from "../state/state.ts";
import type { Undoable } from "../undoable.ts";
import type { Driver, Said } from "./driver.ts";
import type { Random } from "./random.ts";
import { randomItems } from "./random-program.ts";
import { randomVariant } from "./variant.ts";

/** `fits`: whether there is anything that it could be about. */
interface Maker {
  readonly weight: number;
  readonly fits?: (state: State) => boolean;
  readonly make: (random: Random, driver: Driver) => Said;
}

function isDeliverable({ kind }: SubscriptionRecord): boolean {
  return kind === "message" || kind === "signal";
}

function isOffered({ parked }: JobRecord): boolean {
  return !parked;
}

/** Fits as long as there is anything in that table. */
function open(name: keyof Tables): (state: State) => boolean {
  return (state) => state[name].values().next().done !== true;
}

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

/** What a child says that it left: its caller does not look into it. */
function undoableOf(random: Random): Undoable {
  const child = { instanceId: "child", process: "child", hash: "hash" };
  if (random.chance(0.2)) return { ...child, work: null };
  const record = { key: 1, scope: 0, element: "a", handler: null, variables: {} };
  const work = { values: [random.below(5)], variables: { n: 0 }, records: random.chance(0.5) ? [record] : [] };
  return { ...child, work: random.chance(0.5) ? work : { ...work, failed: true } };
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
  const key = aim(random, [...state.subscriptions.values()].filter(isDeliverable));
  const found = state.subscriptions.get(key);
  const said = { key, name: random.chance(0.05) ? "other" : (found?.name ?? "nothing"), payload: resultOf(random) };
  if (found?.kind === "signal") return { type: "deliver-signal", ...said };
  return { type: "deliver-message", ...said, messageId: random.chance(0.1) ? "again" : `m${at}` };
}

function randomTaskCommand(random: Random, { state, at }: Driver): Said {
  const key = aim(random, state.tasks.values());
  const assignee = state.tasks.get(key)?.assignee;
  const actor = random.chance(0.7) ? (assignee ?? "tester") : random.pick(["a", "tester"]);
  const to = random.pick(["a", "b"]);
  const right = random.chance(0.5) ? { authority: true as const } : {};
  return random.oneOf<Said>([
    [4, () => ({ type: "complete-task", key, result: resultOf(random), actor })],
    [1, () => ({ type: "throw-task-error", key, error: errorOf(random), actor })],
    [1, () => ({ type: "claim-task", key, actor })],
    [1, () => ({ type: "release-task", key, actor })],
    [1, () => ({ type: "start-task", key, actor })],
    [1, () => ({ type: "delegate-task", key, to, actor })],
    [1, () => ({ type: "resolve-task", key, actor })],
    [0.7, () => ({ type: "reassign-task", key, to: random.pick([to, null]), reason: "so", actor, ...right })],
    [
      0.7,
      () => ({
        type: "update-task",
        key,
        dueAt: random.pick([null, at]),
        priority: random.below(120),
        actor,
        ...right,
      }),
    ],
    [
      0.7,
      () => ({
        type: "escalate-task",
        key,
        reason: "so",
        actor,
        ...right,
        ...random.pick([{ to: [to] }, { code: "E1" }, {}]),
      }),
    ],
  ]);
}

function randomModification(random: Random, { state, program }: Driver): Said {
  const activate = Array.from({ length: random.below(3) }, () => ({
    ...placeOf(random, program),
    ...(random.chance(0.3) ? { scope: aim(random, state.elements.values()) } : {}),
    ...(random.chance(0.3) ? { variables: resultOf(random) } : {}),
  }));
  const terminate = Array.from({ length: random.below(2) }, () => aim(random, state.elements.values()));
  const scopes = [0, ...[...state.elements.values()].map(({ key }) => key)];
  const waiting = scopes.flatMap((scope) => [...state.waitingIn.of(scope)]);
  const flow = random.chance(0.4) && waiting.length > 0 ? program.flows.get(random.pick(waiting)) : undefined;
  if (flow === undefined) return { type: "modify-instance", activate, terminate, reason: "so" };
  const withdraw = [{ element: flow.to, ...(random.chance(0.5) ? { from: flow.from } : {}) }];
  return { type: "modify-instance", withdraw, activate, terminate, reason: "so" };
}

/** Any element, or one with a flow by which a token comes to it. */
function placeOf(random: Random, program: Program): { readonly element: string; readonly from?: string } {
  const flow = random.chance(0.4) && program.flows.size > 0 ? random.pick([...program.flows.values()]) : undefined;
  return flow === undefined
    ? { element: random.pick([...program.elements.keys()]) }
    : { element: flow.to, from: flow.from };
}

const makers: readonly Maker[] = [
  {
    weight: 12,
    fits: (state) => [...state.jobs.values()].some(isOffered),
    make: (random, driver) => {
      const key = aim(random, [...driver.state.jobs.values()].filter(isOffered));
      return { type: "complete-job", key, result: resultOf(random, driver) };
    },
  },
  {
    weight: 6,
    fits: (state) => [...state.jobs.values()].some(isOffered),
    make: (random, { state }) => ({
      type: "fail-job",
      key: aim(random, [...state.jobs.values()].filter(isOffered)),
      error: errorOf(random),
      retryable: random.chance(0.7),
    }),
  },
  {
    weight: 3,
    fits: (state) => [...state.jobs.values()].some(isOffered),
    make: (random, { state }) => ({
      type: "throw-job-error",
      key: aim(random, [...state.jobs.values()].filter(isOffered)),
      error: errorOf(random),
    }),
  },
  {
    weight: 6,
    fits: open("timers"),
    make: (random, { state, at }) => {
      const key = aim(random, state.timers.values());
      return { type: "fire-timer", key, at: random.chance(0.9) ? Math.max(at, state.timers.get(key)?.due ?? 0) : at };
    },
  },
  { weight: 8, fits: (state) => [...state.subscriptions.values()].some(isDeliverable), make: deliver },
  { weight: 10, fits: open("tasks"), make: randomTaskCommand },
  {
    weight: 4,
    fits: open("calls"),
    make: (random, { state }) => {
      const key = aim(random, state.calls.values());
      const outcome = random.pick([
        { type: "completed" as const, result: resultOf(random) },
        { type: "failed" as const, error: errorOf(random) },
        { type: "cancelled" as const, reason: "no" },
      ]);
      const left = random.chance(0.5) ? { undoable: undoableOf(random) } : {};
      return { type: "end-child", key, childId: state.calls.get(key)?.childId ?? "nobody", outcome, ...left };
    },
  },
  {
    weight: 1,
    fits: open("calls"),
    make: (random, { state }) => {
      const key = aim(random, state.calls.values());
      const said = { code: random.pick(["E1", "E2"]), payload: resultOf(random), number: random.below(50) };
      return { type: "escalate-call", key, childId: state.calls.get(key)?.childId ?? "nobody", ...said };
    },
  },
  { weight: 0.3, make: (random) => ({ type: "pause-instance", stopRunning: random.chance(0.5), reason: "rest" }) },
  { weight: 6, fits: ({ head }) => head.status === "paused", make: () => ({ type: "resume-instance" }) },
  {
    weight: 0.3,
    make: (random) => ({ type: "cancel-instance", reason: "enough", ...(random.chance(0.5) ? { undo: true } : {}) }),
  },
  {
    weight: 3,
    fits: open("incidents"),
    make: (random, driver) => {
      const key = aim(random, driver.state.incidents.values());
      const mayAccept = driver.state.incidents.get(key)?.kind === "collection" || random.chance(0.1);
      return {
        type: "resolve-incident",
        key,
        action: mayAccept ? random.pick(["retry", "retry", "accept"] as const) : "retry",
        items: random.chance(0.7) ? [] : [itemName(random, driver)],
        reason: "so",
      };
    },
  },
  {
    weight: 0.7,
    make: (random, { state }) => ({
      type: "set-variables",
      scope: random.chance(0.5) ? 0 : aim(random, state.elements.values()),
      values: random.pick<JsonObject>([{ n: random.below(9) }, { missing: 1 }, { flag: true }, { flag: 3 }]),
      reason: "so",
      ...(random.chance(0.3) ? { expectedVersions: { n: random.below(3) } } : {}),
    }),
  },
  {
    weight: 2,
    fits: open("collections"),
    make: (random, driver) => ({
      type: "add-items",
      element: collectionElement(random, driver),
      items: random.chance(0.2)
        ? [{ id: `late${random.below(99)}`, dependsOn: [itemName(random, driver)] }]
        : randomItems(random, 3, `n${random.below(1_000)}-`),
    }),
  },
  {
    weight: 2,
    fits: open("collections"),
    make: (random, driver) => ({
      type: "withdraw-items",
      element: collectionElement(random, driver),
      items: [itemName(random, driver)],
    }),
  },
  {
    weight: 1,
    fits: open("collections"),
    make: (random, driver) => ({
      type: "adjust-concurrency",
      element: collectionElement(random, driver),
      maxParallel: random.pick([null, 1, 2, 4, 0, -1, 1.5]),
    }),
  },
  {
    weight: 0.5,
    make: (random, { program }) => ({ type: "migrate-instance", ...randomVariant(random, program), reason: "so" }),
  },
  {
    weight: 4,
    fits: open("adHocs"),
    make: (random, driver) => {
      const bodies = [...driver.state.adHocs.values()].map(({ body }) => ({ key: body }));
      const elements = chosenBy(random, driver);
      const key = aim(random, bodies);
      return { type: "activate-elements", key, elements, ...(random.chance(0.3) ? { complete: true } : {}) };
    },
  },
  {
    weight: 0.1,
    make: (random) => ({ type: "fork-instance", instanceId: `fork${random.below(99)}`, reason: "so" }),
  },
  { weight: 1, make: randomModification },
  { weight: 30, fits: ({ head }) => head.continuing, make: () => ({ type: "continue" }) },
  {
    weight: 0.1,
    make: () => ({ type: "create-instance", instanceId: "i", rootId: "i", variables: {} }),
  },
];

/** A command as the world might send it: mostly fitting, sometimes late, twice, or plain nonsense. */
export function randomCommand(random: Random, driver: Driver): Said {
  const any = random.chance(0.05);
  const fitting = makers.filter(({ fits }) => any || fits === undefined || fits(driver.state));
  return random.oneOf(fitting.map(({ weight, make }) => [weight, () => make(random, driver)] as const));
}
