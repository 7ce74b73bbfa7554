import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, Connection, type WorkflowClient } from "@temporalio/client";
import { type ReplayHistoriesIterable, Worker } from "@temporalio/worker";
import { madeOnce } from "@tutti/test-servers";
import { openPostgresLog } from "../embedded/postgres/shared-log.ts";
import { type SharedLog, soleLog } from "../embedded/shared-log.ts";
import { openSqliteStore } from "../embedded/sqlite/store.ts";
import type { Engine } from "../port.ts";
import { bundleProcessWorkflow, createTemporalEngine, type TemporalEngineOptions } from "../temporal/index.ts";
import { testHost } from "./host.ts";
import type { PostgresServer } from "./postgres.ts";
import { historyMax, startTemporalServer, type TemporalServer } from "./temporal-server.ts";

/** Machines that run tests may be busy with others. */
const workflowTaskTimeoutMs = 10_000;

interface HomeOptions
  extends Partial<
    Pick<
      TemporalEngineOptions,
      "clock" | "host" | "log" | "payloadCodecs" | "places" | "queues" | "namespace" | "release"
    >
  > {
  /** Looks on as the log is written. */
  readonly watch?: (log: SharedLog) => SharedLog;
}

/** One namespace of a server with a log of its own: what an engine under test lives in. */
export interface TemporalHome {
  readonly address: string;
  readonly namespace: string;
  /** A file, or an address. */
  readonly database: string;
  readonly workflow: WorkflowClient;
  open(options?: HomeOptions): Promise<Engine>;
  /** Has the workflow do again what all executions of this namespace have done. Gives those that would do otherwise. */
  replay(): Promise<readonly string[]>;
  remove(): void;
}

export interface TemporalHouse {
  readonly server: TemporalServer;
  readonly workflowBundle: { readonly code: string };
  home(): TemporalHome;
  close(): Promise<void>;
}

interface HouseOptions {
  readonly postgres?: PostgresServer;
  readonly versioning?: boolean;
  /** The file in which the server keeps what it has. Absent: in memory. */
  readonly database?: string;
  /**
   * Workflows run in the thread of the test, while this house is open: an engine opens in a third of the time, but none
   * is stopped that never comes to an end.
   */
  readonly threadless?: boolean;
}

/** A real server, and the bundle of a module beside this one. Logs are in files, or in `postgres`. */
export async function openTemporalHouse(
  module: string,
  { postgres, versioning = false, database, threadless = false }: HouseOptions = {},
): Promise<TemporalHouse> {
  // First, so that a module that cannot be bundled leaves no server behind.
  const workflowBundle = await bundleTestWorkflow(module);
  const server = await startTemporalServer({ versioning, ...(database === undefined ? {} : { database }) });
  // A page of a history is larger than what a client takes by default.
  const channelArgs = { "grpc.max_receive_message_length": historyMax.bytes };
  const connection = await Connection.connect({ address: server.address, channelArgs });
  // The SDK asks for it whenever a worker begins.
  if (threadless) process.env["TEMPORAL_DEBUG"] = "1";
  return {
    ...{ server, workflowBundle },
    home() {
      const folder = mkdtempSync(join(tmpdir(), "tutti-temporal-log-"));
      const namespace = server.namespace();
      const log = postgres?.url(namespace.replace("-", "_")) ?? join(folder, "tutti.sqlite");
      const { address } = server;
      return {
        ...{ address, namespace, database: log },
        workflow: new Client({ connection, namespace }).workflow,
        open: async ({ watch = (log: SharedLog) => log, ...options } = {}) => {
          const store = watch(await openLog(log));
          const timing = { workflowTaskTimeoutMs };
          return createTemporalEngine({
            address,
            namespace,
            store,
            host: testHost,
            workflowBundle,
            ...timing,
            ...options,
          });
        },
        async replay() {
          const { workflow } = new Client({ connection, namespace });
          const differing: string[] = [];
          for await (const { workflowId, error } of Worker.runReplayHistories(
            { workflowBundle },
            historiesIn(workflow),
          )) {
            if (error !== undefined) differing.push(`${workflowId}: ${error.message}`);
          }
          return differing;
        },
        remove: () => rmSync(folder, { recursive: true, force: true }),
      };
    },
    async close() {
      if (threadless) delete process.env["TEMPORAL_DEBUG"];
      await connection.close();
      await server.stop();
    },
  };
}

async function* historiesIn(workflow: WorkflowClient): ReplayHistoriesIterable {
  for await (const { workflowId, runId } of workflow.list()) {
    yield { workflowId, history: await workflow.getHandle(workflowId, runId).fetchHistory() };
  }
}

export async function openLog(database: string): Promise<SharedLog> {
  return database.startsWith("postgres:") ? openPostgresLog(database) : soleLog(openSqliteStore(database));
}

export async function bundleTestWorkflow(
  module: string,
  options: { readonly stacks?: boolean } = {},
): Promise<{ readonly code: string }> {
  const workflowsPath = fileURLToPath(new URL(`./${module}`, import.meta.url));
  const name = `${module} ${JSON.stringify(options)}.cjs`;
  const bundle = () => bundleProcessWorkflow({ ...options, workflowsPath, conditions: ["@tutti/source"] });
  return { code: await madeOnce(name, async () => (await bundle()).code) };
}
