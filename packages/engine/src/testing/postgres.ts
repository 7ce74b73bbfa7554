import { spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FoundServer, findServer, freePort, serverProcess } from "@tutti/test-servers";
import { connect, placeOf } from "../embedded/postgres/connect.ts";

/** The folder of a PostgreSQL's commands. */
export function findPostgres(): FoundServer {
  return findServer("postgres.mjs");
}

/** A server of the test's own, on 127.0.0.1, with a data folder that goes with it. */
export interface PostgresServer {
  /** Of a schema that nobody else uses. The user may do everything and needs no password. */
  url(schema: string): string;
  /** The same for another user or database. */
  urlFor(parts: { readonly user?: string; readonly password?: string; readonly database?: string }): string;
  /** Ends the server: `kill` as a crash would, without a word to anybody. */
  stop(how?: "kill"): Promise<void>;
  /** On the same port with the same data. */
  start(): Promise<void>;
  /** Ends the server, and removes everything. */
  dispose(): Promise<void>;
}

/** Starts a server, with settings such as `fsync=off`. `locked` is a user who needs the password `secret`. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const found = findPostgres();
  if ("missing" in found) throw new Error(found.missing);
  const folder = mkdtempSync(join(tmpdir(), "tutti-pg-"));
  const data = join(folder, "data");
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? userNamed("postgres") : undefined;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const as = user === undefined ? {} : user;
  const made = spawnSync(join(found.path, "initdb"), ["-D", data, "-A", "trust", "-E", "UTF8", "-U", "tester", "-N"], {
    ...as,
    cwd: folder,
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const access = join(data, "pg_hba.conf");
  writeFileSync(access, `host all locked 127.0.0.1/32 scram-sha-256\n${readFileSync(access, "utf8")}`);
  const port = await freePort();
  const urlFor: PostgresServer["urlFor"] = ({ user: name = "tester", password, database = "postgres" }) =>
    `postgres://${name}${password === undefined ? "" : `:${password}`}@127.0.0.1:${port}/${database}`;
  const options = ["-D", data, "-k", folder, "-h", "127.0.0.1", "-p", String(port)];
  for (const each of ["max_connections=50", ...settings]) options.push("-c", each);
  const { start, stop: end } = serverProcess({
    command: [join(found.path, "postgres"), ...options],
    // The server's own words: at once, and quick.
    killSignal: "SIGQUIT",
    ready: async () => (await connect(placeOf(urlFor({})))).end(),
    cwd: folder,
    user,
  });
  const stop: PostgresServer["stop"] = (how) => end(how === "kill" ? "SIGQUIT" : "SIGINT");
  const dispose = async (): Promise<void> => {
    await stop("kill");
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
    const admin = await connect(placeOf(urlFor({})));
    await admin.query("CREATE ROLE locked LOGIN PASSWORD 'secret'");
    await admin.end();
  } catch (error) {
    await dispose();
    throw error;
  }
  return { url: (schema) => `${urlFor({})}?schema=${schema}`, urlFor, stop, start, dispose };
}

function userNamed(name: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string): number => Number(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout);
  return { uid: id("-u"), gid: id("-g") };
}
