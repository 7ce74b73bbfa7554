import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { AppError } from "@tutti/kernel";
import type { Patience } from "./engines/patience.ts";
import type { EngineName, TemporalPlace } from "./engines/place.ts";

/** Where everything of one owner lies; absolute paths. Nothing is made by naming it. */
export interface StateFolder {
  readonly path: string;
  readonly database: string;
  readonly logs: string;
  readonly ownerLog: string;
  readonly socket: string;
  /** A PostgreSQL in the place of the database, as `postgres://…`. It may hold a password: never shown. */
  readonly store?: string;
  /** Where what is new begins. Absent: on the embedded engine. */
  readonly engine?: EngineName;
  readonly temporal?: TemporalPlace;
  /** Where artifacts are, as `folder` or `s3://…`. Absent: nobody said. */
  readonly artifacts?: string;
  /** Of somebody who waits while Temporal is away. Absent: that is an error. */
  readonly patience?: Patience;
}

// The kernel's own limit is 108 bytes on Linux and 104 on macOS, with the closing zero.
const socketBytesMax = 103;

export function stateFolder(
  given: string | undefined,
  environment: { readonly [name: string]: string | undefined },
  cwd: string,
): StateFolder {
  const path = resolve(cwd, given ?? nonEmpty(environment["TUTTI_STATE"]) ?? defaultState(environment));
  const near = join(path, "owner.sock");
  return {
    path,
    database: join(path, "tutti.sqlite"),
    logs: join(path, "logs"),
    ownerLog: join(path, "logs", "owner.log"),
    socket: Buffer.byteLength(near) <= socketBytesMax ? near : join(socketFolder(path), "s"),
  };
}

function defaultState(environment: { readonly [name: string]: string | undefined }): string {
  const base =
    nonEmpty(environment["XDG_STATE_HOME"]) ?? join(nonEmpty(environment["HOME"]) ?? homedir(), ".local", "state");
  return join(base, "tutti");
}

/** For state folders whose path is too long for a socket: a private folder that every command finds by itself. */
function socketFolder(path: string): string {
  const digest = createHash("sha256").update(path).digest("hex").slice(0, 16);
  return join(tmpdir(), `tutti-${userInfo().uid}-${digest}`);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}

/**
 * Makes the folder, for this user alone. Throws `state-unusable`; also for a folder that others can read and that
 * holds other things: closing it would close somebody's home, or `/tmp`.
 */
export function ensureFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    requireOwn(path);
    if ((statSync(path).mode & 0o077) === 0) return;
    if (!isOurs(path)) throw new Error("others can read it and it holds other things; name a new one");
    chmodSync(path, 0o700);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("state-unusable", `Expected a private folder at ${path}, but ${reason}`, { cause });
  }
}

/** Throws `state-unusable` when the socket lies in a folder of another user, who could answer in the owner's place. */
export function checkSocketFolder({ socket }: Pick<StateFolder, "socket">): void {
  try {
    requireOwn(dirname(socket));
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "")) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("state-unusable", `Expected a folder of this user for ${socket}, but ${reason}`, { cause });
  }
}

function requireOwn(path: string): void {
  const stats = statSync(path);
  if (!stats.isDirectory()) throw new Error("it is not a folder");
  const { uid } = userInfo();
  if (uid >= 0 && stats.uid !== uid) throw new Error("it belongs to another user");
}

function isOurs(path: string): boolean {
  const names = readdirSync(path);
  const ours = ["owner.sqlite", "tutti.sqlite", "owner.log", "logs", "tutti.json"];
  return names.length === 0 || ours.some((name) => names.includes(name));
}
