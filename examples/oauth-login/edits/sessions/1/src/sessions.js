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

    find(id) {
      return byId.get(id);
    },

    close(id) {
      byId.delete(id);
    },

    get size() {
      return byId.size;
    },
  };
}
