import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { startProvider } from "../testing/provider.js";

const redirect_uri = "http://127.0.0.1:1/callback";
const code_verifier = "a-verifier-that-is-long-enough-for-the-rfc-7636";

async function authorize(provider, extra = {}) {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: "notes",
    redirect_uri,
    state: "s1",
    code_challenge: createHash("sha256").update(code_verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...extra,
  });
  const response = await fetch(`${provider.issuer}/authorize?${query}`, { redirect: "manual" });
  return new URL(response.headers.get("location") ?? "about:blank").searchParams;
}

async function redeem(provider, form) {
  const response = await fetch(`${provider.issuer}/token`, { method: "POST", body: new URLSearchParams(form) });
  return { status: response.status, body: await response.json() };
}

async function started(t, options) {
  const provider = await startProvider(options);
  t.after(() => provider.close());
  return provider;
}

const grant = (code) => ({ grant_type: "authorization_code", code, redirect_uri, code_verifier });

test("a code is redeemed once, and only with its verifier", async (t) => {
  const provider = await started(t);
  const back = await authorize(provider);
  assert.equal(back.get("state"), "s1");

  assert.equal((await redeem(provider, grant(back.get("code")))).status, 200);
  assert.equal((await redeem(provider, grant(back.get("code")))).body.error, "invalid_grant");

  const second = await authorize(provider);
  const wrong = { ...grant(second.get("code")), code_verifier: "somebody-elses" };
  assert.equal((await redeem(provider, wrong)).body.error, "invalid_grant");
});

test("an access token tells who it belongs to until it expires", async (t) => {
  let at = 0;
  const provider = await started(t, { tokenSeconds: 60, now: () => at });
  const back = await authorize(provider, { login_hint: "bob" });
  const { body } = await redeem(provider, grant(back.get("code")));
  const userinfo = () =>
    fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${body.access_token}` } });

  assert.deepEqual(await (await userinfo()).json(), { sub: "bob", name: "Bob Kahn" });
  at = 60_000;
  assert.equal((await userinfo()).status, 401);
});

test("a refresh token is exchanged for new tokens, once", async (t) => {
  const provider = await started(t);
  const { body } = await redeem(provider, grant((await authorize(provider)).get("code")));
  const refresh = { grant_type: "refresh_token", refresh_token: body.refresh_token };
  const fresh = await redeem(provider, refresh);
  assert.equal(fresh.status, 200);
  assert.notEqual(fresh.body.access_token, body.access_token);
  assert.equal((await redeem(provider, refresh)).body.error, "invalid_grant");
});

test("somebody unknown is sent back with an error", async (t) => {
  const provider = await started(t);
  assert.equal((await authorize(provider, { login_hint: "nobody" })).get("error"), "access_denied");
});
