import { randomBytes } from "node:crypto";
import { HttpError } from "../http.js";
import { challengeOf, createVerifier } from "./pkce.js";

/** The provider said no: what was shown to it is not, or no longer, good. */
export class GrantRefused extends HttpError {
  constructor(reason) {
    super(401, `The provider refused: ${reason}.`);
    this.name = "GrantRefused";
  }
}

/**
 * Speaks OAuth2 (authorization code with PKCE) to one provider. A refusal rejects with GrantRefused; a provider that
 * cannot be reached, is broken or takes longer than `timeoutMs` with HttpError 502.
 */
export function createOAuthClient({ issuer, clientId, redirectUri }, { now = Date.now, timeoutMs = 5_000 } = {}) {
  async function ask(path, init) {
    const response = await fetch(issuer + path, { ...init, signal: AbortSignal.timeout(timeoutMs) }).catch(() => {
      throw new HttpError(502, "The provider cannot be reached.");
    });
    const body = await response.json().catch(() => ({}));
    if (response.ok) return body;
    if (response.status < 500) throw new GrantRefused(body.error ?? `status ${response.status}`);
    throw new HttpError(502, "The provider has a problem.");
  }

  async function redeem(form) {
    const body = await ask("/token", { method: "POST", body: new URLSearchParams({ client_id: clientId, ...form }) });
    return {
      accessToken: body.access_token,
      refreshToken: body.refresh_token,
      expiresAt: now() + body.expires_in * 1_000,
    };
  }

  return {
    /** Starts a sign-in: where to send the person, and the two secrets to keep until they come back. */
    begin({ hint } = {}) {
      const state = randomBytes(16).toString("base64url");
      const verifier = createVerifier();
      const url = new URL(`${issuer}/authorize`);
      url.search = new URLSearchParams({
        response_type: "code",
        client_id: clientId,
        redirect_uri: redirectUri,
        state,
        code_challenge: challengeOf(verifier),
        code_challenge_method: "S256",
        ...(hint ? { login_hint: hint } : {}),
      });
      return { url: url.href, state, verifier };
    },

    /** Tokens `{ accessToken, refreshToken, expiresAt }` for the code that the person came back with. */
    exchange({ code, verifier }) {
      return redeem({ grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: verifier });
    },

    /** New tokens for a refresh token, which is used up by this. */
    refresh(refreshToken) {
      return redeem({ grant_type: "refresh_token", refresh_token: refreshToken });
    },

    /** Whom an access token belongs to. */
    async profile(accessToken) {
      const { sub, name } = await ask("/userinfo", { headers: { authorization: `Bearer ${accessToken}` } });
      return { id: sub, name: name ?? sub };
    },
  };
}
