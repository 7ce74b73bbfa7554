import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";

/** Of the server that `tutti up` starts for a folder. */
export interface Ports {
  readonly port: number;
  readonly ui: number;
}

/** Where Temporal's own tools look when nobody says anything. */
const usual: Ports = { port: 7233, ui: 8233 };
const host = "127.0.0.1";
export const usualAddress: string = `${host}:${usual.port}`;

/** Where the server of a folder was the last time; undefined when there never was one. */
export function notedAddress(statePath: string): string | undefined {
  const ports = noted(statePath);
  return ports === undefined ? undefined : `${host}:${ports.port}`;
}

/**
 * The ports of a folder's server: those of the last time, else the usual ones, else any that are free. What began there
 * looks for it where it was, so they are kept.
 */
export async function choosePorts(statePath: string): Promise<Ports> {
  const before = noted(statePath) ?? usual;
  const isFree = (await isFreePort(before.port)) && (await isFreePort(before.ui));
  const ports = isFree ? before : { port: await anyPort(), ui: await anyPort() };
  mkdirSync(dirname(fileOf(statePath)), { recursive: true, mode: 0o700 });
  writeFileSync(fileOf(statePath), `${JSON.stringify(ports)}\n`);
  return ports;
}

function noted(statePath: string): Ports | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(statePath), "utf8")) as Ports;
  } catch {
    return undefined;
  }
}

function fileOf(statePath: string): string {
  return join(statePath, "temporal", "ports.json");
}

async function isFreePort(port: number): Promise<boolean> {
  const server = createServer();
  const listening = new Promise<boolean>((resolve) => {
    server.once("listening", () => resolve(true));
    server.once("error", () => resolve(false));
  });
  server.listen(port, host);
  if (!(await listening)) return false;
  server.close();
  await once(server, "close");
  return true;
}

async function anyPort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, "close");
  return port;
}
