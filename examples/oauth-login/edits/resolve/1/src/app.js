import { createServer } from "node:http";
import { createAudit } from "./audit.js";
import { callerOf } from "./caller.js";
import { failureOf, HttpError, send } from "./http.js";
import { createNotes } from "./notes.js";
import { createOAuthClient } from "./oauth/client.js";
import { createRouter } from "./router.js";
import { routes } from "./routes.js";
import { createSessions } from "./sessions.js";
import { createUsers } from "./users.js";

/** Puts the service together. `parts` replaces single parts, for tests and for other front ends. */
export function createApp(config, parts = {}) {
  const service = {
    config,
    audit: parts.audit ?? createAudit(),
    now: parts.now ?? Date.now,
    sessions: parts.sessions ?? createSessions({ lifetimeMs: config.sessionMs, now: parts.now }),
    notes: parts.notes ?? createNotes(),
    users: parts.users ?? createUsers(),
    oauth: parts.oauth ?? (config.oauth && createOAuthClient(config.oauth, { now: parts.now })),
  };
  const router = createRouter(routes);

  async function handle(request, response) {
    const entry = { at: service.now(), method: request.method, path: request.url.split("?")[0], who: "nobody" };
    let answer;
    try {
      const route = router.find(request);
      const caller = callerOf(request, service);
      entry.who = caller?.id ?? "nobody";
      // A route is closed unless it says otherwise: forgetting to say it must not open anything.
      if (caller === undefined && route.access !== "open") throw new HttpError(401, "Sign in first: GET /login");
      answer = await route.run({ request, caller, service });
    } catch (error) {
      answer = failureOf(error);
    }
    service.audit.record({ ...entry, status: answer.status });
    send(response, answer);
  }

  return createServer(handle);
}
