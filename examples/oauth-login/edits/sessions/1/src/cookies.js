const sessionCookie = "session";

/** The value of a cookie that the client sent, or undefined. */
export function cookieOf(request, name) {
  for (const pair of (request.headers.cookie ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return decodeURIComponent(pair.slice(at + 1).trim());
  }
  return undefined;
}

/** A `set-cookie` value. Scripts cannot read it, and other sites cannot send it along with their forms. */
export function setCookie(name, value, { path = "/", maxAgeMs, secure }) {
  const parts = [`${name}=${encodeURIComponent(value)}`, `Path=${path}`, `Max-Age=${Math.floor(maxAgeMs / 1_000)}`];
  return [...parts, "HttpOnly", "SameSite=Lax", ...(secure ? ["Secure"] : [])].join("; ");
}

export function clearCookie(name, { path = "/" } = {}) {
  return setCookie(name, "", { path, maxAgeMs: 0, secure: false });
}

export const sessionIdOf = (request) => cookieOf(request, sessionCookie);

export function setSessionCookie(session, { maxAgeMs, secure }) {
  return setCookie(sessionCookie, session.id, { maxAgeMs, secure });
}

export const clearSessionCookie = () => clearCookie(sessionCookie);
