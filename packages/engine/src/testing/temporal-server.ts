import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Connection } from "@temporalio/client";
import { freePort } from "./free-port.ts";

const script = fileURLToPath(new URL("../../../../tools/servers/temporal.mjs", import.meta.url));
const startTimeoutMs = 60_000;

/** Either the command, or why there is none and what would provide it. */
function findServer(): { readonly path: string } | { readonly missing: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--find"], { encoding: "utf8" });
  return status === 0 ? { path: stdout.trim() } : { missing: stderr.trim() };
}

const server = findServer();

/** Why tests on a real server are skipped; undefined: they are not. In CI a missing server is a failure, not a skip. */
export const temporalMissing: string | undefined =
  "missing" in server && process.env["CI"] === undefined ? server.missing : undefined;

/** The title of such tests, with the reason if they are skipped. */
export function temporalTitle(title: string): string {
  return temporalMissing === undefined ? title : `${title} (skipped: ${temporalMissing})`;
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
