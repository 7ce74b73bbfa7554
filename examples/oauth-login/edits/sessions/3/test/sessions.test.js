import assert from "node:assert/strict";
import { test } from "node:test";
import { clearSessionCookie, cookieOf, sessionIdOf, setSessionCookie } from "../src/cookies.js";
import { createSessions } from "../src/sessions.js";

const minute = 60_000;

function clock() {
  let at = 0;
  return {
    now: () => at,
    pass(ms) {
      at += ms;
    },
  };
}

test("a session is found by its id, and only by that", () => {
  const sessions = createSessions({ lifetimeMs: 30 * minute });
  const session = sessions.open({ userId: "ada" });
  assert.equal(sessions.find(session.id).userId, "ada");
  assert.equal(sessions.find("guessed"), undefined);
  assert.equal(sessions.find(undefined), undefined);
});

test("ids cannot be guessed", () => {
  const sessions = createSessions({ lifetimeMs: minute });
  const ids = Array.from({ length: 100 }, () => sessions.open({ userId: "ada" }).id);
  assert.equal(new Set(ids).size, 100);
  for (const id of ids) assert.match(id, /^[\w-]{43}$/);
});

test("a session that nobody uses ends after its lifetime, and is forgotten", () => {
  const time = clock();
  const sessions = createSessions({ lifetimeMs: 30 * minute, now: time.now });
  const { id } = sessions.open({ userId: "ada" });
  time.pass(30 * minute);
  assert.equal(sessions.find(id), undefined);
  assert.equal(sessions.size, 0);
});

test("use keeps a session alive", () => {
  const time = clock();
  const sessions = createSessions({ lifetimeMs: 30 * minute, now: time.now });
  const { id } = sessions.open({ userId: "ada" });
  time.pass(29 * minute);
  assert.ok(sessions.find(id));
  time.pass(29 * minute);
  assert.ok(sessions.find(id), "29 minutes after its last use it is still open");
});

test("a closed session is gone at once", () => {
  const sessions = createSessions({ lifetimeMs: minute });
  const { id } = sessions.open({ userId: "ada" });
  sessions.close(id);
  assert.equal(sessions.find(id), undefined);
});

test("sessions that ended do not pile up", () => {
  const time = clock();
  const sessions = createSessions({ lifetimeMs: minute, now: time.now });
  for (let count = 0; count < 10; count += 1) {
    sessions.open({ userId: "ada" });
    time.pass(minute);
  }
  assert.equal(sessions.size, 1);
});

test("the session's cookie is out of reach for scripts and other sites", () => {
  const cookie = setSessionCookie({ id: "a=b" }, { maxAgeMs: 30 * minute, secure: true });
  assert.equal(cookie, "session=a%3Db; Path=/; Max-Age=1800; HttpOnly; SameSite=Lax; Secure");
  assert.match(clearSessionCookie(), /^session=; Path=\/; Max-Age=0/);
});

test("cookies are read back as they were set", () => {
  const request = { headers: { cookie: "theme=dark; session=a%3Db" } };
  assert.equal(sessionIdOf(request), "a=b");
  assert.equal(cookieOf(request, "theme"), "dark");
  assert.equal(cookieOf(request, "other"), undefined);
  assert.equal(sessionIdOf({ headers: {} }), undefined);
});
