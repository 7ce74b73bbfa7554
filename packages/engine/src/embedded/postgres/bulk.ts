import type { Plain, Statement } from "./session.ts";

/** An array of texts is given as `arrayLiteral` writes one. */
type Type = "bigint" | "boolean" | "text" | "text[]";

/** The columns of a statement: the type of each, and its value in a row. */
export type Columns<Row> = {
  readonly [column: string]: readonly [type: Type, value: (row: Row) => Plain];
};

/** Writes any number of rows, which are sent as one list a column: nearly always with one statement. */
export type Bulk<Row> = (rows: readonly Row[]) => Statement[];

/** Characters of one statement. A list has to fit into a string, and the server takes no message over a gigabyte. */
const statementCharsMax = 8_388_608;

/** What a turn may do to the rows of a table. */
export interface Table<Row, Key, Patch = never> {
  readonly put: Bulk<Row>;
  readonly delete: Bulk<Key>;
  readonly patch?: Bulk<Patch>;
}

/** Inserts rows. `more` says what happens to one that is there. */
export function inserting<Row>(table: string, columns: Columns<Row>, more = ""): Bulk<Row> {
  const text = `INSERT INTO ${table} (${names(columns)}) SELECT ${taken(columns).join(", ")} FROM ${given(columns)} ${more}`;
  return (rows) => statements(text, columns, rows);
}

/** Inserts rows, each in the place of one with the same keys. */
export function putting<Row>(table: string, keys: Columns<Row>, others: Columns<Row>): Bulk<Row> {
  const replaced = Object.keys(others).map((column) => `${column} = excluded.${column}`);
  const more = `ON CONFLICT (${names(keys)}) DO UPDATE SET ${replaced.join(", ")}`;
  return inserting(table, { ...keys, ...others }, more);
}

export function updating<Row>(table: string, keys: Columns<Row>, others: Columns<Row>): Bulk<Row> {
  const columns = { ...keys, ...others };
  const from = taken(others);
  const set = Object.keys(others).map((column, index) => `${column} = ${from[index]}`);
  const text = `UPDATE ${table} t SET ${set.join(", ")} FROM ${given(columns)} WHERE ${matches(keys)}`;
  return (rows) => statements(text, columns, rows);
}

export function deleting<Row>(table: string, keys: Columns<Row>): Bulk<Row> {
  const text = `DELETE FROM ${table} t USING ${given(keys)} WHERE ${matches(keys)}`;
  return (rows) => statements(text, keys, rows);
}

function names(columns: Columns<never>): string {
  return Object.keys(columns).join(", ");
}

function given(columns: Columns<never>): string {
  const lists = Object.values(columns).map(([type], index) => `$${index + 1}::${type === "text[]" ? "text" : type}[]`);
  return `unnest(${lists.join(", ")}) AS each (${names(columns)})`;
}

/** Each column as it is read from the lists. */
function taken(columns: Columns<never>): string[] {
  return Object.entries(columns).map(([name, [type]]) => (type === "text[]" ? `each.${name}::text[]` : `each.${name}`));
}

function matches(keys: Columns<never>): string {
  return Object.keys(keys)
    .map((key) => `t.${key} = each.${key}`)
    .join(" AND ");
}

function statements<Row>(text: string, columns: Columns<Row>, rows: readonly Row[]): Statement[] {
  const takers = Object.values(columns).map(([, value]) => value);
  const all: Statement[] = [];
  let lists: Plain[][] = [];
  let chars = statementCharsMax;
  for (const row of rows) {
    if (chars >= statementCharsMax) {
      lists = takers.map(() => []);
      all.push({ text, values: lists });
      chars = 0;
    }
    for (const [index, taker] of takers.entries()) {
      const value = taker(row);
      if (typeof value === "string") chars += value.length;
      lists[index]?.push(value);
    }
  }
  return all;
}

type Id = string | number;

/**
 * What a turn does to one table. Changes of one row come in an order, and a statement for all rows keeps none: so what
 * the turn did last to a row is worked out here, and written as deletes, then puts, then patches.
 */
export class Pending<Row, Key = Row, Patch = never> {
  readonly puts: Map<Id, Row> = new Map();
  readonly deletes: Map<Id, Key> = new Map();
  readonly patches: Map<Id, Patch> = new Map();

  put(id: Id, row: Row): void {
    this.puts.set(id, row);
  }

  delete(id: Id, key: Key): void {
    this.puts.delete(id);
    this.patches.delete(id);
    this.deletes.set(id, key);
  }

  /** A row that the turn itself puts is changed where it stands. */
  patch(id: Id, patch: Patch, apply: (row: Row) => Row): void {
    const row = this.puts.get(id);
    if (row === undefined) this.patches.set(id, patch);
    else this.puts.set(id, apply(row));
  }
}
