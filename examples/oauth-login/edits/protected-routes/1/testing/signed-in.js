import { createSessions } from "../src/sessions.js";
import { createUsers } from "../src/users.js";

/** People who are signed in already: the parts for `start`, and the headers that each of them sends. */
export function signedIn(...names) {
  const users = createUsers();
  const sessions = createSessions({ lifetimeMs: 60_000 });
  const headers = names.map((name) => {
    const user = users.remember({ id: name, name });
    return { cookie: `session=${sessions.open({ userId: user.id }).id}` };
  });
  return { parts: { users, sessions }, headers };
}
