import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../src/config.js";

const complete = {
  OAUTH_ISSUER: "https://id.example.org",
  OAUTH_CLIENT_ID: "notes",
  OAUTH_REDIRECT_URI: "https://notes.example.org/callback",
};

test("without an issuer nobody can sign in, and that is no error", () => {
  assert.equal(readConfig({}).oauth, undefined);
});

test("the provider's settings are read together", () => {
  assert.deepEqual(readConfig(complete).oauth, {
    issuer: "https://id.example.org",
    clientId: "notes",
    redirectUri: "https://notes.example.org/callback",
  });
});

test("half a setup is refused and says what is missing", () => {
  assert.throws(
    () => readConfig({ OAUTH_ISSUER: complete.OAUTH_ISSUER }),
    /OAUTH_CLIENT_ID and OAUTH_REDIRECT_URI must be set too/,
  );
});

test("the issuer must be https, except on this machine", () => {
  assert.throws(() => readConfig({ ...complete, OAUTH_ISSUER: "http://id.example.org" }), /OAUTH_ISSUER must be https/);
  assert.throws(() => readConfig({ ...complete, OAUTH_ISSUER: "http://localhost.evil.org" }), /must be https/);
  assert.equal(
    readConfig({ ...complete, OAUTH_ISSUER: "http://127.0.0.1:9000" }).oauth.issuer,
    "http://127.0.0.1:9000",
  );
});

test("a session lasts half an hour unless said otherwise", () => {
  assert.equal(readConfig({}).sessionMs, 30 * 60_000);
  assert.equal(readConfig({ SESSION_MINUTES: "5" }).sessionMs, 5 * 60_000);
});
