import { AppError } from "@tutti/kernel";
import type { Client, ClientConfig, Pool, PoolConfig } from "pg";
import { fromStored } from "./text.ts";

/** Where a store is: a database, and a schema in it. */
export interface Place {
  readonly url: string;
  readonly schema: string;
  /** Settings of the session that the URL asks for. Ours come after them, and count. */
  readonly options: string;
  /** What may be shown: without the password. */
  readonly shown: string;
}

const connectMsMax = 5_000;
/** What a read may take. The longest of the engine's own pages takes far less. */
const readMsMax = 60_000;
const readersMax = 4;
const schemaPattern = /^[a-z_][a-z0-9_]{0,62}$/;

/** `postgres://user:password@host:port/database?schema=tutti`; the other parameters are those of libpq. */
export function placeOf(url: string): Place {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new AppError("store-invalid", "Expected a store as postgres://user@host/database, but it is not a URL.");
  }
  if (parsed.protocol !== "postgres:" && parsed.protocol !== "postgresql:") {
    throw new AppError("store-invalid", `Expected a store as postgres://…, but it begins with ${parsed.protocol}`);
  }
  const schema = parsed.searchParams.get("schema") ?? "tutti";
  if (!schemaPattern.test(schema)) {
    throw new AppError(
      "store-invalid",
      `Expected a schema of a-z, 0-9 and _ that begins with a letter, but got '${schema}'.`,
    );
  }
  const options = parsed.searchParams.get("options") ?? "";
  parsed.searchParams.delete("schema");
  parsed.searchParams.delete("options");
  const { host, pathname } = parsed;
  return { url: parsed.href, schema, options, shown: `postgres://${host}${pathname} (schema ${schema})` };
}

/** Settings of every session. */
const settings = [
  // A turn that was answered survives a crash of the server.
  "synchronous_commit=on",
  // Compiling a plan costs more than any of our statements.
  "jit=off",
  // A plan is made once, often while a table is still empty: it must be one for when it is full.
  "enable_seqscan=off",
  // A host that vanished without a word loses its lock in 4 s, so that a standby can take over in 5.
  "tcp_keepalives_idle=1",
  "tcp_keepalives_interval=1",
  "tcp_keepalives_count=3",
  "tcp_user_timeout=4000",
];

function configOf({ url, schema, options }: Place): ClientConfig {
  const own = [`search_path=${schema}`, ...settings].map((each) => `-c ${each}`);
  return {
    connectionString: url,
    options: [options, ...own].join(" ").trim(),
    application_name: "tutti",
    connectionTimeoutMillis: connectMsMax,
    keepAlive: true,
    keepAliveInitialDelayMillis: 1_000,
    // Statements are sent without waiting for the answers to those before.
    pipeline: true,
    types: { getTypeParser: parserOf },
  };
}

/** Whole numbers are within 2^53: the engine made them. */
const parsers: { readonly [oid: number]: (text: string) => unknown } = {
  16: (text) => text === "t",
  20: Number,
  23: Number,
  25: fromStored,
};

function parserOf(oid: number): (text: string) => unknown {
  return parsers[oid] ?? ((text) => text);
}

/** The driver is loaded by those who have a PostgreSQL, and only then. */
async function driver(): Promise<{ Client: typeof Client; Pool: typeof Pool }> {
  const { default: pg } = await import("pg");
  return pg;
}

/** One connection, with pipelining. Rejects with a code that says what is wrong, never with the password. */
export async function connect(place: Place): Promise<Client> {
  const pg = await driver();
  const client = new pg.Client(configOf(place));
  // Without a listener an error of the connection would end the process; those who use it learn from their queries.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw explain(error, place);
  }
}

/** Connections for those who only read, so that a long list keeps no turn waiting. */
export async function openPool(place: Place): Promise<Pool> {
  const pg = await driver();
  const config: PoolConfig = {
    ...configOf(place),
    max: readersMax,
    query_timeout: readMsMax,
    idleTimeoutMillis: 10_000,
    allowExitOnIdle: true,
  };
  const pool = new pg.Pool(config);
  pool.on("error", () => undefined);
  return pool;
}

const codes: { readonly [state: string]: readonly [code: string, what: string] } = {
  "28P01": ["database-refused", "it refuses the name or the password"],
  "28000": ["database-refused", "it refuses the name or the password"],
  "42501": ["database-refused", "this user may not do what is needed there"],
  "3D000": ["database-unknown", "there is no such database"],
  "53300": ["database-away", "it has too many connections"],
  "57P01": ["database-away", "it is shutting down"],
  "57P02": ["database-away", "it has crashed"],
  "57P03": ["database-away", "it is starting up or shutting down"],
  "25006": ["database-unwritable", "it is read-only"],
  // Raised by `fence`.
  TU001: ["ownership-lost", "another process has taken it over"],
  "53100": ["storage-failed", "its disk is full"],
};

/** PostgreSQL's errors, and those of the connection, in our words; ours unchanged. */
export function explain(error: unknown, { shown }: Place): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  const state = "code" in error ? String(error.code) : "";
  const isFromServer = "severity" in error;
  const [code, what] =
    codes[state] ?? (isFromServer ? ["storage-failed", "it failed"] : ["database-away", "it does not answer"]);
  const details = isFromServer ? { postgres: state } : {};
  return new AppError(code, `Expected to use the database at ${shown}, but ${what} (${said(error)}).`, {
    cause: error,
    details,
  });
}

/** An address that has several is refused with one error for each, and no words of its own. */
function said(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(String).join("; ") : error.message;
}

/** What is said of a database that cannot be opened; while it is used, each is a failure like a full disk. */
const openingCodes = new Set(["database-away", "database-refused", "database-unknown", "database-unwritable"]);

/**
 * For the engine every failure of the database is one of the store: it forgets what it has in memory, and goes on when
 * the database does.
 */
export function asStorageFailure(error: unknown, place: Place): unknown {
  const explained = explain(error, place);
  if (!(explained instanceof AppError) || !openingCodes.has(explained.code)) return explained;
  return new AppError("storage-failed", explained.message, { cause: error, details: explained.details });
}
