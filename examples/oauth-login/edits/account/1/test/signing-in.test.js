import assert from "node:assert/strict";
import { test } from "node:test";
import { startProvider } from "../testing/provider.js";
import { start } from "../testing/start.js";

/** A browser, as far as this service can tell: it keeps cookies and follows redirects. */
function browse(origin) {
  const jar = new Map();

  return async function visit(target, { method = "GET", body } = {}) {
    const url = new URL(target, origin);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { method, redirect: "manual", headers: { cookie }, body });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null) return { status: response.status, body: await response.json().catch(() => undefined) };
    // The provider sends people back to the registered address; this service listens on another port.
    const next = new URL(location, url);
    return visit(next.pathname === "/callback" ? next.pathname + next.search : next.href);
  };
}

async function open(t, { tokenSeconds } = {}) {
  let at = Date.parse("2026-01-01T09:00:00Z");
  const now = () => at;
  const provider = await startProvider({ tokenSeconds, now });
  t.after(() => provider.close());
  const env = {
    OAUTH_ISSUER: provider.issuer,
    OAUTH_CLIENT_ID: "notes",
    OAUTH_REDIRECT_URI: "http://127.0.0.1:1/callback",
  };
  const { origin } = await start(t, { env, now });
  return { provider, visit: browse(origin), another: browse(origin), pass: (ms) => (at += ms) };
}

test("a person signs in, keeps notes, and sees only their own", async (t) => {
  const { visit, another } = await open(t);
  assert.equal((await visit("/notes")).status, 401);
  assert.deepEqual((await visit("/login")).body, { notes: [] });
  await visit("/notes", { method: "POST", body: JSON.stringify({ text: "buy milk" }) });
  assert.equal((await visit("/notes")).body.notes[0].text, "buy milk");

  await another("/login?hint=bob");
  assert.deepEqual((await another("/notes")).body, { notes: [] });
  assert.equal((await another("/account")).body.name, "Bob Kahn");
});

test("the account is the provider's, also after the access token has expired", async (t) => {
  const { provider, visit, pass } = await open(t, { tokenSeconds: 60 });
  await visit("/login");
  assert.deepEqual((await visit("/account")).body, { id: "ada", name: "Ada Lovelace" });
  pass(10 * 60_000);
  assert.deepEqual((await visit("/account")).body, { id: "ada", name: "Ada Lovelace" });
  assert.equal(provider.redeemed.refresh_token, 1);
});

test("after half an hour of silence one has to sign in again", async (t) => {
  const { visit, pass } = await open(t);
  await visit("/login");
  pass(30 * 60_000);
  assert.equal((await visit("/account")).status, 401);
});
