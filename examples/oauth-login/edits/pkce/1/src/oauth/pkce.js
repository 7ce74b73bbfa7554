import { createHash, randomBytes } from "node:crypto";

/** A fresh secret for one sign-in (RFC 7636 §4.1): 32 random bytes, 43 characters. */
export function createVerifier() {
  return randomBytes(32).toString("base64url");
}

/** What the provider is shown first; only who knows the verifier can redeem the code later (method S256). */
export function challengeOf(verifier) {
  return createHash("sha256").update(verifier, "ascii").digest("base64url");
}
