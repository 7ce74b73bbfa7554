import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { currentOwner } from "@tutti/engine";
import type { AppError } from "@tutti/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OwnerClient } from "./owner/client.ts";
import { openOwner } from "./owner/owner.ts";
import { ensureFolder, stateFolder } from "./state.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-state-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return `${(error as AppError).code}: ${(error as AppError).message}`;
  }
  return "taken";
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test("[C28] a new, an empty and an own folder are closed to others; one that holds other things is left as it is", () => {
  const [fresh, empty, own, foreign] = ["a/fresh", "empty", "own", "foreign"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const path of [empty, own, foreign]) mkdirSync(path);
  for (const path of [empty, own, foreign]) chmodSync(path, 0o755);
  writeFileSync(join(own, "owner.sqlite"), "");
  writeFileSync(join(foreign, "letter.txt"), "");
  for (const path of [fresh, empty, own]) {
    ensureFolder(path);
    expect(modeOf(path)).toBe(0o700);
  }
  expect(refusal(() => ensureFolder(foreign))).toMatch(/^state-unusable: .*holds other things/);
  expect(modeOf(foreign)).toBe(0o755);
});

test("[C28] nobody is spoken to in a folder of another user", () => {
  const state = stateFolder(join(folder, "state"), {}, folder);
  // Nothing is there yet: that is no owner, and no reason to refuse.
  expect(refusal(() => new OwnerClient(state))).toBe("taken");
  const foreign = stateFolder("/usr", {}, folder);
  if (process.getuid?.() === 0) {
    mkdirSync(state.path);
    chownSync(state.path, 65_534, 65_534);
  }
  const theirs = process.getuid?.() === 0 ? state : foreign;
  expect(refusal(() => new OwnerClient(theirs))).toMatch(/^state-unusable: .*another user/);
});

test.skipIf(process.platform !== "linux")("[C35] an owner that cannot listen lets go of everything", async () => {
  const state = stateFolder(join(folder, "state"), {}, folder);
  mkdirSync(join(state.socket, "in-the-way"), { recursive: true });
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  await expect(openOwner({ state, log: quiet })).rejects.toThrow();
  const open = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(join("/proc/self/fd", fd))];
    } catch {
      // The folder's own descriptor, closed again.
      return [];
    }
  });
  expect(open.filter((path) => path.startsWith(state.path))).toEqual([]);
  expect(currentOwner(state.path)).toBeUndefined();
});
