import assert from "node:assert/strict";
import { test } from "node:test";
import { createSessions } from "../src/sessions.js";
import { start } from "../testing/start.js";

test("signing out ends the session, and no other", async (t) => {
  const sessions = createSessions({ lifetimeMs: 60_000 });
  const mine = sessions.open({ userId: "ada" });
  const other = sessions.open({ userId: "ada" });
  const { call } = await start(t, { sessions });

  const answer = await call("POST", "/logout", { headers: { cookie: `session=${mine.id}` } });
  assert.equal(answer.status, 204);
  assert.match(answer.headers.get("set-cookie"), /^session=; .*Max-Age=0/);
  assert.equal(sessions.find(mine.id), undefined);
  assert.ok(sessions.find(other.id));
});

test("signing out without a session is no error", async (t) => {
  const { call } = await start(t);
  assert.equal((await call("POST", "/logout")).status, 204);
});

test("a link cannot sign anybody out", async (t) => {
  const { call } = await start(t);
  assert.equal((await call("GET", "/logout")).status, 405);
});
