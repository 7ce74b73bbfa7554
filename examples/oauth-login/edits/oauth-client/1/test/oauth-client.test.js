import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { createOAuthClient } from "../src/oauth/client.js";
import { startProvider } from "../testing/provider.js";

async function connected(t, { timeoutMs, ...options } = {}) {
  const provider = await startProvider(options);
  t.after(() => provider.close());
  const settings = { issuer: provider.issuer, clientId: "notes", redirectUri: "http://127.0.0.1:1/callback" };
  return { provider, client: createOAuthClient(settings, { now: options.now, timeoutMs }) };
}

/** Goes where the person is sent, and returns what the provider sends back with them. */
async function visit({ url }) {
  const response = await fetch(url, { redirect: "manual" });
  return new URL(response.headers.get("location")).searchParams;
}

test("a code and its verifier become tokens, and those tell who it is", async (t) => {
  const { client } = await connected(t, { now: () => 1_000, tokenSeconds: 60 });
  const signIn = client.begin();
  const back = await visit(signIn);
  assert.equal(back.get("state"), signIn.state);

  const tokens = await client.exchange({ code: back.get("code"), verifier: signIn.verifier });
  assert.equal(tokens.expiresAt, 61_000);
  assert.deepEqual(await client.profile(tokens.accessToken), { id: "ada", name: "Ada Lovelace" });
});

test("another sign-in's verifier does not redeem the code", async (t) => {
  const { client } = await connected(t);
  const back = await visit(client.begin());
  await assert.rejects(client.exchange({ code: back.get("code"), verifier: client.begin().verifier }), {
    name: "GrantRefused",
    status: 401,
    message: "The provider refused: invalid_grant.",
  });
});

test("a refresh token brings new tokens", async (t) => {
  const { client } = await connected(t);
  const signIn = client.begin({ hint: "bob" });
  const tokens = await client.exchange({ code: (await visit(signIn)).get("code"), verifier: signIn.verifier });
  const fresh = await client.refresh(tokens.refreshToken);
  assert.notEqual(fresh.accessToken, tokens.accessToken);
  assert.equal((await client.profile(fresh.accessToken)).name, "Bob Kahn");
});

test("a provider that is gone or never answers is our 502", async (t) => {
  const { provider, client } = await connected(t);
  provider.close();
  await assert.rejects(client.profile("any"), { status: 502 });

  const silent = createServer(() => "no answer").listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  t.after(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const settings = { issuer: `http://127.0.0.1:${silent.address().port}`, clientId: "notes", redirectUri: "x" };
  await assert.rejects(createOAuthClient(settings, { timeoutMs: 50 }).profile("any"), { status: 502 });
});
