import { clearSessionCookie, sessionIdOf } from "../cookies.js";

/** Ends the caller's session. Signing out twice is no error. */
export function logout({ request, service }) {
  service.sessions.close(sessionIdOf(request));
  return { status: 204, headers: { "set-cookie": clearSessionCookie() } };
}
