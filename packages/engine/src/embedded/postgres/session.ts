import { createHash } from "node:crypto";
import type { Client, ClientBase, Pool, QueryConfig, QueryResult } from "pg";
import type { SqlRow } from "../sql/rows.ts";
import { arrayLiteral, toStored } from "./text.ts";

/** One connection, or any that is free. */
export type Connection = ClientBase | Pool;

export type Plain = string | number | boolean | null;
/** A list is sent as an array. */
export type Value = Plain | readonly Plain[];

export interface Statement {
  readonly text: string;
  readonly values: readonly Value[];
}

/** Texts that were given a name. They are few: all are written in this folder, but for the conditions of lists. */
const names: Map<string, string> = new Map();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash("sha256").update(text).digest("base64url").slice(0, 32);
    names.set(text, name);
  }
  return name;
}

/** Sends a statement, prepared once a connection. What was sent before it need not be answered yet. */
export async function ask(on: Connection, statement: Statement): Promise<readonly SqlRow[]> {
  return (await on.query(prepared(statement))).rows;
}

function prepared({ text, values }: Statement): QueryConfig {
  return { name: nameOf(text), text, values: values.map(toParameter) };
}

function toParameter(value: Value): string | number | boolean | null {
  if (typeof value === "string") return toStored(value);
  return value !== null && typeof value === "object" ? toStored(arrayLiteral(value)) : value;
}

/** One round trip: everything is sent at once, and all of it counts or nothing. Resolves once it is durable. */
export function transact(client: Client, statements: readonly Statement[]): Promise<void> {
  // Before anything is sent: a statement that cannot even be said must not leave a turn without it.
  const queries = statements.map(prepared);
  return commit(client, queries, [client.query("BEGIN")]);
}

/** The same for a transaction that has begun already. */
export function conclude(client: Client, statements: readonly Statement[]): Promise<void> {
  return commit(client, statements.map(prepared), []);
}

async function commit(
  client: Client,
  queries: readonly QueryConfig[],
  sent: readonly Promise<QueryResult>[],
): Promise<void> {
  const asked = queries.map((query) => client.query(query));
  const committed = client.query("COMMIT");
  const answers = await Promise.allSettled([...sent, ...asked, committed]);
  // The first is the cause: what follows a failed statement fails because of it.
  const failed = answers.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  const { command } = (answers.at(-1) as PromiseFulfilledResult<QueryResult>).value;
  if (command !== "COMMIT") throw new Error(`Expected the turn to be committed, but the server says ${command}`);
}

/** For statements of our own with `?` for each value. */
export function numberedPlaces(text: string): string {
  let count = 0;
  return text.replaceAll("?", () => `$${++count}`);
}
