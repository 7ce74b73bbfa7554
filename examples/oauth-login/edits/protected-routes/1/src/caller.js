import { sessionIdOf } from "./cookies.js";

/** Who is asking: whoever the session belongs to, or undefined without one. Asking keeps the session alive. */
export function callerOf(request, { sessions, users }) {
  const session = sessions.find(sessionIdOf(request));
  return session === undefined ? undefined : users.find(session.userId);
}
