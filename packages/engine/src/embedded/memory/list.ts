import { expiresAt } from "@tutti/kernel";
import type {
  IncidentRow,
  InstanceRow,
  MessageRow,
  Page,
  RefusalRow,
  SubscriptionRow,
  TaskRow,
  Views,
} from "../../port.ts";
import { parseCursor } from "../log/cursor.ts";
import { messageRow, subscriptionRow } from "../message/coordination.ts";
import { type InstanceRecord, type ListedJob, type PageRequest, shownInstance } from "../store.ts";
import type { InstanceTables, MemoryTables } from "./tables.ts";

type OfInstance = { readonly instanceId?: string; readonly rootId?: string };
type Names = Pick<InstanceRow, "instanceId" | "rootId">;

export function listInstances(
  tables: MemoryTables,
  filter: Views["instances"]["filter"],
  page: PageRequest,
): Page<InstanceRow> {
  const before = page.after === undefined ? Number.POSITIVE_INFINITY : (parseCursor(page.after, 1)[0] as number);
  const found = [...tables.records()]
    .filter((record) => record.number < before && matches(record, filter))
    .sort((a, b) => b.number - a.number);
  const shown = found.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    rows: shown.map(shownInstance),
    ...(found.length > page.limit && last !== undefined ? { next: String(last.number) } : {}),
  };
}

function matches(record: InstanceRecord, filter: Views["instances"]["filter"]): boolean {
  const { status, process, rootId, parentId } = filter;
  if (record.status === "moved") return false;
  if (status === "open" ? record.endedAt !== null : status !== undefined && record.status !== status) return false;
  if (process !== undefined && record.process !== process) return false;
  if (rootId !== undefined && record.rootId !== rootId) return false;
  return parentId === undefined || record.parentId === parentId;
}

export function listJobs(tables: MemoryTables, filter: Views["jobs"]["filter"], page: PageRequest): Page<ListedJob> {
  return keyed(tables, { filter, page }, (of, names) =>
    [...(of.jobs?.values() ?? [])]
      .filter((job) => filter.queue === undefined || job.queue === filter.queue)
      .map((job) => ({ ...job, ...names, held: of.record.held })),
  );
}

export function listTasks(tables: MemoryTables, filter: Views["tasks"]["filter"], page: PageRequest): Page<TaskRow> {
  return keyed(tables, { filter, page }, (of, names) =>
    [...(of.tasks?.values() ?? [])]
      .filter((task) => filter.assignee === undefined || task.assignee === filter.assignee)
      .filter((task) => filter.key === undefined || task.key === filter.key)
      .map((task) => ({ ...task, ...names })),
  );
}

export function listIncidents(tables: MemoryTables, filter: OfInstance, page: PageRequest): Page<IncidentRow> {
  return keyed(tables, { filter, page }, (of, names) =>
    [...(of.incidents?.values() ?? [])].map((incident) => ({ ...incident, ...names })),
  );
}

export function listSubscriptions(
  tables: MemoryTables,
  filter: Views["subscriptions"]["filter"],
  page: PageRequest,
): Page<SubscriptionRow> {
  const all = tables.coordination.subscriptions();
  return keyed(tables, { filter, page }, (of, names) =>
    all
      .filter((each) => each.instance === of.record.number && (filter.name === undefined || each.name === filter.name))
      .map((each) => ({ ...subscriptionRow(each), ...names })),
  );
}

export function listMessages(
  tables: MemoryTables,
  filter: Views["messages"]["filter"],
  { after, limit, now }: PageRequest & { readonly now: number },
): Page<MessageRow> {
  const before = after === undefined ? Number.POSITIVE_INFINITY : (parseCursor(after, 1)[0] as number);
  const found = [...tables.coordination.messages.values()]
    .filter((each) => each.kind === "message" && expiresAt(each) > now && each.number < before)
    .filter((each) => filter.name === undefined || each.name === filter.name)
    .sort((a, b) => b.number - a.number);
  const last = found[limit - 1];
  return {
    rows: found.slice(0, limit).map(messageRow),
    ...(found.length > limit && last !== undefined ? { next: String(last.number) } : {}),
  };
}

export function listRefusals(
  tables: MemoryTables,
  filter: Views["refusals"]["filter"],
  { after, limit }: PageRequest,
): Page<RefusalRow> {
  const before = after === undefined ? Number.POSITIVE_INFINITY : (parseCursor(after, 1)[0] as number);
  const found = [...tables.coordination.refusals]
    .filter(([number, each]) => number < before && (filter.process === undefined || each.process === filter.process))
    .reverse();
  const last = found[limit - 1];
  return {
    rows: found.slice(0, limit).map(([, { message: _message, ...row }]) => row),
    ...(found.length > limit && last !== undefined ? { next: String(last[0]) } : {}),
  };
}

function keyed<Row extends { readonly key: number }>(
  tables: MemoryTables,
  { filter, page }: { readonly filter: OfInstance; readonly page: PageRequest },
  read: (of: InstanceTables, names: Names) => Row[],
): Page<Row> {
  const [instance = Number.POSITIVE_INFINITY, key = 0] = page.after === undefined ? [] : parseCursor(page.after, 2);
  const found: { readonly cursor: string; readonly row: Row }[] = [];
  for (const of of newestFirst(tables)) {
    const { number, instanceId, rootId } = of.record;
    if (number > instance) continue;
    if (filter.instanceId !== undefined && filter.instanceId !== instanceId) continue;
    if (filter.rootId !== undefined && filter.rootId !== rootId) continue;
    for (const row of read(of, { instanceId, rootId }).sort((a, b) => b.key - a.key)) {
      if (number < instance || row.key < key) found.push({ cursor: `${number}.${row.key}`, row });
    }
    if (found.length > page.limit) break;
  }
  const last = found[page.limit - 1];
  return {
    rows: found.slice(0, page.limit).map((each) => each.row),
    ...(found.length > page.limit && last !== undefined ? { next: last.cursor } : {}),
  };
}

/** Of what has ended nothing is open that could be listed. */
function newestFirst(tables: MemoryTables): InstanceTables[] {
  return [...tables.instances.values()].sort((a, b) => b.record.number - a.record.number);
}
