import assert from "node:assert/strict";
import { test } from "node:test";
import { createSessions } from "../src/sessions.js";
import { startProvider } from "../testing/provider.js";
import { start } from "../testing/start.js";

async function startWithProvider(t, redirectUri = "http://127.0.0.1:1/callback") {
  const provider = await startProvider();
  t.after(() => provider.close());
  const sessions = createSessions({ lifetimeMs: 60_000 });
  const env = { OAUTH_ISSUER: provider.issuer, OAUTH_CLIENT_ID: "notes", OAUTH_REDIRECT_URI: redirectUri };
  return { ...(await start(t, { env, sessions })), sessions };
}

const cookiesOf = ({ headers }) => headers.getSetCookie();
const cookieValue = (cookie) => cookie.slice(0, cookie.indexOf(";"));

/** From /login to the provider; returns the path to come back to, and the cookie to bring along. */
async function leave(call, query = "") {
  const answer = await call("GET", `/login${query}`);
  assert.equal(answer.status, 302);
  const response = await fetch(answer.headers.get("location"), { redirect: "manual" });
  const back = new URL(response.headers.get("location"));
  return { path: back.pathname + back.search, cookie: cookieValue(cookiesOf(answer)[0]) };
}

test("whoever comes back from the provider has a session", async (t) => {
  const { call, sessions } = await startWithProvider(t);
  const { path, cookie } = await leave(call, "?hint=bob");
  const back = await call("GET", path, { headers: { cookie } });
  assert.equal(back.status, 303);
  assert.equal(back.headers.get("location"), "/notes");

  const [session, cleared] = cookiesOf(back);
  assert.match(session, /^session=[\w-]{43}; Path=\/; Max-Age=1800; HttpOnly; SameSite=Lax$/);
  assert.match(cleared, /^sign-in=; Path=\/callback; Max-Age=0/);
  assert.equal(sessions.find(cookieValue(session).slice("session=".length)).userId, "bob");
});

test("nobody can be signed in by a link: the state must be the one of this browser", async (t) => {
  const { call, sessions } = await startWithProvider(t);
  const mine = await leave(call);
  const other = await leave(call);
  assert.equal((await call("GET", mine.path)).status, 400);
  assert.equal((await call("GET", mine.path, { headers: { cookie: other.cookie } })).status, 400);
  assert.equal(sessions.size, 0);
});

test("a code that was used is not good again", async (t) => {
  const { call } = await startWithProvider(t);
  const { path, cookie } = await leave(call);
  assert.equal((await call("GET", path, { headers: { cookie } })).status, 303);
  assert.equal((await call("GET", path, { headers: { cookie } })).status, 401);
});

test("the provider's no is ours", async (t) => {
  const { call } = await startWithProvider(t);
  const { path, cookie } = await leave(call, "?hint=nobody");
  const back = await call("GET", path, { headers: { cookie } });
  assert.equal(back.status, 401);
  assert.match(back.body.error, /access_denied/);
});

test("behind https the cookies are never sent in the clear", async (t) => {
  const { call } = await startWithProvider(t, "https://notes.example.org/callback");
  assert.match(cookiesOf(await call("GET", "/login"))[0], /; Secure$/);
});

test("without a provider signing in is unavailable, and says why", async (t) => {
  const { call } = await start(t);
  const { status, body } = await call("GET", "/login");
  assert.equal(status, 503);
  assert.match(body.error, /OAUTH_ISSUER/);
});
