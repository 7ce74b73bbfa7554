import { randomBytes } from "node:crypto";

/** Who is signed in, in memory: a session ends `lifetimeMs` after its last use. */
export function createSessions({ lifetimeMs, now = Date.now }) {
  // The one that ends first stands first: whoever is used moves to the end.
  const byId = new Map();

  function keep(session) {
    session.expiresAt = now() + lifetimeMs;
    byId.delete(session.id);
    byId.set(session.id, session);
    return session;
  }

  function forgetEnded() {
    for (const session of byId.values()) {
      if (session.expiresAt > now()) return;
      byId.delete(session.id);
    }
  }

  return {
    /** `tokens` are the provider's; they never leave the service. */
    open({ userId, tokens }) {
      forgetEnded();
      return keep({ id: randomBytes(32).toString("base64url"), userId, tokens });
    },

    /** The session, or undefined when there is none or it has ended. Finding it keeps it alive. */
    find(id) {
      forgetEnded();
      const session = byId.get(id);
      return session === undefined ? undefined : keep(session);
    },

    close(id) {
      byId.delete(id);
    },

    get size() {
      return byId.size;
    },
  };
}
