import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemMediaType, problemType } from "@tutti/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type StateFolder, stateFolder } from "../state.ts";
import { OwnerClient } from "./client.ts";
import { openOwner } from "./owner.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-client-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const away = {
  ...{ type: problemType("temporal-unreachable"), title: "Away", status: 503, code: "temporal-unreachable" },
  ...{ detail: "Expected an answer, but it was lost.", place: null, advice: "Ask again.", exit: 1, details: {} },
};

/** Stands before an owner, and loses the first answer that it gives. Gives where it is asked, and how it is closed. */
async function loser(owner: StateFolder): Promise<{ readonly socket: string; close(): void }> {
  const socket = join(folder, "loser.sock");
  let isLost = false;
  const server = createServer((asked, answer) => {
    const { method = "GET", url = "/", headers } = asked;
    const passed = request({ socketPath: owner.socket, method, path: url, headers }, (given: IncomingMessage) => {
      if (isLost) {
        answer.writeHead(given.statusCode ?? 500, given.headers);
        given.pipe(answer);
        return;
      }
      isLost = true;
      given.resume().on("end", () => {
        answer.writeHead(away.status, { "content-type": problemMediaType });
        answer.end(JSON.stringify(away));
      });
    });
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return { socket, close: () => server.close() };
}

test("[C122] what is asked again after its answer was lost counts once", async () => {
  const state = stateFolder(join(folder, "state"), {}, folder);
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const owner = await openOwner({ state, log: quiet });
  const between = await loser(state);
  try {
    const patience = { signal: new AbortController().signal, tell: () => undefined };
    const client = new OwnerClient({ ...state, socket: between.socket, patience });
    const body = { name: "paid", ttlMs: 60_000, variables: {} };
    const asked = { method: "POST", path: "/v1/messages", body } as const;
    expect(await client.json(asked)).toMatchObject({ duplicate: true });
    // The next one is another.
    expect(await client.json(asked)).toMatchObject({ duplicate: false });
    expect((await owner.engine.query("messages")).rows).toHaveLength(2);
  } finally {
    between.close();
    await owner.stop(0);
  }
});
