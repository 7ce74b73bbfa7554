import { runIdPattern } from "@tutti/protocol";
import { expect, test } from "vitest";
import { makeRunId, resolveRun } from "./run-id.ts";

const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);

test.each([
  ["User authentication with OAuth2", /^user-authentication-with-oauth2-[a-z0-9]{6}$/],
  ["Größe ändern: schön!", /^grosse?-andern-schon-|^groe-andern-schon-/],
  ["支持暗色模式", /^run-[a-z0-9]{6}$/],
  ["x".repeat(200), /^x{32}-[a-z0-9]{6}$/],
])("a run id is made of the feature's first words: %s", (feature, expected) => {
  expect(makeRunId(feature, bytes)).toMatch(expected);
  expect(makeRunId(feature)).toMatch(runIdPattern);
  expect(makeRunId(feature)).not.toBe(makeRunId(feature));
});

const runs = (...ids: readonly string[]) => ({
  ids: async () => ids.map((id) => ({ run: id.replace("*", ""), open: id.endsWith("*") })),
});

test.each([
  [["c", "b*", "a"], undefined, "b"],
  [["c", "b", "a"], undefined, "c"],
  [["dark-mode-aaaaaa", "oauth-bbbbbb"], "oauth", "oauth-bbbbbb"],
  [["dark-mode-aaaaaa", "oauth-bbbbbb"], "aaaaaa", "dark-mode-aaaaaa"],
  [["dark", "dark-mode"], "dark", "dark"],
])("[C11] of %j, %s means %s", async (ids, given, expected) => {
  expect(await resolveRun(runs(...ids), given)).toBe(expected);
});

test.each([
  [[], undefined, "there is none yet"],
  [["a*", "b*"], undefined, "there are 2: a, b"],
  [["oauth-1", "oauth-2"], "oauth", "may be oauth-1, oauth-2"],
  [["oauth-1"], "outah-1", "did you mean oauth-1?"],
  [["oauth-1"], "zzz", "there is no 'zzz'"],
])("[C11] of %j, %s is refused: %s", async (ids, given, reason) => {
  await expect(resolveRun(runs(...ids), given)).rejects.toThrow(reason);
});
