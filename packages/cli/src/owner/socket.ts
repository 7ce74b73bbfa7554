import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { dirname } from "node:path";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { ensureFolder, type StateFolder } from "../state.ts";

export interface Listening {
  close(): Promise<void>;
}

const answerMsMax = 300;

/** Serves on the state folder's socket. Whoever calls it owns the folder, so a socket that is there is a dead one's. */
export async function listen(app: Hono, state: StateFolder): Promise<Listening> {
  if (dirname(state.socket) !== state.path) ensureFolder(dirname(state.socket));
  rmSync(state.socket, { force: true });
  const server = createServer(getRequestListener(app.fetch));
  server.keepAliveTimeout = 30_000;
  await bind(server, state.socket);
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // Whoever asked for the end is to get an answer; streams that stay open are cut off.
      const cut = setTimeout(() => server.closeAllConnections(), answerMsMax);
      await closed;
      clearTimeout(cut);
      rmSync(state.socket, { force: true });
      if (dirname(state.socket) !== state.path) rmSync(dirname(state.socket), { recursive: true, force: true });
    },
  };
}

/** The folder is private already; the mode of the socket itself says it again for systems that look there. */
async function bind(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } finally {
    process.umask(before);
  }
  chmodSync(path, 0o600);
}
