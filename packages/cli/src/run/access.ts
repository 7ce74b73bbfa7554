import type { RunView } from "@tutti/feature";
import {
  type CommandDone,
  commandDoneSchema,
  type RunCommand,
  type RunSummary,
  runListSchema,
  runViewSchema,
} from "@tutti/protocol";
import type { Context } from "../command.ts";
import { type OwnerClient, remoteReader } from "../owner/client.ts";
import { askOwner, ensureOwner } from "../owner/find.ts";
import { type Reader, RunReader } from "./reader.ts";
import { resolveRun } from "./run-id.ts";

/** How a command reads runs: through the owner when there is one, else from the database itself. */
export interface RunAccess {
  /** Whether somebody works on the runs. */
  readonly live: boolean;
  /** Types of jobs that somebody works on; absent where that is not known. */
  readonly jobTypes?: readonly string[];
  /** Its owner's disk refuses to write: nothing goes on until it does. */
  readonly halted?: boolean;
  readonly reader: Reader;
  readonly runs: RunReader;
  view(run: string): Promise<RunView>;
  list(): Promise<readonly RunSummary[]>;
  close(): Promise<void>;
}

interface RunList {
  readonly runs: readonly RunSummary[];
}

/** Rejects with `database-missing` when nothing has ever run in the state folder. */
export async function openAccess({ state }: Pick<Context, "state">): Promise<RunAccess> {
  const owner = await askOwner(state);
  if (owner === undefined) return localAccess(state);
  const { storage, jobTypes } = owner.health;
  const known = hasWorkersElsewhere(state) ? {} : { jobTypes };
  if (storage === "writes") return { ...remoteAccess(owner.client), ...known };
  // An owner that cannot write answers nothing, but its database can still be read.
  return { ...(await localAccess(state)), ...known, live: true, halted: true };
}

/** Workers of Temporal that share the log tell no owner what they do. */
function hasWorkersElsewhere({ engine, store, temporal }: Context["state"]): boolean {
  return store !== undefined && (engine === "temporal" || temporal !== undefined);
}

export function remoteAccess(client: OwnerClient): RunAccess {
  const reader = remoteReader(client);
  return {
    live: true,
    reader,
    runs: new RunReader(reader),
    view: (run) => client.ask({ method: "GET", path: `/v1/runs/${encodeURIComponent(run)}` }, runViewSchema),
    list: async () => (await client.ask<RunList>({ method: "GET", path: "/v1/runs" }, runListSchema)).runs,
    close: async () => undefined,
  };
}

async function localAccess(state: Context["state"]): Promise<RunAccess> {
  // With an owner nobody needs an engine here, and it takes its time to load.
  const { openStateReader } = await import("../state-reader.ts");
  const reader = await openStateReader(state);
  return { live: false, ...readerAccess(reader), close: () => reader.close() };
}

/** For whoever has the engine in its own process. */
export function readerAccess(reader: Reader): Omit<RunAccess, "live" | "close"> {
  const runs = new RunReader(reader);
  return { reader, runs, view: (run) => runs.view(run), list: () => runs.list() };
}

/** Runs `use` with access, and closes it whatever happens. */
export async function withAccess<T>(context: Context, use: (access: RunAccess) => Promise<T>): Promise<T> {
  const access = await openAccess(context);
  try {
    return await use(access);
  } finally {
    await access.close();
  }
}

/** The owner to send something to what is here; started when there is none. */
export async function ownerHere(context: Context): Promise<OwnerClient> {
  // A state folder without a database has nothing to send it to, and must not get an owner for asking.
  await (await openAccess(context)).close();
  return (await ensureOwner(context.state)).client;
}

/** Runs `use` with access to the run that the person means, and closes it whatever happens. */
export async function withRun<T>(
  context: Context,
  given: string | undefined,
  use: (access: RunAccess, run: string) => Promise<T>,
): Promise<T> {
  return withAccess(context, async (access) => use(access, await resolveRun(access.runs, given)));
}

/** Sends a command to the run that the person means; starts an owner when none is there to take it. */
export async function commandRun(
  context: Context,
  given: string | undefined,
  command: RunCommand,
): Promise<{ readonly run: string; readonly done: CommandDone; readonly access: RunAccess }> {
  // A state folder without a database has no run, and must not get an owner for asking.
  const before = await openAccess(context);
  const run = await resolveRun(before.runs, given).finally(() => before.close());
  const { client } = await ensureOwner(context.state);
  const path = `/v1/runs/${encodeURIComponent(run)}/commands`;
  const done = await client.ask({ method: "POST", path, body: command }, commandDoneSchema);
  return { run, done, access: remoteAccess(client) };
}
