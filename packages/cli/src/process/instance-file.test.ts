import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReleasedInstance } from "@tutti/protocol";
import { expect, test } from "vitest";
import { asRoot, mountTemporary } from "../testing/mount.ts";
import { createInstanceFile } from "./instance-file.ts";

const instance: ReleasedInstance = {
  ...{ instanceId: "order-1", businessKey: null, requestId: null, startedBy: null, hash: "h" },
  ...{ deployment: { id: "d", programs: [] }, undoing: [], programs: [], rows: [] },
};

test("[C125] an instance that there is no room for leaves no piece of a file, and is told to be exported again", (context) => {
  context.skip(!asRoot, "needs the right to mount a small file system");
  const folder = mkdtempSync(join(tmpdir(), "tutti-instance-file-"));
  const mounted = mountTemporary(folder, { megabytes: 1 });
  try {
    if (mounted === undefined) return context.skip("mounting is not permitted here");
    const path = join(folder, "order-1.json");
    const file = createInstanceFile(path);
    const ballast = openSync(join(folder, "ballast"), "w");
    expect(() => {
      for (;;) writeSync(ballast, Buffer.alloc(4_096));
    }).toThrow("ENOSPC");
    closeSync(ballast);
    const refusal = { code: "file-unwritable", message: expect.stringContaining("'order-1' was given up: export it") };
    expect(() => file.write(instance)).toThrow(expect.objectContaining(refusal));
    expect(existsSync(path)).toBe(false);
  } finally {
    mounted?.unmount();
    rmSync(folder, { recursive: true });
  }
});
