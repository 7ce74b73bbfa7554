import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../testing/stores.ts";
import { currentOwner, ownFolder } from "./ownership.ts";

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ folder, remove } = temporaryFolder());
});
afterEach(() => remove());

test("[E47] a second owner is refused and told who the first is; after release the folder is free", () => {
  const state = join(folder, "state");
  expect(currentOwner(folder)).toBeUndefined();
  const first = ownFolder(state, { now: 1_000, note: { socket: "s" } });
  expect(currentOwner(state)).toEqual(first.owner);
  expect(() => ownFolder(state, { now: 2_000 })).toThrow(
    expect.objectContaining({
      code: "state-owned",
      details: { owner: expect.objectContaining({ pid: process.pid, since: 1_000, note: { socket: "s" } }) },
    }),
  );
  first.release();
  first.release();
  expect(currentOwner(state)).toBeUndefined();
  ownFolder(state, { now: 3_000 }).release();
});

test("[E47] the end of the owner's process, however it ends, frees the folder", async () => {
  const script = `import { ownFolder } from ${JSON.stringify(join(import.meta.dirname, "ownership.ts"))};
    ownFolder(${JSON.stringify(folder)}, { now: 5 }); setTimeout(() => { gc(); console.log("owned"); }); setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ["--expose-gc", "--conditions=@tutti/source", "--input-type=module-typescript", "-e", script],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  try {
    await once(child.stdout, "data");
    expect(() => ownFolder(folder, { now: 6 })).toThrow(
      expect.objectContaining({ details: { owner: expect.objectContaining({ pid: child.pid }) } }),
    );
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  const next = ownFolder(folder, { now: 7 });
  expect(next.owner.pid).toBe(process.pid);
  next.release();
});
