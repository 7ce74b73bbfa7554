import { GrantRefused } from "./client.js";

/**
 * Keeps a session's access token good. `accessToken(session)` returns the one it has while that lives for `marginMs`
 * or more, and otherwise fetches new tokens first. When the provider refuses those, the person has lost their access:
 * the session is closed, and it rejects with GrantRefused.
 */
export function createTokenKeeper({ oauth, sessions, now = Date.now, marginMs = 30_000 }) {
  // A refresh token is good for one use: requests that come at the same time share one refresh.
  const running = new WeakMap();

  async function refresh(session) {
    try {
      session.tokens = await oauth.refresh(session.tokens.refreshToken);
    } catch (error) {
      if (error instanceof GrantRefused) sessions.close(session.id);
      throw error;
    } finally {
      running.delete(session);
    }
  }

  return {
    async accessToken(session) {
      if (session.tokens.expiresAt - now() < marginMs) {
        if (!running.has(session)) running.set(session, refresh(session));
        await running.get(session);
      }
      return session.tokens.accessToken;
    },
  };
}
