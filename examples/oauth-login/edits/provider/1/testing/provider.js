import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * A small OAuth2 provider for tests and for trying the service on one's own machine. It knows two people, asks nobody
 * for a password, and is strict about the protocol: one-time codes, PKCE (S256 only), rotating refresh tokens.
 * `login_hint=bob` at /authorize signs in Bob instead of Ada, and `login_hint=nobody` refuses.
 */
export async function startProvider({ port = 0, tokenSeconds = 600, now = Date.now } = {}) {
  const provider = createGrants({ tokenSeconds, now });
  const server = createServer((request, response) => {
    answer(request, provider).then(
      ({ status, headers = {}, body }) => {
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.end(body === undefined ? "" : JSON.stringify(body));
      },
      (error) => {
        response.writeHead(500).end(String(error));
      },
    );
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");

  return {
    issuer: `http://127.0.0.1:${server.address().port}`,
    /** How often each grant type was redeemed. */
    redeemed: provider.redeemed,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const people = { ada: { sub: "ada", name: "Ada Lovelace" }, bob: { sub: "bob", name: "Bob Kahn" } };
const newSecret = () => randomBytes(16).toString("hex");
const refused = (error) => ({ status: 400, body: { error } });

function createGrants({ tokenSeconds, now }) {
  const codes = new Map();
  const accessTokens = new Map();
  const refreshTokens = new Map();
  const redeemed = { authorization_code: 0, refresh_token: 0 };

  function issue(grant) {
    const tokens = { access_token: newSecret(), refresh_token: newSecret() };
    accessTokens.set(tokens.access_token, { ...grant, expiresAt: now() + tokenSeconds * 1_000 });
    refreshTokens.set(tokens.refresh_token, grant);
    return { status: 200, body: { ...tokens, token_type: "Bearer", expires_in: tokenSeconds } };
  }

  function redeemCode(form) {
    const grant = codes.get(form.get("code"));
    codes.delete(form.get("code"));
    if (grant === undefined || grant.redirectUri !== form.get("redirect_uri")) return refused("invalid_grant");
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (challenge !== grant.challenge) return refused("invalid_grant");
    redeemed.authorization_code += 1;
    return issue({ person: grant.person, clientId: grant.clientId });
  }

  function redeemRefreshToken(form) {
    const grant = refreshTokens.get(form.get("refresh_token"));
    refreshTokens.delete(form.get("refresh_token"));
    if (grant === undefined) return refused("invalid_grant");
    redeemed.refresh_token += 1;
    return issue(grant);
  }

  return {
    redeemed,
    authorize(grant) {
      const code = newSecret();
      codes.set(code, grant);
      return code;
    },
    redeem(form) {
      if (form.get("grant_type") === "authorization_code") return redeemCode(form);
      if (form.get("grant_type") === "refresh_token") return redeemRefreshToken(form);
      return refused("unsupported_grant_type");
    },
    revoke(token) {
      accessTokens.delete(token);
      refreshTokens.delete(token);
    },
    personOf(accessToken) {
      const grant = accessTokens.get(accessToken);
      return grant !== undefined && grant.expiresAt > now() ? grant.person : undefined;
    },
  };
}

async function answer(request, provider) {
  const url = new URL(request.url, "http://provider");
  if (request.method === "GET" && url.pathname === "/authorize") return authorize(url.searchParams, provider);
  if (request.method === "POST" && url.pathname === "/token") return provider.redeem(await formOf(request));
  if (request.method === "POST" && url.pathname === "/revoke") {
    provider.revoke((await formOf(request)).get("token"));
    return { status: 200 };
  }
  if (request.method === "GET" && url.pathname === "/userinfo") {
    const person = provider.personOf(request.headers.authorization?.replace(/^Bearer /, ""));
    return person === undefined ? { status: 401, body: { error: "invalid_token" } } : { status: 200, body: person };
  }
  return { status: 404 };
}

function authorize(query, provider) {
  if (query.get("response_type") !== "code" || query.get("code_challenge_method") !== "S256") {
    return refused("invalid_request");
  }
  const back = new URL(query.get("redirect_uri"));
  back.searchParams.set("state", query.get("state"));
  const person = people[query.get("login_hint") ?? "ada"];
  if (person === undefined) {
    back.searchParams.set("error", "access_denied");
  } else {
    const grant = {
      person,
      clientId: query.get("client_id"),
      redirectUri: query.get("redirect_uri"),
      challenge: query.get("code_challenge"),
    };
    back.searchParams.set("code", provider.authorize(grant));
  }
  return { status: 302, headers: { location: back.href } };
}

async function formOf(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}
