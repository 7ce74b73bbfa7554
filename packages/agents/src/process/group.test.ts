import { execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { ProcessGroup } from "../agent.ts";
import { eventually } from "../testing/setup.ts";
import { describeGroup, endProcessGroup, markerVariable, membersOf } from "./group.ts";

function start(script: string, marker: string = crypto.randomUUID()): ProcessGroup {
  const environment = { PATH: process.env["PATH"], [markerVariable]: marker };
  const child = spawn("/bin/sh", ["-c", script], { detached: true, stdio: "ignore", env: environment });
  if (child.pid === undefined) throw new Error("not started");
  child.unref();
  return describeGroup(child.pid, marker);
}

describe.skipIf(process.platform !== "linux")("process groups (Linux)", () => {
  test("[A13] whoever recovers ends a group from what was written down, also when it ignores being asked", async () => {
    const group = start("trap '' TERM; sleep 60 & sleep 60; sleep 60");
    expect(await eventually(() => membersOf(group).length === 3)).toBe(true);
    // Another process, as after a crash, which knows nothing but the record.
    const module = fileURLToPath(new URL("./group.ts", import.meta.url));
    const code = `import { endProcessGroup } from ${JSON.stringify(module)};
      console.log(JSON.stringify(await endProcessGroup(JSON.parse(process.argv[1]), { graceMs: 200 })));`;
    const args = ["--input-type=module", "-e", code, JSON.stringify(group)];
    const report = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
    expect(report).toEqual({ ended: 3, left: 0 });
    expect(membersOf(group)).toEqual([]);
  });

  test("[A13] also what left the group, once its leader is gone", async () => {
    const group = start("setsid sh -c 'sleep 60; sleep 60' & exit 0");
    expect(await eventually(() => membersOf(group).some(({ pid, group: own }) => own === pid))).toBe(true);
    expect(await endProcessGroup(group, { graceMs: 0 })).toMatchObject({ left: 0 });
    expect(membersOf(group)).toEqual([]);
  });

  test("[A14] a stranger that was given the pid since is left alone", async () => {
    const stranger = start("sleep 60");
    const earlier = stranger.startTime.replace(/\d+$/, (ticks) => String(Number(ticks) - 100));
    const gone = { pid: stranger.pid, startTime: earlier, marker: "another-marker" };
    expect(await endProcessGroup(gone)).toEqual({ ended: 0, left: 0 });
    expect(membersOf(stranger).length).toBeGreaterThan(0);
    expect(await endProcessGroup({ ...stranger, startTime: "another-boot:1" })).toEqual({ ended: 0, left: 0 });
    expect(membersOf(stranger).length).toBeGreaterThan(0);
    expect(await endProcessGroup(stranger, { graceMs: 1_000 })).toMatchObject({ left: 0 });
    expect(membersOf(stranger)).toEqual([]);
  });

  test("[A13] ending what has ended is no error", async () => {
    const group = start("exit 0");
    expect(await eventually(() => membersOf(group).length === 0)).toBe(true);
    expect(await endProcessGroup(group)).toEqual({ ended: 0, left: 0 });
  });
});
