import assert from "node:assert/strict";
import { test } from "node:test";
import { routes } from "../src/routes.js";
import { signedIn } from "../testing/signed-in.js";
import { start } from "../testing/start.js";

test("without a session every route but the open ones is refused, and the refusal says what to do", async (t) => {
  const { call } = await start(t);
  for (const { method, path, access } of routes) {
    const { status, body } = await call(method, path.replace(":id", "1"));
    if (access === "open") {
      assert.notEqual(body?.error, "Sign in first: GET /login", `${method} ${path}`);
    } else {
      assert.equal(status, 401, `${method} ${path}`);
      assert.equal(body.error, "Sign in first: GET /login");
    }
  }
});

test("the health check stays open", async (t) => {
  const { call } = await start(t);
  assert.equal((await call("GET", "/health")).status, 200);
});

test("nobody gets in by saying who they are", async (t) => {
  const { call } = await start(t);
  assert.equal((await call("GET", "/notes", { headers: { "x-user": "ada" } })).status, 401);
  assert.equal((await call("GET", "/notes", { headers: { cookie: "session=guessed" } })).status, 401);
});

test("a session that has ended no longer opens anything", async (t) => {
  const { parts, headers } = signedIn("ada");
  const { call } = await start(t, parts);
  assert.equal((await call("GET", "/notes", { headers: headers[0] })).status, 200);
  parts.sessions.close(headers[0].cookie.slice("session=".length));
  assert.equal((await call("GET", "/notes", { headers: headers[0] })).status, 401);
});
