import { type ChildProcess, spawn } from "node:child_process";
import { Connection } from "@temporalio/client";
import { describeWithServer, findServer } from "./find-server.ts";
import { freePort } from "./free-port.ts";

const startTimeoutMs = 60_000;

const server = findServer("temporal.mjs");

/** Tests that need a server of Temporal. */
export function describeWithTemporal(title: string, tests: () => void): void {
  describeWithServer(server, title, tests);
}

export interface TemporalServer {
  readonly address: string;
  /** A namespace that nobody else has. */
  namespace(): string;
  stop(): Promise<void>;
}

const namespaces = 60;

const settings = [
  // Workers of the server's own for each namespace: for schedules, which nobody here has.
  "worker.perNamespaceWorkerCount=0",
  // In this release of the server there are no priorities without it, and they hold within one partition.
  "matching.useNewMatcher=true",
  "matching.numTaskqueueReadPartitions=1",
  "matching.numTaskqueueWritePartitions=1",
];

/** A server of one's own, in memory: on a free port, in its own process group, which ends with this process. */
export async function startTemporalServer(): Promise<TemporalServer> {
  if ("missing" in server) throw new Error(server.missing);
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const names = Array.from({ length: namespaces }, (_, index) => `test-${index + 1}`);
  const child = spawn(
    server.path,
    [
      ...["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", String(port)],
      ...["--log-level", "never"],
      ...settings.flatMap((setting) => ["--dynamic-config-value", setting]),
      ...names.flatMap((name) => ["--namespace", name]),
    ],
    { detached: true, stdio: "ignore" },
  );
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  };
  process.once("exit", end);
  const stop = async (): Promise<void> => {
    process.removeListener("exit", end);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null) {
      end();
      await ended;
    }
  };
  try {
    await answers(address, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address,
    namespace() {
      const name = names.pop();
      if (name === undefined) throw new Error(`Expected at most ${namespaces} namespaces, but more are wanted.`);
      return name;
    },
    stop,
  };
}

async function answers(address: string, child: ChildProcess): Promise<void> {
  const until = Date.now() + startTimeoutMs;
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1_000 });
      await connection.close();
      return;
    } catch (error) {
      if (child.exitCode !== null || Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
