import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";

const script = fileURLToPath(new URL("../../../../tools/servers/minio.mjs", import.meta.url));
const startTimeoutMs = 60_000;

/** Either the command, or why there is none and what would provide it. */
function findServer(): { readonly path: string } | { readonly missing: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--find"], { encoding: "utf8" });
  return status === 0 ? { path: stdout.trim() } : { missing: stderr.trim() };
}

const server = findServer();

/** Tests that need a server: without one they are skipped, with the reason in their title. Under CI=true they fail. */
export function describeWithMinio(title: string, tests: () => void): void {
  if ("missing" in server && process.env["CI"] !== "true")
    describe.skip(`${title} (skipped: ${server.missing})`, tests);
  else describe(title, tests);
}

export interface MinioServer {
  readonly endpoint: string;
  /** Of the user who may do everything. */
  readonly environment: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  /** Where it keeps everything. */
  readonly data: string;
  stop(): Promise<void>;
}

/** A server of one's own on a free port, in its own process group, which ends with this process; with a key or without. */
export async function startMinio({ encrypts }: { readonly encrypts: boolean }): Promise<MinioServer> {
  if ("missing" in server) throw new Error(server.missing);
  const data = mkdtempSync(join(tmpdir(), "tutti-minio-"));
  const [port, consolePort] = [await freePort(), await freePort()];
  const environment = { AWS_ACCESS_KEY_ID: "tester", AWS_SECRET_ACCESS_KEY: randomBytes(20).toString("hex") };
  const child = spawn(
    server.path,
    ["server", data, "--address", `127.0.0.1:${port}`, "--console-address", `127.0.0.1:${consolePort}`],
    {
      detached: true,
      stdio: "ignore",
      env: {
        ...{ PATH: process.env["PATH"], HOME: data, MINIO_BROWSER: "off", MINIO_UPDATE: "off" },
        MINIO_ROOT_USER: environment.AWS_ACCESS_KEY_ID,
        MINIO_ROOT_PASSWORD: environment.AWS_SECRET_ACCESS_KEY,
        ...(encrypts ? { MINIO_KMS_SECRET_KEY: `tests:${randomBytes(32).toString("base64")}` } : {}),
      },
    },
  );
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  };
  process.once("exit", end);
  const stop = async (): Promise<void> => {
    process.removeListener("exit", end);
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      end();
      await ended;
    }
    rmSync(data, { recursive: true, force: true });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await answers(endpoint, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, environment, data, stop };
}

async function answers(endpoint: string, child: ChildProcess): Promise<void> {
  for (const until = Date.now() + startTimeoutMs; ; await sleep(100)) {
    try {
      if ((await fetch(`${endpoint}/minio/health/ready`)).ok) return;
    } catch (error) {
      if (child.exitCode !== null || Date.now() > until) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  listener.close();
  await once(listener, "close");
  if (address === null || typeof address === "string") throw new Error("a listening server has a port");
  return address.port;
}
