import {
  addFigures,
  type FiguresChange,
  isEnded,
  noVersionFigures,
  pendingEffects,
  type VersionFigures,
} from "@tutti/kernel";
import type { Message, OutboxEntry, Store } from "../embedded/store.ts";
import type { TaskRow } from "../port.ts";
import type { Ledger, Shadow } from "./ledger.ts";
import { sameJson } from "./same.ts";

const all = 1_000_000;
const page = { limit: all };

/**
 * The tables of open things, against the states that the log gives. They are written beside the log, so they can differ
 * from it where the engine forgot one; recovery believes them.
 */
export async function checkTables(store: Store, ledger: Ledger): Promise<void> {
  const wanted = new Map<string, string[]>();
  const want = (table: string, row: string): void => {
    const rows = wanted.get(table);
    if (rows === undefined) wanted.set(table, [row]);
    else rows.push(row);
  };
  for (const shadow of ledger.shadows.values()) expectRows(shadow, want);
  const compare = (table: string, found: readonly string[]): void => {
    const [a, b] = [[...found].sort().join("\n"), (wanted.get(table) ?? []).sort().join("\n")];
    ledger.check(a === b, () => `the table of ${table} holds\n${a}\nbut the states say\n${b}`);
  };
  const jobs = await store.openJobs(undefined, all);
  compare(
    "jobs",
    jobs.map((job) => `${job.instance}.${job.key} ${job.element} ${job.jobType} ${job.attempt} ${job.notBefore}`),
  );
  const timers = await store.timers(undefined, all);
  compare(
    "timers",
    timers.map((timer) => `${timer.instance}.${timer.key} ${timer.due}`),
  );
  const tasks = (await store.listTasks({}, page)).rows;
  compare(
    "tasks",
    tasks.map((task) => taskLine(task.instanceId, task)),
  );
  const incidents = (await store.listIncidents({}, page)).rows;
  compare(
    "incidents",
    incidents.map((incident) => `${incident.instanceId} ${incident.key} ${incident.code}`),
  );
  const subscriptions = (await store.listSubscriptions({}, page)).rows;
  compare(
    "subscriptions",
    subscriptions.map(
      (row) => `${row.instanceId} ${row.key} ${row.kind} ${row.name} ${row.correlationKey} ${row.element}`,
    ),
  );
  await checkRollouts(store, ledger);
  await checkFigures(store, ledger);
  const instances = (await store.listInstances({}, page)).rows;
  compare(
    "instances",
    instances.map(
      (row) => `${row.instanceId} ${row.parentId} ${row.rootId} ${row.status} ${row.incidents} ${row.endedAt}`,
    ),
  );
  const held = await store.heldInstances();
  compare(
    "held instances",
    held.map((number) => `${number}`),
  );
  checkOutbox(await store.outbox(), ledger);
}

/** What a list says of a task, and what its state says. */
function taskLine(
  instanceId: string,
  task: Pick<TaskRow, "key" | "assignee" | "dueAt"> & Partial<Pick<TaskRow, "owner" | "startedAt" | "priority">>,
): string {
  const { key, assignee, dueAt, owner = null, startedAt = null, priority = 50 } = task;
  return `${instanceId} ${key} ${assignee} ${dueAt} ${owner} ${startedAt} ${priority}`;
}

function expectRows({ number, instanceId, state }: Shadow, want: (table: string, row: string) => void): void {
  const { head } = state;
  let jobs = 0;
  for (const effect of isEnded(state) ? [] : pendingEffects(state)) {
    if (effect.type === "offer-job") {
      const { key, element, jobType, attempt, notBefore = 0 } = effect;
      want("jobs", `${number}.${key} ${element} ${jobType} ${attempt} ${notBefore}`);
      jobs++;
    } else if (effect.type === "open-subscription") {
      const { key, kind, name, correlationKey, element } = effect;
      want("subscriptions", `${instanceId} ${key} ${kind} ${name} ${correlationKey} ${element}`);
    } else if (effect.type === "arm-timer") {
      want("timers", `${number}.${effect.key} ${effect.due}`);
    }
  }
  for (const task of state.tasks.values()) want("tasks", taskLine(instanceId, task));
  for (const each of state.incidents.values()) want("incidents", `${instanceId} ${each.key} ${each.error.code}`);
  const { parent, rootId, status, endedAt } = head;
  const row = `${instanceId} ${parent?.instanceId ?? null} ${rootId} ${status} ${[...state.incidents.values()].length} ${endedAt}`;
  want("instances", row);
  if (status === "paused" && jobs > 0) want("held instances", `${number}`);
}

/** A rollout has counted every instance of its candidate that began under it, and what became of each. */
async function checkRollouts(store: Store, ledger: Ledger): Promise<void> {
  for (const { process, plan, after, figures } of await store.rollouts()) {
    const later = [...ledger.shadows.values()].filter(({ number }) => number > after);
    const heads = later.map(({ state }) => state.head);
    const mine = heads.filter((head) => head.process === process && head.version === plan.candidate);
    const ended = (status: string): number => mine.filter((head) => head.status === status).length;
    const { incidents: _incidents, ...found } = figures;
    const expected = {
      started: mine.length,
      completed: ended("completed"),
      failed: ended("failed"),
      cancelled: ended("cancelled"),
    };
    ledger.check(sameJson(JSON.stringify(found), JSON.stringify(expected)), () => {
      return `the rollout of ${process} counts ${JSON.stringify(found)}, but it is ${JSON.stringify(expected)}`;
    });
  }
}

/** The figures of every version, kept as it happened, are those that the whole log gives. */
async function checkFigures(store: Store, ledger: Ledger): Promise<void> {
  const expected = new Map<string, VersionFigures>();
  for (const { program, state } of ledger.shadows.values()) {
    const { status, startedAt, endedAt } = state.head;
    const { hash } = program.document;
    const change: FiguresChange = {
      started: 1,
      running: endedAt === null ? 1 : 0,
      incidents: [...state.incidents.values()].length,
      ...(isEnded(state) ? { [status as "completed"]: 1 } : {}),
      ...(status === "completed" && endedAt !== null ? { durationMs: endedAt - startedAt } : {}),
    };
    expected.set(hash, addFigures(expected.get(hash) ?? noVersionFigures, [change]));
  }
  for (const { hash, process, figures } of await store.versionFigures(undefined)) {
    const [found, wanted] = [figures, expected.get(hash)].map((each) => JSON.stringify(each));
    ledger.check(found === wanted, () => `the figures of ${process} are ${found}, but the log says ${wanted}`);
    expected.delete(hash);
  }
  ledger.check(expected.size === 0, () => `there are no figures of ${[...expected.keys()].join()}`);
}

/** Nothing that one instance owes another is forgotten: it has arrived, or it is on its way. */
function checkOutbox(outbox: readonly OutboxEntry[], ledger: Ledger): void {
  const isOnItsWay = (matches: (message: Message, from: string) => boolean): boolean =>
    outbox.some(({ from, message }) => matches(message, from.instanceId));
  for (const { instanceId, state } of ledger.shadows.values()) {
    const { head } = state;
    if (head.continuing) {
      const owed = isOnItsWay((message, from) => message.type === "continue" && from === instanceId);
      ledger.check(owed, () => `'${instanceId}' has to continue, but nothing tells it`);
    }
    for (const call of state.calls.values()) {
      if (call.ended) continue;
      const { childId } = call;
      const child = ledger.byId.get(childId)?.state;
      const hears = isOnItsWay(({ type }, from) => type === "answer-parent" && from === childId);
      const starts = isOnItsWay((message) => message.type === "start-child" && message.childId === childId);
      // While paused nothing is started: resuming asks for every open call.
      const waits = head.status === "paused" && child === undefined;
      const goesOn = child !== undefined && !isEnded(child);
      ledger.check(hears || starts || goesOn || waits, () => `'${instanceId}' waits in vain for '${childId}'`);
    }
    if (head.parent !== null && !isEnded(state)) checkOrphan(instanceId, ledger, isOnItsWay);
  }
}

/** A called instance goes on only as long as somebody waits for it, or is about to be told to end. */
function checkOrphan(
  childId: string,
  ledger: Ledger,
  isOnItsWay: (matches: (message: Message, from: string) => boolean) => boolean,
): void {
  const parent = ledger.byId.get(ledger.byId.get(childId)?.state.head.parent?.instanceId ?? "")?.state;
  const awaited = [...(parent?.calls.values() ?? [])].some((call) => call.childId === childId && !call.ended);
  const told = isOnItsWay((message) => message.type === "cancel-child" && message.childId === childId);
  ledger.check(awaited || told, () => `nobody waits for '${childId}', and nobody tells it to end`);
}
