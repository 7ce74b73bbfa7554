import { randomBytes } from "node:crypto";

/** Who is signed in, in memory: a session ends `lifetimeMs` after its last use. */
export function createSessions({ lifetimeMs, now = Date.now }) {
  const byId = new Map();

  return {
    /** `tokens` are the provider's; they never leave the service. */
    open({ userId, tokens }) {
      const id = randomBytes(32).toString("base64url");
      const session = { id, userId, tokens, expiresAt: now() + lifetimeMs };
      byId.set(id, session);
      return session;
    },

    /** The session, or undefined when there is none or it has ended. */
    find(id) {
      const session = byId.get(id);
      if (session === undefined) return undefined;
      if (session.expiresAt <= now()) {
        byId.delete(id);
        return undefined;
      }
      return session;
    },

    close(id) {
      byId.delete(id);
    },

    get size() {
      return byId.size;
    },
  };
}
