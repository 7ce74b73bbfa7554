import { dirname } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { describeWithServer, findServer, freePort, serverProcess } from "@tutti/test-servers";
import { attributes } from "../temporal/attributes.ts";

const server = findServer("temporal.mjs");

/** Tests that need a server of Temporal. */
export function describeWithTemporal(title: string, tests: () => void): void {
  describeWithServer(server, title, tests);
}

/** Where the server's command is. */
export function temporalFolder(): string {
  if ("missing" in server) throw new Error(server.missing);
  return dirname(server.path);
}

export interface TemporalServer {
  readonly address: string;
  /** A namespace that nobody else has. */
  namespace(): string;
  /** Ends the server as a crash would. */
  stop(): Promise<void>;
  /** On the same port, with what its database has. */
  start(): Promise<void>;
}

const namespaces = 120;
/** Each of them has a worker of the server's own then. */
const versionedNamespaces = 2;

const settings = [
  // In this release of the server there are no priorities without it, and they hold within one partition.
  "matching.useNewMatcher=true",
  "matching.numTaskqueueReadPartitions=1",
  "matching.numTaskqueueWritePartitions=1",
  // How far the clocks of a server's machines may be apart, by default 1 s: all timers fire so much later. This is one.
  'history.timerProcessorMaxTimeShift="10ms"',
];

export interface TemporalServerOptions {
  readonly database?: string;
  /** With Worker Versioning, which workers of the server's own do in each namespace. */
  readonly versioning?: boolean;
}

/**
 * A server of one's own on a free port, in its own process group, which ends with this process. It keeps nothing unless
 * a database is named.
 */
export async function startTemporalServer(options: TemporalServerOptions = {}): Promise<TemporalServer> {
  if ("missing" in server) throw new Error(server.missing);
  const { path } = server;
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const { versioning = false } = options;
  const names = Array.from(
    { length: versioning ? versionedNamespaces : namespaces },
    (_, index) => `test-${index + 1}`,
  );
  const words = [
    ...["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", String(port)],
    ...["--log-level", "never"],
    ...(options.database === undefined ? [] : ["--db-filename", options.database]),
    ...[...settings, `worker.perNamespaceWorkerCount=${versioning ? 1 : 0}`].flatMap((setting) => [
      "--dynamic-config-value",
      setting,
    ]),
    ...names.flatMap((name) => ["--namespace", name]),
    ...Object.values(attributes).flatMap(({ name }) => ["--search-attribute", `${name}=Keyword`]),
  ];
  const { start, stop } = serverProcess({
    command: [path, ...words],
    ready: async () => (await Connection.connect({ address, connectTimeout: 1_000 })).close(),
  });
  await start();
  return {
    address,
    namespace() {
      const name = names.pop();
      if (name === undefined) throw new Error(`Expected fewer namespaces, but more are wanted.`);
      return name;
    },
    stop,
    start,
  };
}

/** What a server allows in one history. */
export const historyMax: HistorySize = { events: 51_200, bytes: 50 * 1024 * 1024 };

export interface HistorySize {
  readonly events: number;
  readonly bytes: number;
}

/** What each execution of an instance has in its history, the oldest first: as the server counts it. */
export async function historySizes(
  { address }: Pick<TemporalServer, "address">,
  { namespace, instanceId }: { readonly namespace: string; readonly instanceId: string },
): Promise<readonly HistorySize[]> {
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection, namespace });
    const sizes: HistorySize[] = [];
    for (let runId: string | undefined; ; ) {
      const { historyLength, historySize = 0, runId: found } = await workflow.getHandle(instanceId, runId).describe();
      sizes.unshift({ events: historyLength, bytes: historySize });
      const execution = { workflowId: instanceId, runId: found };
      // The first event alone: a page of a history may be larger than a client takes.
      const { history } = await workflow.workflowService.getWorkflowExecutionHistory({
        ...{ namespace, execution, maximumPageSize: 1 },
      });
      const before = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
      if (before == null || before === "") return sizes;
      runId = before;
    }
  } finally {
    await connection.close();
  }
}
