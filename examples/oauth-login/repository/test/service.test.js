import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../src/config.js";
import { readJson } from "../src/http.js";
import { start } from "../testing/start.js";

test("the service says that it is up", async (t) => {
  const { call } = await start(t);
  const { status, body } = await call("GET", "/health");
  assert.equal(status, 200);
  assert.deepEqual(body, { status: "up" });
});

test("an unknown path is 404, a known one with another method is 405", async (t) => {
  const { call } = await start(t);
  assert.equal((await call("GET", "/nothing")).status, 404);
  assert.equal((await call("PUT", "/health")).status, 405);
});

test("settings come from the environment and have defaults", () => {
  assert.equal(readConfig({}).port, 8080);
  assert.equal(readConfig({ PORT: "9000" }).port, 9000);
  assert.throws(() => readConfig({ PORT: "nine" }), /PORT must be a whole number, but it is "nine"/);
});

test("a body that is too large or not JSON is refused", async () => {
  await assert.rejects(readJson([Buffer.from("123456")], 5), { status: 413 });
  await assert.rejects(readJson([Buffer.from("{")], 5), { status: 400 });
  assert.equal(await readJson([Buffer.from("1"), Buffer.from("2")], 5), 12);
});
