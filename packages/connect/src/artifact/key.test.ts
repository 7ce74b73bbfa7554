import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { keyFromEnvironment } from "./key.ts";

const folder = mkdtempSync(join(tmpdir(), "tutti-key-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hex = "0123456789abcdef".repeat(4);

test("[CN34] a key comes from the environment, or from a file that is its owner's alone", () => {
  expect(keyFromEnvironment({})).toBeUndefined();
  const key = keyFromEnvironment({ TUTTI_ARTIFACT_KEY: hex });
  expect(Buffer.from(key?.secret ?? []).toString("hex")).toBe(hex);
  expect(keyFromEnvironment({ TUTTI_PAYLOAD_KEY: hex }, "TUTTI_PAYLOAD_KEY")).toEqual(key);
  const path = join(folder, "key");
  writeFileSync(path, `${hex}\n`, { mode: 0o600 });
  expect(keyFromEnvironment({ TUTTI_ARTIFACT_KEY_FILE: path })).toEqual(key);
  chmodSync(path, 0o640);
  const invalid = expect.objectContaining({ code: "artifact-key-invalid" });
  expect(() => keyFromEnvironment({ TUTTI_ARTIFACT_KEY_FILE: path })).toThrow(invalid);
  expect(() => keyFromEnvironment({ TUTTI_ARTIFACT_KEY_FILE: join(folder, "none") })).toThrow(invalid);
  expect(() => keyFromEnvironment({ TUTTI_ARTIFACT_KEY_FILE: folder })).toThrow(invalid);
  expect(() => keyFromEnvironment({ TUTTI_ARTIFACT_KEY: hex, TUTTI_ARTIFACT_KEY_FILE: path })).toThrow(invalid);
});

test.each(["", "hunter2", hex.slice(1), `${hex}00`, `x${hex.slice(1)}`])(
  "[CN34] '%s' is no key, and is not repeated",
  (text) => {
    let message = "";
    try {
      keyFromEnvironment({ TUTTI_ARTIFACT_KEY: text });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain("64 hex digits");
    if (text !== "") expect(message).not.toContain(text);
  },
);
