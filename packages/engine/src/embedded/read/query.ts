import { AppError } from "@tutti/kernel";
import type { JobRow, Page, QueueRow, Views } from "../../port.ts";
import type { ListedJob, PageRequest, StoreReader } from "../store.ts";
import { listSchedules } from "../time/list-schedules.ts";
import { listRollouts } from "../version/rollouts.ts";
import { listVersions } from "../version/versions.ts";

export interface Query {
  readonly view: keyof Views;
  readonly filter: object | undefined;
  readonly page: { readonly after?: string; readonly limit?: number } | undefined;
}

/** What only the process that runs the jobs knows. */
export interface LiveKnowledge {
  standing(job: ListedJob): Pick<JobRow, "state" | "since" | "progress"> | undefined;
  /** Epoch ms. */
  now(): number;
  queues(): Promise<readonly QueueRow[]>;
}

const limitDefault = 100;
const limitMax = 1_000;

export async function queryStore(store: StoreReader, query: Query, live: LiveKnowledge): Promise<Page<unknown>> {
  const page = pageRequest(query.page ?? {});
  const filter = query.filter ?? {};
  switch (query.view) {
    case "instances":
      return store.listInstances(filter, page);
    case "jobs": {
      const { rows, next } = await store.listJobs(filter, page);
      return { rows: rows.map((job) => jobRow(job, live.standing(job))), ...(next === undefined ? {} : { next }) };
    }
    case "tasks":
      return store.listTasks(filter, page);
    case "incidents":
      return store.listIncidents(filter, page);
    case "subscriptions":
      return store.listSubscriptions(filter, page);
    case "messages":
      return store.listMessages(filter, { ...page, now: live.now() });
    case "refusals":
      return store.listRefusals(filter, page);
    case "versions":
      return listVersions(store, filter, page);
    case "rollouts":
      return listRollouts(store, filter, page);
    case "schedules":
      return listSchedules(store, filter, page);
    case "queues":
      return { rows: await live.queues() };
    default:
      throw new AppError("limit-invalid", `Expected a list that exists, but got '${String(query.view)}'.`);
  }
}

function pageRequest({ after, limit = limitDefault }: NonNullable<Query["page"]>): PageRequest {
  if (!Number.isInteger(limit) || limit < 1 || limit > limitMax) {
    throw new AppError("limit-invalid", `Expected a page of 1 to ${limitMax} rows, but got ${limit}.`);
  }
  return { limit, ...(after === undefined ? {} : { after }) };
}

function jobRow(job: ListedJob, standing: ReturnType<LiveKnowledge["standing"]>): JobRow {
  const { instance: _instance, notBefore, held, limitKey: _limitKey, since, ...shown } = job;
  const stored = held ? "held" : notBefore > since ? "backoff" : "queued";
  return { ...shown, state: stored, since, progress: null, ...standing };
}
