import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { QueueClass } from "@tutti/kernel";
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
import { type ListedJob, type PageRequest, type StoredFigures, shownInstance, taskDefaults } from "../store.ts";
import { message, subscription } from "./coordination.ts";
import { instanceRecord, type SqlRow } from "./read.ts";

/** Lists with filters: put together per call, since their conditions differ, and never on the path of a commit. */
export class ListReader {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  instances(filter: Views["instances"]["filter"], page: PageRequest): Page<InstanceRow> {
    const where = new Where();
    if (filter.status === "open") where.add("ended_at IS NULL");
    else if (filter.status !== undefined) where.add("status = ?", filter.status);
    if (filter.process !== undefined) where.add("process = ?", filter.process);
    if (filter.rootId !== undefined) {
      where.add("(id = ? OR (root_id = ? AND parent_id IS NOT NULL))", filter.rootId, filter.rootId);
    }
    if (filter.parentId !== undefined) {
      where.add(
        "root_id = (SELECT root_id FROM instances WHERE id = ?) AND parent_id = ?",
        filter.parentId,
        filter.parentId,
      );
    }
    if (page.after !== undefined) where.add("number < ?", parseCursor(page.after, 1)[0] as number);
    const rows = this.#all(`SELECT * FROM instances ${where.text} ORDER BY number DESC LIMIT ?`, where, page.limit);
    return pageOf(rows, page, { read: toInstanceRow, cursor: (row) => String(row["number"]) });
  }

  jobs(filter: Views["jobs"]["filter"], page: PageRequest): Page<ListedJob> {
    const where = ofInstance(filter, page);
    if (filter.queue !== undefined) where.add("queue = ?", filter.queue);
    const rows = this.#joined("jobs", where, page.limit);
    return pageOf(rows, page, { read: toListedJob });
  }

  tasks(filter: Views["tasks"]["filter"], page: PageRequest): Page<TaskRow> {
    const where = ofInstance(filter, page);
    if (filter.assignee !== undefined) where.add("assignee = ?", filter.assignee);
    return pageOf(this.#joined("tasks", where, page.limit), page, { read: toTaskRow });
  }

  incidents(filter: Views["incidents"]["filter"], page: PageRequest): Page<IncidentRow> {
    const where = ofInstance(filter, page);
    return pageOf(this.#joined("incidents", where, page.limit), page, { read: toIncidentRow });
  }

  subscriptions(filter: Views["subscriptions"]["filter"], page: PageRequest): Page<SubscriptionRow> {
    const where = ofInstance(filter, page);
    if (filter.name !== undefined) where.add("t.name = ?", filter.name);
    return pageOf(this.#joined("subscriptions", where, page.limit), page, { read: toSubscriptionRow });
  }

  messages(filter: Views["messages"]["filter"], page: PageRequest & { readonly now: number }): Page<MessageRow> {
    const where = new Where();
    where.add("kind = 'message' AND expires_at > ?", page.now);
    if (filter.name !== undefined) where.add("name = ?", filter.name);
    if (page.after !== undefined) where.add("number < ?", parseCursor(page.after, 1)[0] as number);
    const rows = this.#all(`SELECT * FROM messages ${where.text} ORDER BY number DESC LIMIT ?`, where, page.limit);
    return pageOf(rows, page, { read: (row) => messageRow(message(row)), cursor: (row) => String(row["number"]) });
  }

  refusals({ process }: Views["refusals"]["filter"], page: PageRequest): Page<RefusalRow> {
    const where = new Where();
    if (process !== undefined) where.add("process = ?", process);
    if (page.after !== undefined) where.add("number < ?", parseCursor(page.after, 1)[0] as number);
    const rows = this.#all(`SELECT * FROM refusals ${where.text} ORDER BY number DESC LIMIT ?`, where, page.limit);
    const read = (row: SqlRow): RefusalRow => JSON.parse(row["row"] as string) as RefusalRow;
    return pageOf(rows, page, { read, cursor: (row) => String(row["number"]) });
  }

  versionFigures(process: string | undefined): StoredFigures[] {
    const where = new Where();
    if (process !== undefined) where.add("process = ?", process);
    const rows = this.#db.prepare(`SELECT * FROM version_figures ${where.text} ORDER BY hash`).all(...where.values);
    return rows.map((row) => ({
      hash: row["hash"] as string,
      process: row["process"] as string,
      figures: JSON.parse(row["figures"] as string) as StoredFigures["figures"],
    }));
  }

  #joined(table: "jobs" | "tasks" | "incidents" | "subscriptions", where: Where, limit: number): SqlRow[] {
    return this.#all(
      `SELECT t.*, i.held, i.id, i.root_id FROM ${table} t JOIN instances i ON i.number = t.instance ${where.text}
       ORDER BY t.instance DESC, t.key DESC LIMIT ?`,
      where,
      limit,
    );
  }

  /** One more than asked for: it tells whether there is a next page. */
  #all(sql: string, where: Where, limit: number): SqlRow[] {
    return this.#db.prepare(sql).all(...where.values, limit + 1);
  }
}

class Where {
  readonly values: SQLInputValue[] = [];
  text = "";

  add(condition: string, ...values: SQLInputValue[]): void {
    this.text += `${this.text === "" ? "WHERE" : " AND"} ${condition}`;
    this.values.push(...values);
  }
}

function ofInstance(filter: { readonly instanceId?: string; readonly rootId?: string }, page: PageRequest): Where {
  const where = new Where();
  if (filter.instanceId !== undefined) where.add("i.id = ?", filter.instanceId);
  if (filter.rootId !== undefined) where.add("i.root_id = ?", filter.rootId);
  if (page.after !== undefined) where.add("(t.instance, t.key) < (?, ?)", ...parseCursor(page.after, 2));
  return where;
}

function keyCursor(row: SqlRow): string {
  return `${String(row["instance"])}.${String(row["key"])}`;
}

function pageOf<Row>(
  rows: SqlRow[],
  page: PageRequest,
  { read, cursor = keyCursor }: { readonly read: (row: SqlRow) => Row; readonly cursor?: (row: SqlRow) => string },
): Page<Row> {
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return { rows: shown.map(read), ...(more ? { next: cursor(last) } : {}) };
}

function toInstanceRow(row: SqlRow): InstanceRow {
  return shownInstance(instanceRecord(row));
}

function toListedJob(row: SqlRow): ListedJob {
  return {
    ...openJob(row),
    instanceId: row["id"] as string,
    rootId: row["root_id"] as string,
    held: row["held"] === 1,
  };
}

export function openJob(row: SqlRow): Omit<ListedJob, "instanceId" | "rootId" | "held"> {
  return {
    instance: row["instance"] as number,
    key: row["key"] as number,
    element: row["element"] as string,
    jobType: row["job_type"] as string,
    queue: row["queue"] as QueueClass,
    priority: row["priority"] as number,
    attempt: row["attempt"] as number,
    notBefore: row["not_before"] as number,
    since: row["since"] as number,
    limitKey: row["limit_key"] as string | null,
  };
}

function toTaskRow(row: SqlRow): TaskRow {
  const rest = JSON.parse(row["row"] as string) as Omit<TaskRow, "instanceId" | "rootId" | "assignee">;
  return {
    ...taskDefaults,
    ...rest,
    instanceId: row["id"] as string,
    rootId: row["root_id"] as string,
    assignee: row["assignee"] as string | null,
  };
}

function toSubscriptionRow(row: SqlRow): SubscriptionRow {
  return {
    ...subscriptionRow(subscription(row)),
    instanceId: row["id"] as string,
    rootId: row["root_id"] as string,
  };
}

function toIncidentRow(row: SqlRow): IncidentRow {
  const rest = JSON.parse(row["row"] as string) as Omit<IncidentRow, "instanceId" | "rootId">;
  return { ...rest, instanceId: row["id"] as string, rootId: row["root_id"] as string };
}
