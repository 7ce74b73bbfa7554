import { expiresAt, forgottenAt, type ProgramDocument } from "@tutti/kernel";
import type { ChainedRow } from "../log/chain.ts";
import { codecVersion, type Blob as Payload } from "../log/codec.ts";
import {
  type CoordinationChange,
  channelNamed,
  type OpenSubscription,
  type Refusal,
  type StoredMessage,
  type StoredRollout,
  type StoredSchedule,
} from "../message/coordination.ts";
import type { ArmedTimer, Change, InstanceRecord, OpenJob, OutboxEntry, StoredFigures } from "../store.ts";
import { type Bulk, type Columns, deleting, inserting, putting, type Table, updating } from "./bulk.ts";
import type { Statement } from "./session.ts";
import { arrayLiteral, channelDigest } from "./text.ts";

/*
 * Every statement that a turn may write, one for any number of rows. Types of rows are those of the changes.
 */

export type Of<T extends Change["type"]> = Extract<Change, { readonly type: T }>;
type Keyed = { readonly instance: number; readonly key: number };
type Changed<T extends CoordinationChange["type"]> = Extract<CoordinationChange, { readonly type: T }>;

const number: Columns<InstanceRecord> = { number: ["bigint", (r) => r.number] };
const keyed: Columns<Keyed> = { instance: ["bigint", (k) => k.instance], key: ["bigint", (k) => k.key] };

export const log: { put: Bulk<ChainedRow>; blobs: Bulk<Payload>; snapshots: Bulk<Of<"snapshot-put">> } = {
  put: inserting<ChainedRow>("log", {
    position: ["bigint", (r) => r.position],
    instance: ["bigint", (r) => r.instance],
    sequence: ["bigint", (r) => r.sequence],
    at: ["bigint", (r) => r.at],
    codec: ["bigint", () => codecVersion],
    events: ["text", (r) => r.text],
    hash: ["text", (r) => r.hash],
    cause: ["bigint", (r) => r.cause ?? 0],
  }),
  blobs: inserting<Payload>(
    "blobs",
    { digest: ["text", (b) => b.digest], content: ["text", (b) => b.text] },
    "ON CONFLICT DO NOTHING",
  ),
  snapshots: putting<Of<"snapshot-put">>(
    "snapshots",
    { instance: ["bigint", (s) => s.instance] },
    {
      sequence: ["bigint", (s) => s.sequence],
      position: ["bigint", (s) => s.position],
      state: ["text", (s) => JSON.stringify(s.state)],
    },
  ),
};

export const instances: { [what in "put" | "update" | "move"]: Bulk<InstanceRecord> } = {
  put: inserting<InstanceRecord>("instances", {
    ...number,
    id: ["text", (r) => r.instanceId],
    root_id: ["text", (r) => r.rootId],
    parent_id: ["text", (r) => r.parentId],
    process: ["text", (r) => r.process],
    version: ["text", (r) => r.version],
    hash: ["text", (r) => r.hash],
    deployment: ["text", (r) => r.deployment],
    business_key: ["text", (r) => r.businessKey],
    request_id: ["text", (r) => r.requestId],
    status: ["text", (r) => r.status],
    held: ["boolean", (r) => r.held],
    incidents: ["bigint", (r) => r.incidents],
    started_at: ["bigint", (r) => r.startedAt],
    ended_at: ["bigint", (r) => r.endedAt],
    started_by: ["text", (r) => r.startedBy],
    copied: ["bigint", (r) => r.copied],
  }),
  update: updating<InstanceRecord>("instances", number, {
    status: ["text", (r) => r.status],
    held: ["boolean", (r) => r.held],
    incidents: ["bigint", (r) => r.incidents],
    ended_at: ["bigint", (r) => r.endedAt],
  }),
  move: updating<InstanceRecord>("instances", number, {
    process: ["text", (r) => r.process],
    version: ["text", (r) => r.version],
    hash: ["text", (r) => r.hash],
    deployment: ["text", (r) => r.deployment],
    copied: ["bigint", (r) => r.copied],
  }),
};

export const jobs: Table<OpenJob, Keyed, Of<"job-move">> = {
  put: putting<OpenJob>("jobs", keyed, {
    element: ["text", (j) => j.element],
    job_type: ["text", (j) => j.jobType],
    queue: ["text", (j) => j.queue],
    priority: ["bigint", (j) => j.priority],
    attempt: ["bigint", (j) => j.attempt],
    not_before: ["bigint", (j) => j.notBefore],
    since: ["bigint", (j) => j.since],
    limit_key: ["text", (j) => j.limitKey],
  }),
  patch: updating<Of<"job-move">>("jobs", keyed, { element: ["text", (j) => j.element] }),
  delete: deleting<Keyed>("jobs", keyed),
};

export const timers: Table<ArmedTimer, Keyed> = {
  put: putting<ArmedTimer>("timers", keyed, { due: ["bigint", (t) => t.due] }),
  delete: deleting<Keyed>("timers", keyed),
};

export const tasks: Table<Of<"task-put">["task"], Keyed> = {
  put: putting<Of<"task-put">["task"]>("tasks", keyed, {
    assignee: ["text", (t) => t.assignee],
    row: ["text", ({ instance: _instance, assignee: _assignee, ...row }) => JSON.stringify(row)],
  }),
  delete: deleting<Keyed>("tasks", keyed),
};

export const incidents: Table<Of<"incident-put">["incident"], Keyed> = {
  put: putting<Of<"incident-put">["incident"]>("incidents", keyed, {
    row: ["text", ({ instance: _instance, ...row }) => JSON.stringify(row)],
  }),
  delete: deleting<Keyed>("incidents", keyed),
};

const entryId: Columns<Pick<OutboxEntry, "id">> = { id: ["bigint", (e) => e.id] };
export const outbox: Table<OutboxEntry, Pick<OutboxEntry, "id">> = {
  put: inserting<OutboxEntry>("outbox", { ...entryId, entry: ["text", (e) => JSON.stringify(e)] }),
  delete: deleting<Pick<OutboxEntry, "id">>("outbox", entryId),
};

export const definitions: {
  programs: Bulk<ProgramDocument>;
  deployments: Bulk<Of<"deployment-put">>;
  figures: Bulk<StoredFigures>;
  slots: Bulk<Of<"slots-put">>;
} = {
  programs: inserting<ProgramDocument>(
    "programs",
    {
      hash: ["text", (p) => p.hash],
      process: ["text", (p) => p.id],
      version: ["text", (p) => p.version],
      document: ["text", (p) => JSON.stringify(p)],
    },
    "ON CONFLICT DO NOTHING",
  ),
  deployments: putting<Of<"deployment-put">>(
    "deployments",
    { id: ["text", (d) => d.deployment.id] },
    {
      number: ["bigint", (d) => d.number],
      programs: ["text", (d) => JSON.stringify(d.deployment.programs)],
      starts: ["text", (d) => JSON.stringify(d.starts)],
    },
  ),
  figures: putting<StoredFigures>(
    "version_figures",
    { hash: ["text", (f) => f.hash] },
    { process: ["text", (f) => f.process], figures: ["text", (f) => JSON.stringify(f.figures)] },
  ),
  slots: putting<Of<"slots-put">>("slots", { queue: ["text", (s) => s.queue] }, { slots: ["bigint", (s) => s.slots] }),
};

const asked: Columns<OpenSubscription> = {
  kind: ["text", (s) => s.kind],
  name: ["text", (s) => s.name],
  correlation_key: ["text", (s) => s.correlationKey],
  channel: ["text", channelDigest],
  process: ["text", (s) => s.process],
  element: ["text", (s) => s.element],
  repeats: ["boolean", (s) => s.repeats],
};
export const subscriptions: Table<OpenSubscription, Keyed, Changed<"subscription-taken">> = {
  // Asking twice opens one: when it was opened, and what it was given, stays.
  put: inserting<OpenSubscription>(
    "subscriptions",
    {
      ...keyed,
      ...asked,
      position: ["bigint", (s) => s.position],
      since: ["bigint", (s) => s.since],
      taken: ["boolean", (s) => s.taken],
    },
    `ON CONFLICT (instance, key) DO UPDATE SET ${Object.keys(asked)
      .map((column) => `${column} = excluded.${column}`)
      .join(", ")}`,
  ),
  patch: updating<Changed<"subscription-taken">>("subscriptions", keyed, { taken: ["boolean", (s) => s.taken] }),
  delete: deleting<Keyed>("subscriptions", keyed),
};

/** At most so many messages are forgotten at once: a commit must not take long. */
const forgottenMax = 10_000;

type Received = Pick<StoredMessage, "receivers">;
const receivers = (m: Received): string => JSON.stringify(m.receivers);
const receivedBy = (m: Received): string => arrayLiteral(m.receivers.map(({ process }) => process));
export const messages: {
  put: Bulk<StoredMessage>;
  patch: Bulk<Changed<"message-received">>;
  forget: (until: number) => Statement;
} = {
  put: inserting<StoredMessage>("messages", {
    number: ["bigint", (m) => m.number],
    kind: ["text", (m) => m.kind],
    name: ["text", (m) => m.name],
    correlation_key: ["text", (m) => m.correlationKey],
    channel: ["text", channelDigest],
    id: ["text", (m) => m.id],
    payload: ["text", (m) => JSON.stringify(m.payload)],
    published_at: ["bigint", (m) => m.publishedAt],
    ttl_ms: ["bigint", (m) => m.ttlMs],
    expires_at: ["bigint", expiresAt],
    forgotten_at: ["bigint", forgottenAt],
    receivers: ["text", receivers],
    received_by: ["text[]", receivedBy],
  }),
  patch: updating<Changed<"message-received">>(
    "messages",
    { number: ["bigint", (m) => m.number] },
    { receivers: ["text", receivers], received_by: ["text[]", receivedBy] },
  ),
  forget: (until: number) => ({
    text: `DELETE FROM messages WHERE number IN (SELECT number FROM messages WHERE forgotten_at <= $1
      ORDER BY forgotten_at, number LIMIT ${forgottenMax})`,
    values: [until],
  }),
};

type Holder = Pick<Changed<"holder-put">, "channel" | "process">;
const holder: Columns<Holder> = {
  channel: ["text", (h) => channelDigest(channelNamed(h.channel))],
  process: ["text", (h) => h.process],
};
export const holders: Table<Changed<"holder-put">, Holder> = {
  put: putting<Changed<"holder-put">>("holders", holder, {
    named: ["text", (h) => h.channel],
    instance: ["bigint", (h) => h.instance],
  }),
  delete: deleting<Holder>("holders", holder),
};

export const refusals: {
  put: Bulk<Refusal>;
  retry: (processes: readonly string[]) => Statement;
  forget: (keep: number) => Statement;
} = {
  put: inserting<Refusal>("refusals", {
    process: ["text", (r) => r.process],
    message: ["bigint", (r) => r.message],
    row: ["text", ({ message: _message, ...row }) => JSON.stringify(row)],
  }),
  retry: (processes: readonly string[]) => ({
    text: "UPDATE refusals SET message = NULL WHERE process = ANY ($1::text[]) AND message IS NOT NULL",
    values: [processes],
  }),
  forget: (keep: number) => ({
    text: "DELETE FROM refusals WHERE number <= (SELECT max(number) FROM refusals) - $1",
    values: [keep],
  }),
};

type Placed = { readonly process: string; readonly element: string; readonly trigger?: number };
const placed: Columns<Placed> = {
  process: ["text", (s) => s.process],
  element: ["text", (s) => s.element],
  place: ["bigint", (s) => s.trigger ?? 0],
};
export const schedules: Table<StoredSchedule, Placed> = {
  put: putting<StoredSchedule>("schedules", placed, { row: ["text", (s) => JSON.stringify(s)] }),
  delete: deleting<Placed>("schedules", placed),
};

const ofProcess: Columns<{ readonly process: string }> = { process: ["text", (r) => r.process] };
export const rollouts: Table<StoredRollout, { readonly process: string }> = {
  put: putting<StoredRollout>("rollouts", ofProcess, { row: ["text", (r) => JSON.stringify(r)] }),
  delete: deleting<{ readonly process: string }>("rollouts", ofProcess),
};
