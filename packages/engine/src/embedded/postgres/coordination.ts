import type { ChannelName } from "@tutti/kernel";
import {
  type BeginWanted,
  type ChannelRows,
  type ChannelWanted,
  channelNamed,
  type MessageCounts,
  type OpenSubscription,
  type QueueWanted,
  type SignalWanted,
  type StoredMessage,
  type StoredRollout,
  type StoredSchedule,
  type Unmatched,
} from "../message/coordination.ts";
import { message, type SqlRow, subscription } from "../sql/rows.ts";
import type { InstanceNumber, MessageReader } from "../store.ts";
import { ask, type Connection } from "./session.ts";
import { channelDigest } from "./text.ts";

/*
 * Reads of what happens between instances. All channels of a turn are asked for at once; `place` says which of them a
 * row belongs to.
 */

// The processes with a subscription there are found one after the other, each by one step in the index.
const waiting = `WITH RECURSIVE wanted AS (
    SELECT * FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS each (channel, size, place)
  ), processes AS (
    SELECT place, channel, size, (SELECT min(process) FROM subscriptions s
      WHERE s.channel = wanted.channel AND s.kind = 'message') AS process FROM wanted
    UNION ALL
    SELECT place, channel, size, (SELECT min(process) FROM subscriptions s
      WHERE s.channel = processes.channel AND s.kind = 'message' AND s.process > processes.process)
    FROM processes WHERE process IS NOT NULL
  )
  SELECT p.place, s.* FROM processes p CROSS JOIN LATERAL (
    SELECT * FROM subscriptions s WHERE s.channel = p.channel AND s.kind = 'message' AND s.process = p.process
      AND (NOT taken OR repeats) ORDER BY taken, instance, key LIMIT p.size
  ) s WHERE p.process IS NOT NULL ORDER BY p.place, s.process, s.taken, s.instance, s.key`;
const held = `SELECT each.place, h.process FROM unnest($1::text[]) WITH ORDINALITY AS each (channel, place)
  JOIN holders h ON h.channel = each.channel`;
const byId = `SELECT each.place, m.* FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
  AS each (place, channel, kind, id) JOIN messages m ON m.id = each.id AND m.channel = each.channel AND m.kind = each.kind`;
const byNumber = `SELECT each.place, m.* FROM unnest($1::bigint[], $2::bigint[]) AS each (place, number)
  JOIN messages m ON m.number = each.number`;

async function channels(on: Connection, wanted: readonly ChannelWanted[]): Promise<ChannelRows[]> {
  const digests = wanted.map(channelDigest);
  // A signal has no window: who waits for it is read in pages of its own.
  const sizes = wanted.map(({ kind, limit }) => (kind === "message" ? limit : 0));
  const ids = wanted.flatMap((each, index) => each.ids.map((id) => ({ index, id, kind: each.kind })));
  const numbers = wanted.flatMap((each, index) => each.numbers.map((number) => ({ index, number })));
  const idLists = [
    ids.map(({ index }) => index + 1),
    ids.map(({ index }) => digests[index] as string),
    ids.map(({ kind }) => kind),
    ids.map(({ id }) => id),
  ];
  const numberLists = [numbers.map(({ index }) => index + 1), numbers.map(({ number }) => number)];
  const [waits, holds, knownIds, knownNumbers] = await Promise.all([
    ask(on, { text: waiting, values: [digests, sizes] }),
    ask(on, { text: held, values: [digests] }),
    ids.length === 0 ? [] : ask(on, { text: byId, values: idLists }),
    numbers.length === 0 ? [] : ask(on, { text: byNumber, values: numberLists }),
  ]);
  const [waitsOf, holdsOf, knownOf] = [byPlace(waits), byPlace(holds), byPlace([...knownIds, ...knownNumbers])];
  return wanted.map(({ kind, name, correlationKey }, index) => ({
    kind,
    name,
    correlationKey,
    waiting: (waitsOf.get(index + 1) ?? []).map(subscription),
    held: (holdsOf.get(index + 1) ?? []).map((row) => row["process"] as string),
    remembered: (knownOf.get(index + 1) ?? []).map(message),
  }));
}

function byPlace(rows: readonly SqlRow[]): Map<number, SqlRow[]> {
  return Map.groupBy(rows, (row) => row["place"] as number);
}

const refused = "EXISTS (SELECT FROM refusals r WHERE r.message = m.number AND r.process = $1)";

async function queued(on: Connection, wanted: QueueWanted): Promise<StoredMessage[]> {
  const text = `SELECT * FROM messages m WHERE channel = $2 AND kind = 'message' AND number > $3 AND expires_at > $4
    AND NOT $1 = ANY (received_by) AND NOT ($5 AND ${refused}) ORDER BY number LIMIT $6`;
  const { process, after, now, toStart, limit } = wanted;
  const rows = await ask(on, { text, values: [process, channelDigest(wanted), after, now, toStart, limit] });
  return rows.map(message);
}

async function beginning(on: Connection, { process, name, now }: BeginWanted): Promise<ChannelName[]> {
  const text = `SELECT DISTINCT correlation_key FROM messages m
    WHERE left(name, 200) = left($2, 200) AND name = $2 AND kind = 'message' AND expires_at > $3
    AND NOT $1 = ANY (received_by) AND NOT ${refused}
    AND NOT EXISTS (SELECT FROM holders h WHERE h.channel = m.channel AND h.process = $1)
    ORDER BY correlation_key NULLS FIRST`;
  const rows = await ask(on, { text, values: [process, name, now] });
  return rows.map((row) => ({ name, correlationKey: row["correlation_key"] as string | null }));
}

async function signalled(on: Connection, wanted: SignalWanted): Promise<OpenSubscription[]> {
  const { name, openAt, after, limit } = wanted;
  const text = `SELECT * FROM subscriptions WHERE channel = $1 AND kind = 'signal' AND position <= $2
    AND (instance, key) > ($3, $4) ORDER BY instance, key LIMIT $5`;
  const channel = channelDigest({ name, correlationKey: null });
  const rows = await ask(on, { text, values: [channel, openAt, after.instance, after.key, limit] });
  return rows.map(subscription);
}

async function unmatched(on: Connection, now: number): Promise<Unmatched[]> {
  const text = `SELECT s.* FROM subscriptions s WHERE s.kind = 'message' AND NOT s.taken AND EXISTS
      (SELECT FROM messages m WHERE m.channel = s.channel AND m.kind = s.kind AND m.expires_at > $1
        AND NOT s.process = ANY (m.received_by))
    ORDER BY s.instance, s.key`;
  const ended = "SELECT h.* FROM holders h JOIN instances i ON i.number = h.instance WHERE i.ended_at IS NOT NULL";
  const [waits, holds] = await Promise.all([ask(on, { text, values: [now] }), ask(on, { text: ended, values: [] })]);
  return [
    ...waits.map(subscription).map((waiting) => {
      const { name, correlationKey, process } = waiting;
      return { name, correlationKey, process, waiting };
    }),
    ...holds.map((row) => ({ ...channelNamed(row["named"] as string), process: row["process"] as string })),
  ];
}

async function instanceIds(on: Connection, numbers: readonly InstanceNumber[]): Promise<Map<InstanceNumber, string>> {
  const text = "SELECT number, id FROM instances WHERE number = ANY ($1::bigint[])";
  const rows = await ask(on, { text, values: [numbers] });
  return new Map(rows.map((row) => [row["number"] as InstanceNumber, row["id"] as string]));
}

async function counts(on: Connection): Promise<MessageCounts> {
  const text = `SELECT count(*) AS kept, min(forgotten_at) AS next,
    coalesce(max(expires_at) FILTER (WHERE kind = 'message'), 0) AS until FROM messages`;
  const [row] = await ask(on, { text, values: [] });
  return {
    kept: row?.["kept"] as number,
    until: row?.["until"] as number,
    nextForgotten: row?.["next"] as number | null,
  };
}

export async function schedules(on: Connection): Promise<StoredSchedule[]> {
  const text = "SELECT row FROM schedules ORDER BY process, element, place";
  return (await ask(on, { text, values: [] })).map((row) => JSON.parse(row["row"] as string) as StoredSchedule);
}

export async function rollouts(on: Connection): Promise<StoredRollout[]> {
  const text = "SELECT row FROM rollouts ORDER BY process";
  return (await ask(on, { text, values: [] })).map((row) => JSON.parse(row["row"] as string) as StoredRollout);
}

/** `read` gives the connection to read on. */
export function messageReaderOf(read: <T>(work: (on: Connection) => Promise<T>) => Promise<T>): MessageReader {
  return {
    channels: (wanted) => read((on) => channels(on, wanted)),
    queued: (wanted) => read((on) => queued(on, wanted)),
    beginning: (wanted) => read((on) => beginning(on, wanted)),
    signalled: (wanted) => read((on) => signalled(on, wanted)),
    unmatched: (now) => read((on) => unmatched(on, now)),
    messageCounts: () => read(counts),
    instanceIds: (numbers) => read((on) => instanceIds(on, numbers)),
  };
}
