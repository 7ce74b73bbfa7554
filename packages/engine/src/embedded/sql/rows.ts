import { AppError, type JsonObject, type QueueClass, type VersionFigures } from "@tutti/kernel";
import type { Deployment, InstanceRow, MessageReceiver } from "../../port.ts";
import type { ChainedRow } from "../log/chain.ts";
import type { OpenSubscription, StoredMessage } from "../message/coordination.ts";
import type { ArmedTimer, InstanceNumber, InstanceRecord, LogRow, OpenJob, StoredDeployment } from "../store.ts";

/*
 * What a row of each table is to the engine. Both stores that speak SQL name their columns alike; a truth value is 0 or
 * 1 in SQLite.
 */

export type SqlRow = { readonly [column: string]: unknown };

export function instanceRecord(row: SqlRow): InstanceRecord {
  return {
    number: row["number"] as number,
    instanceId: row["id"] as string,
    rootId: row["root_id"] as string,
    parentId: row["parent_id"] as string | null,
    process: row["process"] as string,
    version: row["version"] as string,
    hash: row["hash"] as string,
    deployment: row["deployment"] as string,
    businessKey: row["business_key"] as string | null,
    requestId: row["request_id"] as string | null,
    startedBy: row["started_by"] as string | null,
    copied: row["copied"] as number,
    status: row["status"] as InstanceRow["status"],
    held: Boolean(row["held"]),
    incidents: row["incidents"] as number,
    startedAt: row["started_at"] as number,
    endedAt: row["ended_at"] as number | null,
  };
}

export function openJob(row: SqlRow): OpenJob {
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

export function armedTimer(row: SqlRow): ArmedTimer {
  return { due: row["due"] as number, instance: row["instance"] as number, key: row["key"] as number };
}

export function subscription(row: SqlRow): OpenSubscription {
  return {
    instance: row["instance"] as number,
    key: row["key"] as number,
    kind: row["kind"] as OpenSubscription["kind"],
    name: row["name"] as string,
    correlationKey: row["correlation_key"] as string | null,
    process: row["process"] as string,
    element: row["element"] as string,
    position: row["position"] as number,
    since: row["since"] as number,
    repeats: Boolean(row["repeats"]),
    taken: Boolean(row["taken"]),
  };
}

export function message(row: SqlRow): StoredMessage {
  return {
    number: row["number"] as number,
    kind: row["kind"] as StoredMessage["kind"],
    name: row["name"] as string,
    correlationKey: row["correlation_key"] as string | null,
    id: row["id"] as string | null,
    payload: JSON.parse(row["payload"] as string) as JsonObject,
    publishedAt: row["published_at"] as number,
    ttlMs: row["ttl_ms"] as number,
    receivers: JSON.parse(row["receivers"] as string) as MessageReceiver[],
  };
}

export function storedDeployment(row: SqlRow): StoredDeployment {
  return {
    number: row["number"] as number,
    deployment: {
      id: row["id"] as string,
      programs: JSON.parse(row["programs"] as string) as Deployment["programs"],
    },
    starts: JSON.parse(row["starts"] as string) as StoredDeployment["starts"],
  };
}

/** With the name of the program that they are of. */
export function storedFigures(row: SqlRow): [hash: string, figures: VersionFigures] {
  return [row["hash"] as string, JSON.parse(row["figures"] as string) as VersionFigures];
}

export function chainedRow(row: SqlRow): ChainedRow {
  return {
    position: row["position"] as number,
    instance: row["instance"] as number,
    sequence: row["sequence"] as number,
    at: row["at"] as number,
    text: row["events"] as string,
    hash: row["hash"] as string | null,
  };
}

/** A hole in an instance's events would rebuild a state that never was. */
export function checkSequence(instance: InstanceNumber, from: number, rows: readonly LogRow[]): void {
  let next = from + 1;
  for (const row of rows) {
    if (row.sequence !== next) {
      throw new AppError(
        "database-damaged",
        `Expected event ${next} of instance ${instance} at log row ${row.position}, but found event ${row.sequence}.`,
      );
    }
    next += row.events.length;
  }
}
