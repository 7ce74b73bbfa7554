import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../src/config.js";
import { start } from "../testing/start.js";

test("every answer, refusals too, says that it is neither kept nor run nor framed", async (t) => {
  const { call } = await start(t);
  for (const path of ["/health", "/nothing"]) {
    const { headers } = await call("GET", path);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("content-security-policy"), /default-src 'none'/);
  }
});

test("a request has ten seconds to arrive unless said otherwise", () => {
  assert.equal(readConfig({}).requestTimeoutMs, 10_000);
  assert.equal(readConfig({ REQUEST_TIMEOUT_MS: "500" }).requestTimeoutMs, 500);
});
