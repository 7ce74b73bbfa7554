import { timingSafeEqual } from "node:crypto";
import { clearCookie, cookieOf, setCookie, setSessionCookie } from "../cookies.js";
import { HttpError } from "../http.js";

// The two secrets of a sign-in wait in the person's own browser, so that the service keeps nothing for people who
// never come back. Only /callback gets to see them.
const signInCookie = { name: "sign-in", path: "/callback", maxAgeMs: 5 * 60_000 };

/** Sends the person to the provider. `?hint=` says who they are likely to be. */
export function login({ url, service }) {
  const oauth = needOAuth(service);
  const signIn = oauth.begin({ hint: url.searchParams.get("hint") });
  const cookie = setCookie(signInCookie.name, `${signIn.state}.${signIn.verifier}`, {
    ...signInCookie,
    secure: isSecure(service),
  });
  return { status: 302, headers: { location: signIn.url, "set-cookie": cookie } };
}

/** The person comes back from the provider: checks that it is the same one, and opens their session. */
export async function callback({ request, url, service }) {
  const oauth = needOAuth(service);
  const [state, verifier] = (cookieOf(request, signInCookie.name) ?? "").split(".");
  if (!state || !verifier || !same(state, url.searchParams.get("state") ?? "")) {
    throw new HttpError(400, "This sign-in was not started here, or took too long. Start again: GET /login");
  }
  const problem = url.searchParams.get("error");
  if (problem !== null) throw new HttpError(401, `The provider did not let you in: ${problem}.`);

  const tokens = await oauth.exchange({ code: url.searchParams.get("code") ?? "", verifier });
  const user = service.users.remember(await oauth.profile(tokens.accessToken));
  const session = service.sessions.open({ userId: user.id, tokens });
  const cookies = [
    setSessionCookie(session, { maxAgeMs: service.config.sessionMs, secure: isSecure(service) }),
    clearCookie(signInCookie.name, signInCookie),
  ];
  return { status: 303, headers: { location: "/notes", "set-cookie": cookies } };
}

function needOAuth(service) {
  if (service.oauth === undefined) throw new HttpError(503, "Signing in is not set up: OAUTH_ISSUER is missing.");
  return service.oauth;
}

const isSecure = (service) => service.config.oauth?.redirectUri.startsWith("https:") ?? false;

// Compared in constant time: how long a refusal takes must not tell how much of a guess was right.
function same(expected, actual) {
  const [left, right] = [Buffer.from(expected), Buffer.from(actual)];
  return left.length === right.length && timingSafeEqual(left, right);
}
