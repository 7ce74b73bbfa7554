import type { ProgramDocument, QueueClass } from "@tutti/kernel";
import { decodeEvents, digestsIn } from "../log/codec.ts";
import { checkSequence, instanceRecord, type SqlRow, storedDeployment, storedFigures } from "../sql/rows.ts";
import type {
  Counters,
  Found,
  InstanceNumber,
  LogRow,
  NamedLogRow,
  RowsRequest,
  Snapshot,
  Standing,
  StandingWanted,
  StoredDeployment,
  StoredInstance,
  Wanted,
} from "../store.ts";
import { rollouts, schedules } from "./coordination.ts";
import { ask, type Connection } from "./session.ts";

const records =
  "SELECT i.*, s.sequence, s.position, s.state FROM instances i LEFT JOIN snapshots s ON s.instance = i.number";
const recordsById = `${records} WHERE i.id = ANY ($1::text[])`;
const recordsByNumber = `${records} WHERE i.number = ANY ($1::bigint[])`;
const byRequest = "SELECT request_id, id FROM instances WHERE request_id = ANY ($1::text[])";
const rowsAfter = `SELECT l.* FROM unnest($1::bigint[], $2::bigint[]) AS wanted (instance, sequence)
  JOIN log l ON l.instance = wanted.instance AND l.sequence > wanted.sequence ORDER BY l.instance, l.sequence`;

/** What a turn asks for, whatever its number, in two round trips, and a third for payloads that were moved out. */
export async function find(on: Connection, { instanceIds, numbers, requestIds }: Wanted): Promise<Found> {
  const [byIds, byNumbers, used] = await Promise.all([
    askFor(on, recordsById, instanceIds),
    askFor(on, recordsByNumber, numbers),
    askFor(on, byRequest, requestIds),
  ]);
  const byNumber = new Map([...byIds, ...byNumbers].map((row) => [row["number"] as InstanceNumber, row]));
  const found = [...byNumber.values()];
  // Snapshots are replaced while the log only grows: rows are asked for by the snapshots that were read.
  const after = [found.map((row) => row["number"] as number), found.map((row) => Number(row["sequence"] ?? 0))];
  const rows = found.length === 0 ? [] : await logRows(on, await ask(on, { text: rowsAfter, values: after }));
  const of = Map.groupBy(rows, (row) => row.instance);
  return {
    instances: found.map((row) => storedInstance(row, of.get(row["number"] as InstanceNumber) ?? [])),
    requests: new Map(used.map((row) => [row["request_id"] as string, row["id"] as string])),
  };
}

async function askFor(on: Connection, text: string, keys: readonly (string | number)[]): Promise<readonly SqlRow[]> {
  return keys.length === 0 ? [] : ask(on, { text, values: [keys] });
}

function storedInstance(row: SqlRow, rows: readonly LogRow[]): StoredInstance {
  const record = instanceRecord(row);
  const snapshot: Snapshot | undefined =
    row["state"] === null
      ? undefined
      : {
          sequence: row["sequence"] as number,
          position: row["position"] as number,
          state: JSON.parse(row["state"] as string) as Snapshot["state"],
        };
  checkSequence(record.number, snapshot?.sequence ?? 0, rows);
  return { record, snapshot, rows };
}

export async function counters(on: Connection): Promise<Counters> {
  const text = `SELECT (SELECT coalesce(max(position), 0) FROM log) AS position,
    (SELECT coalesce(max(number), 0) FROM instances) AS instance,
    (SELECT coalesce(max(id), 0) FROM outbox) AS outbox,
    (SELECT coalesce(max(number), 0) FROM deployments) AS deployment`;
  const [found] = await ask(on, { text, values: [] });
  return found as unknown as Counters;
}

const standingRecords = "SELECT * FROM instances WHERE id = ANY ($1::text[])";
const standingRows = `SELECT l.* FROM unnest($1::text[], $2::bigint[]) AS wanted (id, sequence)
  JOIN instances i ON i.id = wanted.id JOIN log l ON l.instance = i.number AND l.sequence >= wanted.sequence
  ORDER BY l.instance, l.sequence`;
const standingFigures = "SELECT hash, figures FROM version_figures WHERE hash = ANY ($1::text[])";

/** In one round trip, and another for payloads that were moved out. */
export async function standing(
  on: Connection,
  { instances, requestIds, hashes }: StandingWanted,
): Promise<Omit<Standing, "counters">> {
  const ids = instances.map(({ instanceId }) => instanceId);
  const from = [ids, instances.map(({ sequence }) => sequence)];
  const [records, found, used, figures, planned, scheduled] = await Promise.all([
    askFor(on, standingRecords, ids),
    ids.length === 0 ? [] : ask(on, { text: standingRows, values: from }),
    askFor(on, byRequest, requestIds),
    askFor(on, standingFigures, hashes),
    rollouts(on),
    schedules(on),
  ]);
  const rows = Map.groupBy(await logRows(on, found), (row) => row.instance);
  return {
    instances: new Map(
      records.map(instanceRecord).map((record) => [record.instanceId, { record, rows: rows.get(record.number) ?? [] }]),
    ),
    requests: new Map(used.map((row) => [row["request_id"] as string, row["id"] as string])),
    figures: new Map(figures.map(storedFigures)),
    rollouts: planned,
    schedules: scheduled,
  };
}

const named = "SELECT l.*, i.id, i.root_id, i.copied FROM log l JOIN instances i ON i.number = l.instance";
const allRows = `${named} WHERE l.position > $1 ORDER BY l.position LIMIT $2`;
const rowsOfOne = `${named} WHERE l.instance = (SELECT number FROM instances WHERE id = $3) AND l.position > $1
  ORDER BY l.sequence LIMIT $2`;
// Positions are sorted before events are read, so that a page costs its own rows and not those of all children.
const rowsOfRoot = `${named} WHERE l.position IN (SELECT position FROM log WHERE instance IN
    (SELECT number FROM instances WHERE id = $3 UNION ALL
     SELECT number FROM instances WHERE root_id = $3 AND parent_id IS NOT NULL)
    AND position > $1 ORDER BY position LIMIT $2) ORDER BY l.position`;

export async function rows(on: Connection, request: RowsRequest): Promise<NamedLogRow[]> {
  const { after, limit, instanceId, rootId } = request;
  const name = instanceId ?? rootId;
  const text = instanceId !== undefined ? rowsOfOne : rootId !== undefined ? rowsOfRoot : allRows;
  const found = await ask(on, { text, values: name === undefined ? [after, limit] : [after, limit, name] });
  const logged = await logRows(on, found);
  return logged.map((row, index) => {
    const { id, root_id, copied } = found[index] as SqlRow;
    return { ...row, instanceId: id as string, rootId: root_id as string, copied: copied as number };
  });
}

async function logRows(on: Connection, found: readonly SqlRow[]): Promise<LogRow[]> {
  const digests = [...new Set(found.flatMap((row) => digestsIn(row["events"] as string)))];
  const blobs = await askFor(on, "SELECT digest, content FROM blobs WHERE digest = ANY ($1::text[])", digests);
  const contents = new Map(blobs.map((row) => [row["digest"] as string, row["content"] as string]));
  return found.map((row) => {
    const at = row["at"] as number;
    const encoded = { text: row["events"] as string, codec: row["codec"] as number, at };
    return {
      position: row["position"] as number,
      instance: row["instance"] as number,
      sequence: row["sequence"] as number,
      at,
      cause: row["cause"] as number,
      events: decodeEvents(encoded, (digest) => contents.get(digest)),
    };
  });
}

export async function program(on: Connection, hash: string): Promise<ProgramDocument | undefined> {
  const found = await ask(on, { text: "SELECT document FROM programs WHERE hash = $1", values: [hash] });
  return found[0] === undefined ? undefined : (JSON.parse(found[0]["document"] as string) as ProgramDocument);
}

export async function slots(on: Connection): Promise<Map<QueueClass, number>> {
  const found = await ask(on, { text: "SELECT * FROM slots", values: [] });
  return new Map(found.map((row) => [row["queue"] as QueueClass, row["slots"] as number]));
}

export async function deployments(on: Connection): Promise<StoredDeployment[]> {
  const found = await ask(on, { text: "SELECT * FROM deployments ORDER BY number", values: [] });
  return found.map(storedDeployment);
}
