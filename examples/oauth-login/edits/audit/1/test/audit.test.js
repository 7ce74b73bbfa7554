import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createAudit } from "../src/audit.js";
import { createSessions } from "../src/sessions.js";
import { createUsers } from "../src/users.js";
import { start } from "../testing/start.js";

const run = promisify(execFile);

async function startAudited(t) {
  const users = createUsers();
  users.remember({ id: "ada", name: "Ada" });
  const sessions = createSessions({ lifetimeMs: 60_000 });
  const audit = createAudit();
  const session = sessions.open({ userId: "ada" });
  // She says who she is both ways, so that this holds with and without protected routes.
  const headers = { "x-user": "ada", cookie: `session=${session.id}` };
  return { ...(await start(t, { users, sessions, audit, now: () => 7 })), audit, headers, session };
}

test("every request leaves one entry that names who asked", async (t) => {
  const { call, audit, headers } = await startAudited(t);
  await call("POST", "/notes", { headers, body: { text: "secret" } });
  await call("DELETE", "/notes/99", { headers });
  await call("GET", "/health?token=secret");
  assert.deepEqual(audit.entries(), [
    { at: 7, method: "POST", path: "/notes", who: "ada", status: 201 },
    { at: 7, method: "DELETE", path: "/notes/99", who: "ada", status: 404 },
    { at: 7, method: "GET", path: "/health", who: "nobody", status: 200 },
  ]);
});

test("refused requests are in the trail too", async (t) => {
  const { call, audit } = await startAudited(t);
  await call("GET", "/nothing");
  await call("PUT", "/notes");
  assert.deepEqual(
    audit.entries().map(({ who, status }) => [who, status]),
    [
      ["nobody", 404],
      ["nobody", 405],
    ],
  );
});

test("people read their own entries, by request or by command", async (t) => {
  const { call, origin, headers, session, audit } = await startAudited(t);
  audit.record({ at: 1, method: "GET", path: "/notes", who: "bob", status: 200 });
  await call("GET", "/notes", { headers });
  const { body } = await call("GET", "/audit", { headers });
  assert.deepEqual(body.entries, [{ at: 7, method: "GET", path: "/notes", who: "ada", status: 200 }]);

  const command = fileURLToPath(new URL("../bin/audit.js", import.meta.url));
  const { stdout } = await run(process.execPath, [command, origin, session.id]);
  assert.doesNotMatch(stdout, /bob/);
});

test("the trail is bounded: the oldest entry goes first", () => {
  const audit = createAudit({ entriesMax: 2 });
  for (const at of [1, 2, 3]) audit.record({ at });
  assert.deepEqual(
    audit.entries().map(({ at }) => at),
    [2, 3],
  );
});
