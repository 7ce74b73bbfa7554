import { createServer } from "node:http";
import { callerOf } from "./caller.js";
import { failureOf, send } from "./http.js";
import { createNotes } from "./notes.js";
import { createRouter } from "./router.js";
import { routes } from "./routes.js";
import { createSessions } from "./sessions.js";
import { createUsers } from "./users.js";

/** Puts the service together. `parts` replaces single parts, for tests and for other front ends. */
export function createApp(config, parts = {}) {
  const service = {
    config,
    now: parts.now ?? Date.now,
    sessions: parts.sessions ?? createSessions({ lifetimeMs: config.sessionMs, now: parts.now }),
    notes: parts.notes ?? createNotes(),
    users: parts.users ?? createUsers(),
  };
  const router = createRouter(routes);

  async function handle(request, response) {
    try {
      const route = router.find(request);
      const caller = callerOf(request, service.users);
      const answer = await route.run({ request, caller, service });
      send(response, answer);
    } catch (error) {
      send(response, failureOf(error));
    }
  }

  return createServer(handle);
}
