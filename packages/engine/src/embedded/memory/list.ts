import type { IncidentRow, InstanceRow, Page, TaskRow, Views } from "../../port.ts";
import { parseCursor } from "../cursor.ts";
import type { InstanceRecord, ListedJob, PageRequest } from "../store.ts";
import type { InstanceTables, MemoryTables } from "./tables.ts";

type OfInstance = { readonly instanceId?: string; readonly rootId?: string };
type Names = Pick<InstanceRow, "instanceId" | "rootId">;

export function listInstances(
  tables: MemoryTables,
  filter: Views["instances"]["filter"],
  page: PageRequest,
): Page<InstanceRow> {
  const before = page.after === undefined ? Number.POSITIVE_INFINITY : (parseCursor(page.after, 1)[0] as number);
  const found = newestFirst(tables)
    .map(({ record }) => record)
    .filter((record) => record.number < before && matches(record, filter));
  const shown = found.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    rows: shown.map(({ number: _number, deployment: _deployment, requestId: _request, held: _held, ...row }) => row),
    ...(found.length > page.limit && last !== undefined ? { next: String(last.number) } : {}),
  };
}

function matches(record: InstanceRecord, filter: Views["instances"]["filter"]): boolean {
  const { status, process, rootId, parentId } = filter;
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
      .map((task) => ({ ...task, ...names })),
  );
}

export function listIncidents(tables: MemoryTables, filter: OfInstance, page: PageRequest): Page<IncidentRow> {
  return keyed(tables, { filter, page }, (of, names) =>
    [...(of.incidents?.values() ?? [])].map((incident) => ({ ...incident, ...names })),
  );
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

function newestFirst(tables: MemoryTables): InstanceTables[] {
  return [...tables.instances.values()].reverse();
}
