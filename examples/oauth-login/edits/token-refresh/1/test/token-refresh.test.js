import assert from "node:assert/strict";
import { test } from "node:test";
import { createOAuthClient } from "../src/oauth/client.js";
import { createTokenKeeper } from "../src/oauth/refresh.js";
import { createSessions } from "../src/sessions.js";
import { startProvider } from "../testing/provider.js";

async function signedIn(t) {
  let at = 0;
  const now = () => at;
  const provider = await startProvider({ tokenSeconds: 60, now });
  t.after(() => provider.close());
  const oauth = createOAuthClient(
    { issuer: provider.issuer, clientId: "notes", redirectUri: "http://127.0.0.1:1/callback" },
    { now },
  );
  const { url, verifier } = oauth.begin();
  const response = await fetch(url, { redirect: "manual" });
  const code = new URL(response.headers.get("location")).searchParams.get("code");
  const sessions = createSessions({ lifetimeMs: 3_600_000, now });
  const session = sessions.open({ userId: "ada", tokens: await oauth.exchange({ code, verifier }) });
  const keeper = createTokenKeeper({ oauth, sessions, now });
  return { provider, oauth, sessions, session, keeper, pass: (ms) => (at += ms) };
}

test("a token that lives long enough is used as it is", async (t) => {
  const { provider, session, keeper, pass } = await signedIn(t);
  pass(30_000);
  assert.equal(await keeper.accessToken(session), session.tokens.accessToken);
  assert.equal(provider.redeemed.refresh_token, 0);
});

test("one that is about to expire is replaced first", async (t) => {
  const { oauth, session, keeper, pass } = await signedIn(t);
  const before = session.tokens.accessToken;
  pass(59_000);
  const fresh = await keeper.accessToken(session);
  assert.notEqual(fresh, before);
  pass(30_000);
  assert.equal((await oauth.profile(fresh)).id, "ada");
});

test("requests at the same time share one refresh", async (t) => {
  const { provider, session, keeper, pass } = await signedIn(t);
  pass(60_000);
  const tokens = await Promise.all([1, 2, 3].map(() => keeper.accessToken(session)));
  assert.equal(new Set(tokens).size, 1);
  assert.equal(provider.redeemed.refresh_token, 1);
});

test("whoever lost their access at the provider is signed out here", async (t) => {
  const { sessions, session, keeper, pass } = await signedIn(t);
  pass(60_000);
  session.tokens = { ...session.tokens, refreshToken: "revoked" };
  await assert.rejects(keeper.accessToken(session), { name: "GrantRefused" });
  assert.equal(sessions.find(session.id), undefined);
});

test("a provider that is down for a moment signs nobody out", async (t) => {
  const { provider, sessions, session, keeper, pass } = await signedIn(t);
  pass(60_000);
  provider.close();
  await assert.rejects(keeper.accessToken(session), { status: 502 });
  assert.ok(sessions.find(session.id));
});
