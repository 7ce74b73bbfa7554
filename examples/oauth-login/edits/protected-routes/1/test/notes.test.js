import assert from "node:assert/strict";
import { test } from "node:test";
import { signedIn } from "../testing/signed-in.js";
import { start } from "../testing/start.js";

const {
  parts,
  headers: [ada, bob],
} = signedIn("ada", "bob");

test("a note is added, listed and removed", async (t) => {
  const { call } = await start(t, { ...parts, now: () => 1_000 });
  const added = await call("POST", "/notes", { headers: ada, body: { text: " buy milk " } });
  assert.equal(added.status, 201);
  assert.deepEqual(added.body, { id: "1", text: "buy milk", at: 1_000 });

  assert.deepEqual((await call("GET", "/notes", { headers: ada })).body.notes, [added.body]);

  assert.equal((await call("DELETE", "/notes/1", { headers: ada })).status, 204);
  assert.deepEqual((await call("GET", "/notes", { headers: ada })).body.notes, []);
});

test("the newest note comes first", async (t) => {
  const { call } = await start(t, parts);
  for (const text of ["first", "second"]) await call("POST", "/notes", { headers: ada, body: { text } });
  const { body } = await call("GET", "/notes", { headers: ada });
  assert.deepEqual(
    body.notes.map((note) => note.text),
    ["second", "first"],
  );
});

test("nobody sees or removes another's notes", async (t) => {
  const { call } = await start(t, parts);
  await call("POST", "/notes", { headers: ada, body: { text: "mine" } });
  assert.deepEqual((await call("GET", "/notes", { headers: bob })).body.notes, []);
  assert.equal((await call("DELETE", "/notes/1", { headers: bob })).status, 404);
});

test("a note without a text is refused", async (t) => {
  const { call } = await start(t, parts);
  for (const text of ["", "   ", 7, undefined]) {
    assert.equal((await call("POST", "/notes", { headers: ada, body: { text } })).status, 400);
  }
});
