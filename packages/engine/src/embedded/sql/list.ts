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
import { instanceRecord, message, openJob, type SqlRow, subscription } from "./rows.ts";

/** A question to a store that speaks SQL: `?` stands for each value in turn. Both stores have the same columns. */
export interface Query<T> {
  readonly text: string;
  readonly values: readonly (string | number)[];
  read(rows: readonly SqlRow[]): T;
}

/** Lists with filters: put together per call, since their conditions differ, and never on the path of a commit. */
export const lists: {
  readonly [V in "jobs"]: (filter: Views[V]["filter"], page: PageRequest) => Query<Page<ListedJob>>;
} & {
  readonly [V in "instances" | "tasks" | "incidents" | "subscriptions" | "refusals"]: (
    filter: Views[V]["filter"],
    page: PageRequest,
  ) => Query<Page<Views[V]["row"]>>;
} & {
  messages(filter: Views["messages"]["filter"], page: PageRequest & { readonly now: number }): Query<Page<MessageRow>>;
  versionFigures(process: string | undefined): Query<StoredFigures[]>;
} = {
  instances(filter, page) {
    const where = new Where();
    where.add("status <> 'moved'");
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
    return numbered({ from: "instances", where, page }, toInstanceRow);
  },

  jobs(filter, page) {
    const where = ofInstance(filter, page);
    if (filter.queue !== undefined) where.add("queue = ?", filter.queue);
    return joined({ from: "jobs", where, page }, toListedJob);
  },

  tasks(filter, page) {
    const where = ofInstance(filter, page);
    if (filter.assignee !== undefined) where.add("assignee = ?", filter.assignee);
    if (filter.key !== undefined) where.add("t.key = ?", filter.key);
    return joined({ from: "tasks", where, page }, toTaskRow);
  },

  incidents(filter, page) {
    return joined({ from: "incidents", where: ofInstance(filter, page), page }, toIncidentRow);
  },

  subscriptions(filter, page) {
    const where = ofInstance(filter, page);
    if (filter.name !== undefined) where.add("t.name = ?", filter.name);
    return joined({ from: "subscriptions", where, page }, toSubscriptionRow);
  },

  messages(filter, page) {
    const where = new Where();
    where.add("kind = 'message' AND expires_at > ?", page.now);
    if (filter.name !== undefined) where.add("name = ?", filter.name);
    return numbered({ from: "messages", where, page }, (row) => messageRow(message(row)));
  },

  refusals({ process }, page) {
    const where = new Where();
    if (process !== undefined) where.add("process = ?", process);
    return numbered({ from: "refusals", where, page }, (row) => JSON.parse(row["row"] as string) as RefusalRow);
  },

  versionFigures(process) {
    const where = new Where();
    if (process !== undefined) where.add("process = ?", process);
    return {
      text: `SELECT * FROM version_figures ${where.text} ORDER BY hash`,
      values: where.values,
      read: (rows) => rows.map(toFigures),
    };
  },
};

interface Listed {
  readonly from: string;
  readonly where: Where;
  readonly page: PageRequest;
}

/** A list of what has a number, newest first. */
function numbered<Row>({ from, where, page }: Listed, toRow: (row: SqlRow) => Row): Query<Page<Row>> {
  if (page.after !== undefined) where.add("number < ?", parseCursor(page.after, 1)[0] as number);
  return {
    text: `SELECT * FROM ${from} ${where.text} ORDER BY number DESC LIMIT ?`,
    values: [...where.values, page.limit + 1],
    read: (rows) => pageOf(rows, page, { toRow, cursor: (row) => String(row["number"]) }),
  };
}

/** A list of what belongs to instances, with their names. */
function joined<Row>({ from, where, page }: Listed, toRow: (row: SqlRow) => Row): Query<Page<Row>> {
  return {
    text: `SELECT t.*, i.held, i.id, i.root_id FROM ${from} t JOIN instances i ON i.number = t.instance ${where.text}
      ORDER BY t.instance DESC, t.key DESC LIMIT ?`,
    values: [...where.values, page.limit + 1],
    read: (rows) => pageOf(rows, page, { toRow, cursor: (row) => `${row["instance"]}.${row["key"]}` }),
  };
}

class Where {
  readonly values: (string | number)[] = [];
  text = "";

  add(condition: string, ...values: (string | number)[]): void {
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

/** One row more than asked for was read: it tells whether there is a next page. */
function pageOf<Row>(
  rows: readonly SqlRow[],
  page: PageRequest,
  { toRow, cursor }: { readonly toRow: (row: SqlRow) => Row; readonly cursor: (row: SqlRow) => string },
): Page<Row> {
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return { rows: shown.map(toRow), ...(more ? { next: cursor(last) } : {}) };
}

function toInstanceRow(row: SqlRow): InstanceRow {
  return shownInstance(instanceRecord(row));
}

function toListedJob(row: SqlRow): ListedJob {
  return {
    ...openJob(row),
    instanceId: row["id"] as string,
    rootId: row["root_id"] as string,
    held: Boolean(row["held"]),
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

function toFigures(row: SqlRow): StoredFigures {
  return {
    hash: row["hash"] as string,
    process: row["process"] as string,
    figures: JSON.parse(row["figures"] as string) as StoredFigures["figures"],
  };
}
