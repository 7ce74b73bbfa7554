import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWithServer, findServer, freePort, serverProcess } from "@tutti/test-servers";

const server = findServer("minio.mjs");

/** Tests that need a MinIO. */
export function describeWithMinio(title: string, tests: () => void): void {
  describeWithServer(server, title, tests);
}

export interface MinioServer {
  readonly endpoint: string;
  /** Of the user who may do everything. */
  readonly environment: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  /** Where it keeps everything. */
  readonly data: string;
  stop(): Promise<void>;
}

/** A server of one's own on a free port, with a key or without. */
export async function startMinio({ encrypts }: { readonly encrypts: boolean }): Promise<MinioServer> {
  if ("missing" in server) throw new Error(server.missing);
  const data = mkdtempSync(join(tmpdir(), "tutti-minio-"));
  const [port, consolePort] = [await freePort(), await freePort()];
  const environment = { AWS_ACCESS_KEY_ID: "tester", AWS_SECRET_ACCESS_KEY: randomBytes(20).toString("hex") };
  const endpoint = `http://127.0.0.1:${port}`;
  const { start, stop: end } = serverProcess({
    command: [
      ...([server.path, "server", data] as const),
      ...["--address", `127.0.0.1:${port}`, "--console-address", `127.0.0.1:${consolePort}`],
    ],
    ready: () => isReady(endpoint),
    env: {
      ...{ PATH: process.env["PATH"], HOME: data, MINIO_BROWSER: "off", MINIO_UPDATE: "off" },
      MINIO_ROOT_USER: environment.AWS_ACCESS_KEY_ID,
      MINIO_ROOT_PASSWORD: environment.AWS_SECRET_ACCESS_KEY,
      ...(encrypts ? { MINIO_KMS_SECRET_KEY: `tests:${randomBytes(32).toString("base64")}` } : {}),
    },
  });
  const stop = async (): Promise<void> => {
    await end();
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, environment, data, stop };
}

async function isReady(endpoint: string): Promise<void> {
  const { ok, status } = await fetch(`${endpoint}/minio/health/ready`);
  if (!ok) throw new Error(`MinIO says ${status}`);
}
