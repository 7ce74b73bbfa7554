import { hash } from "node:crypto";
import { AppError } from "@tutti/kernel";
import type { Client, Notification, Pool } from "pg";
import { chainStart } from "../log/codec.ts";
import type { Appended, News, SharedLog } from "../shared-log.ts";
import type { Standing, StandingWanted } from "../store.ts";
import { asStorageFailure, connect, explain, openPool, type Place, placeOf } from "./connect.ts";
import { messageReaderOf } from "./coordination.ts";
import { assertDurable, claimFor, lockClass, migrate } from "./migrate.ts";
import { refuseOwner } from "./ownership.ts";
import { counters, standing } from "./read.ts";
import { type Run, readerOf } from "./reader.ts";
import { ask, type Connection, conclude, type Statement } from "./session.ts";
import { verifyChain } from "./verify.ts";
import { TurnWriter } from "./write.ts";

/** How many of the newest rows are checked against their hashes at every opening. */
const tailRows = 1_000;
/** How often it is looked whether others have appended, of which the server's word did not come. */
const lookEveryMs = 1_000;
/** A process that stands still within an append holds everybody up: the server ends its session after so long. */
const standstillMsMax = 5_000;
/** How long an append may take. Longer means that the server is not there any more. */
const appendMsMax = 20_000;

/**
 * The log in a PostgreSQL, at `postgres://…?schema=…`, for any number of processes at once. Creates the schema when it is
 * missing. Rejects like `openPostgresStore`; with `database-owned` or `database-foreign` where the embedded engine is.
 */
export async function openPostgresLog(url: string): Promise<SharedLog> {
  const place = placeOf(url);
  await prepare(place);
  const pool = await openPool(place);
  let closed = false;
  const run: Run = async (work) => {
    if (closed) throw new AppError("engine-closed", "Expected an open log, but it was closed.");
    try {
      return await work();
    } catch (error) {
      throw asStorageFailure(error, place);
    }
  };
  const appender = new Appender(place);
  let listener: Listener | undefined;
  const reader = readerOf(pool, run, async () => {
    if (closed) return;
    closed = true;
    await Promise.all([listener?.close(), appender.close(), pool.end()]);
  });
  return {
    ...reader,
    ...messageReaderOf((work) => run(() => work(pool))),
    append: (wanted, decide) => run(() => appender.append(wanted, decide)),
    news: () => run(() => news(pool)),
    watch: (tell) => {
      listener ??= new Listener(place, pool, tell);
    },
  };
}

async function prepare(place: Place): Promise<void> {
  const client = await connect(place);
  try {
    await refuseOwner(client, place);
    await migrate(client, place);
    await claimFor(client, place, "temporal");
    await assertDurable(client, place);
    await verifyChain(client, tailRows);
    await client.query("SELECT pg_advisory_unlock_all()");
  } catch (error) {
    throw explain(error, place);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function news(on: Connection): Promise<News> {
  const text = "SELECT (SELECT coalesce(max(position), 0) FROM log) AS position, definitions FROM owner";
  const [row] = await ask(on, { text, values: [] });
  return row as unknown as News;
}

const defined: Statement = { text: "UPDATE owner SET definitions = definitions + 1", values: [] };
/** Said once the transaction is committed. */
const tellOthers = "SELECT pg_notify($1, $2 || ' ' || definitions) FROM owner";

/** One for each schema: names of channels are too short for those of schemas. */
function channelOf({ schema }: Place): string {
  return `tutti_${hash("sha256", schema, "hex").slice(0, 32)}`;
}

/**
 * Appends in a session of its own. A lock that ends with the transaction lets one at a time in, of all processes, and
 * is free only once what was written can be read: so positions have the order of commits and no gaps, and whoever
 * reads one finds all before it. A sequence of the database's would leave a gap with each transaction that fails.
 */
class Appender {
  readonly #place: Place;
  readonly #writer: TurnWriter = new TurnWriter(chainStart);
  #client: Client | undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  async append(wanted: StandingWanted, decide: (standing: Standing) => Appended): Promise<void> {
    const client = await this.#connected();
    const late = setTimeout(() => client.connection.stream.destroy(), appendMsMax);
    try {
      await this.#appendIn(client, wanted, decide);
    } catch (error) {
      // Nobody knows what the session is in the middle of. Its end undoes that.
      this.#client = undefined;
      await client.end().catch(() => undefined);
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  async #appendIn(client: Client, wanted: StandingWanted, decide: (standing: Standing) => Appended): Promise<void> {
    // All in one round trip. Each statement sees what is committed when it begins: after the lock, all that there is.
    const asked = [
      client.query("BEGIN"),
      client.query(`SELECT pg_advisory_xact_lock(${lockClass}, hashtext($1))`, [`append ${this.#place.schema}`]),
    ] as const;
    const chained = ask(client, { text: "SELECT hash FROM log ORDER BY position DESC LIMIT 1", values: [] });
    const counting = counters(client);
    const standings = standing(client, wanted);
    await settled([...asked, chained, counting, standings]);
    const [[end], counted, stands] = await Promise.all([chained, counting, standings]);
    const turn = decide({ counters: counted, ...stands });
    this.#writer.goOnFrom((end?.["hash"] as string | undefined) ?? chainStart);
    const { statements } = this.#writer.write(turn);
    if (statements.length === 0) return conclude(client, []);
    const position = String(counted.position + turn.rows.length);
    const told = { text: tellOthers, values: [channelOf(this.#place), position] };
    await conclude(client, [...statements, ...(turn.defines ? [defined] : []), told]);
  }

  async close(): Promise<void> {
    await this.#client?.end();
  }

  async #connected(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const client = await connect(this.#place);
    client.once("end", () => {
      if (this.#client === client) this.#client = undefined;
    });
    await client.query(`SET idle_in_transaction_session_timeout = ${standstillMsMax}`);
    await client.query(`SET lock_timeout = ${appendMsMax / 2}`);
    this.#client = client;
    return client;
  }
}

/** Throws what failed first: it is the cause of what follows. */
async function settled(answers: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(answers)).find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Listens for what others append, and looks by itself all the same: a session may end unnoticed. */
class Listener {
  readonly #place: Place;
  readonly #pool: Pool;
  readonly #tell: (news: News) => void;
  readonly #looks: NodeJS.Timeout;
  #client: Client | undefined;
  #closed = false;

  constructor(place: Place, pool: Pool, tell: (news: News) => void) {
    this.#place = place;
    this.#pool = pool;
    this.#tell = tell;
    this.#looks = setInterval(() => void this.#look(), lookEveryMs);
    this.#looks.unref();
    void this.#look();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looks);
    await this.#client?.end();
  }

  /** While the server is away nothing is told: there is nothing new. */
  async #look(): Promise<void> {
    try {
      if (this.#client === undefined) await this.#listen();
      const found = await news(this.#pool);
      if (!this.#closed) this.#tell(found);
    } catch {
      // The next look finds it.
    }
  }

  async #listen(): Promise<void> {
    const client = await connect(this.#place);
    if (this.#closed || this.#client !== undefined) return client.end();
    this.#client = client;
    client.once("end", () => {
      if (this.#client === client) this.#client = undefined;
    });
    client.on("notification", ({ payload = "" }: Notification) => {
      const [position = 0, definitions = 0] = payload.split(" ").map(Number);
      if (!this.#closed) this.#tell({ position, definitions });
    });
    await client.query(`LISTEN ${channelOf(this.#place)}`);
  }
}
