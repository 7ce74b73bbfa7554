import { AppError, type Json } from "@tutti/kernel";
import type { Client, Pool } from "pg";
import { chainStart } from "../log/codec.ts";
import { armedTimer, openJob } from "../sql/rows.ts";
import { type OutboxEntry, quarantineKey, type Store } from "../store.ts";
import { asStorageFailure, explain, openPool, type Place, placeOf } from "./connect.ts";
import { messageReaderOf } from "./coordination.ts";
import { assertDurable, claimFor, migrate } from "./migrate.ts";
import { OwnerSession } from "./owner-session.ts";
import { takeOwnership, thisOwner, type Waiting } from "./ownership.ts";
import { counters, find, program, standing } from "./read.ts";
import { type Run, readerOf } from "./reader.ts";
import { ask, type Connection, transact, type Value } from "./session.ts";
import { verifyChain } from "./verify.ts";
import { TurnWriter } from "./write.ts";

/** How many of the newest rows are checked against their hashes at every opening. */
const tailRows = 1_000;

export interface PostgresOptions {
  /** The owner's own, for whoever finds the database owned: such as how it can be reached. */
  readonly note?: Json;
  /** A standby: waits until the owner is gone instead of throwing `database-owned`. */
  readonly waiting?: Waiting;
}

/** One holding of the lock. */
interface Holding {
  readonly session: OwnerSession;
  readonly writer: TurnWriter;
  readonly epoch: number;
}

/**
 * The log in a PostgreSQL, at `postgres://…?schema=…`. Owns it until it is closed or the session is lost; creates the
 * schema when it is missing. Rejects with `database-owned`, `database-away`, `database-refused`, `database-unknown`,
 * `database-newer`, `database-foreign`, `database-damaged` or `database-unwritable`, and then nothing was changed.
 */
export async function openPostgresStore(url: string, options: PostgresOptions = {}): Promise<Store> {
  const place = placeOf(url);
  let listener: (error: AppError) => void = () => undefined;
  const lost = (): void =>
    listener(new AppError("storage-failed", `Expected the session with ${place.shown} to last, but it ended.`));
  let holding = await hold(place, { waiting: options.waiting, lost });
  let closed = false;
  const pool = await openPool(place);
  const run: Run = async (work) => {
    if (closed) throw new AppError("engine-closed", "Expected an open store, but it was closed.");
    try {
      return await work();
    } catch (error) {
      throw asStorageFailure(error, place);
    }
  };
  const own = <T>(work: (client: Client) => Promise<T>): Promise<T> => run(() => holding.session.use(work));
  const describe = (described: boolean): Promise<void> =>
    holding.session.use(async (client) => {
      const description = described ? JSON.stringify(thisOwner(Date.now(), options.note)) : null;
      const text = "UPDATE owner SET description = $1 WHERE epoch = $2";
      await ask(client, { text, values: [description, holding.epoch] });
    });
  return {
    ...readerOf(pool, run, async () => {
      if (closed) return;
      closed = true;
      if (holding.session.isAlive) await describe(false).catch(() => undefined);
      await holding.session.close();
      await pool.end();
    }),
    find: (wanted) => own((client) => find(client, wanted)),
    program: (hash) => own((client) => program(client, hash)),
    claimEpoch: async () => {
      const epoch = await own(nextEpoch);
      holding = { ...holding, epoch };
      await run(() => describe(true));
      return epoch;
    },
    commit: (turn) =>
      own(async (client) => {
        const { statements, done } = holding.writer.write(turn);
        await transact(client, [{ text: "SELECT fence($1)", values: [holding.epoch] }, ...statements]);
        done();
      }),
    reopen: () =>
      run(async () => {
        holding = await holdAgain(place, holding, { pool, lost });
      }),
    watch: (tell) => {
      listener = tell;
    },
    ...questionsOf(own),
    idle: () => undefined,
  };
}

type Own = <T>(work: (client: Client) => Promise<T>) => Promise<T>;
type Questions = Omit<Store, keyof ReturnType<typeof readerOf> | "claimEpoch" | "commit" | "reopen" | "watch" | "idle">;

/** What turns and recovery ask for. */
function questionsOf(own: Own): Questions {
  const rows = (text: string, ...values: readonly Value[]) => own((client) => ask(client, { text, values }));
  const numbers = async (text: string, ...values: readonly Value[]): Promise<number[]> =>
    (await rows(text, ...values)).map((row) => row["instance"] as number);
  return {
    counters: () => own(counters),
    standing: (wanted) =>
      own(async (client) => ({ counters: await counters(client), ...(await standing(client, wanted)) })),
    openJobs: async (after, limit) => {
      const text = "SELECT * FROM jobs WHERE (instance, key) > ($1, $2) ORDER BY instance, key LIMIT $3";
      return (await rows(text, after?.instance ?? 0, after?.key ?? 0, limit)).map(openJob);
    },
    heldInstances: () =>
      numbers(`SELECT number AS instance FROM instances i WHERE held AND ended_at IS NULL
        AND EXISTS (SELECT FROM jobs j WHERE j.instance = i.number)`),
    quarantined: () => numbers("SELECT instance FROM incidents WHERE key = $1", quarantineKey),
    timers: async (after, limit) => {
      const text =
        "SELECT * FROM timers WHERE (due, instance, key) > ($1, $2, $3) ORDER BY due, instance, key LIMIT $4";
      const { due = Number.MIN_SAFE_INTEGER, instance = 0, key = 0 } = after ?? {};
      return (await rows(text, due, instance, key, limit)).map(armedTimer);
    },
    outbox: async () =>
      (await rows("SELECT entry FROM outbox ORDER BY id")).map(
        (row) => JSON.parse(row["entry"] as string) as OutboxEntry,
      ),
    ...messageReaderOf(own),
  };
}

/** Takes the lock, then brings the schema up to date: so whoever owns it already is not disturbed. */
async function hold(
  place: Place,
  { waiting, lost }: { readonly waiting?: Waiting | undefined; readonly lost: () => void },
): Promise<Holding> {
  const client = await takeOwnership(place, waiting);
  try {
    await migrate(client, place);
    await claimFor(client, place, "embedded");
    await assertDurable(client, place);
    const writer = new TurnWriter((await verifyChain(client, tailRows)) ?? chainStart);
    const epoch = await epochNow(client);
    return { session: new OwnerSession(client, lost), writer, epoch };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw explain(error, place);
  }
}

/** After a failure: goes on in the session that is still there, or in a new one if nobody came in between. */
async function holdAgain(
  place: Place,
  { session, epoch }: Holding,
  { pool, lost }: { readonly pool: Pool; readonly lost: () => void },
): Promise<Holding> {
  if ((await epochNow(pool)) !== epoch) throw ownershipLost(place);
  if (session.isAlive) {
    const chain = await session.use((client) => verifyChain(client, tailRows));
    return { session, epoch, writer: new TurnWriter(chain ?? chainStart) };
  }
  const again = await hold(place, { lost }).catch((error: unknown) => {
    // It may be our own former session, whose end the server has not noticed yet.
    if (!(error instanceof AppError) || error.code !== "database-owned") throw error;
    throw new AppError("storage-failed", error.message, { cause: error });
  });
  if (again.epoch === epoch) return again;
  await again.session.close();
  throw ownershipLost(place);
}

function ownershipLost({ shown }: Place): AppError {
  return new AppError(
    "ownership-lost",
    `Expected to own the database at ${shown}, but another process has taken it over.`,
  );
}

async function epochNow(on: Connection): Promise<number> {
  const [row] = await ask(on, { text: "SELECT epoch FROM owner", values: [] });
  return row?.["epoch"] as number;
}

async function nextEpoch(client: Client): Promise<number> {
  const [row] = await ask(client, { text: "UPDATE owner SET epoch = epoch + 1 RETURNING epoch", values: [] });
  return row?.["epoch"] as number;
}
