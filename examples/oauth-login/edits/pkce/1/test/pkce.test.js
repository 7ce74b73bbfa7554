import assert from "node:assert/strict";
import { test } from "node:test";
import { challengeOf, createVerifier } from "../src/oauth/pkce.js";

test("the challenge is that of RFC 7636, appendix B", () => {
  assert.equal(
    challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  );
});

test("every verifier is new, and made of the characters that the RFC allows", () => {
  const verifiers = Array.from({ length: 100 }, createVerifier);
  assert.equal(new Set(verifiers).size, 100);
  for (const verifier of verifiers) assert.match(verifier, /^[A-Za-z0-9._~-]{43,128}$/);
});
