import { afterEach, describe, expect, test } from "vitest";
import { uncaged } from "../cage/none.ts";
import { type Bench, bench } from "../testing/setup.ts";
import { type CommandRequest, runCommand } from "./command.ts";
import { startProcess } from "./process.ts";

const benches: Bench[] = [];
afterEach(() => {
  for (const each of benches.splice(0)) each.remove();
});

function run(command: CommandRequest["command"], rest: Partial<CommandRequest> = {}) {
  const here = bench();
  benches.push(here);
  const { scratch, signal } = here.context;
  const base = { cwd: here.workspace, scratch, cage: uncaged(), limits: { wallMs: 10_000 }, signal };
  return runCommand({ command, ...base, ...rest, onSpawn: (group) => here.groups.push(group) }).then((result) => ({
    result,
    here,
  }));
}

describe("runCommand", () => {
  test("[A16] gives the exit status and what was printed on both streams", async () => {
    const { result } = await run("echo out; echo err >&2; exit 7");
    expect(result).toMatchObject({ exit: 7, signal: null, timedOut: false, cause: "exited" });
    expect(result.output).toContain("out\n");
    expect(result.output).toContain("err\n");
  });

  test("[A16] a list is run without a shell", async () => {
    expect((await run(["echo", "$HOME;ls"])).result.output).toBe("$HOME;ls\n");
  });

  test("[A16] keeps the end of a long output", async () => {
    const { result } = await run("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done", {
      limits: { wallMs: 10_000, tailCharactersMax: 100 },
    });
    expect(result.output).toHaveLength(100);
    expect(result.output.endsWith("line 2999\n")).toBe(true);
  });

  test("[A16] a command that takes too long is ended with its children, and said to have timed out", async () => {
    const { result, here } = await run("sleep 60 & sleep 60", { limits: { wallMs: 300 } });
    expect(result).toMatchObject({ timedOut: true, cause: "timeout" });
    expect(here.left()).toEqual([]);
  });

  test("[A16] cancel ends it", async () => {
    const { result, here } = await run("sleep 60", { signal: AbortSignal.timeout(200) });
    expect(result.cause).toBe("cancelled");
    expect(here.left()).toEqual([]);
  });

  test("[A16] what cannot be started ends with status 127 and the reason", async () => {
    expect((await run(["no-such-program"])).result).toMatchObject({
      exit: 127,
      output: expect.stringContaining("no-such-program"),
    });
    expect((await run("true", { cwd: "/nonexistent" })).result).toMatchObject({ exit: 127, cause: "not-started" });
    expect((await run(["echo", "a\0b"])).result).toMatchObject({ exit: 127, cause: "not-started" });
  });

  test("[A11] a child that holds the output open does not hold up the result", async () => {
    const before = Date.now();
    const { result, here } = await run("setsid sleep 60 & echo done");
    expect(result).toMatchObject({ exit: 0, output: "done\n" });
    expect(Date.now() - before).toBeLessThan(5_000);
    expect(here.left()).toEqual([]);
  });

  test("[A8] a flood is cut at its limit", async () => {
    const { result } = await run("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", {
      limits: { wallMs: 10_000, outputBytesMax: 200_000 },
    });
    expect(result.cause).toBe("flooded");
    expect(result.output.length).toBeLessThanOrEqual(200_000);
  });

  test("[A7] silence counts from the last byte, not from the start", async () => {
    const command = "for i in 1 2 3 4; do sleep 0.3; echo $i; done";
    expect((await run(command, { limits: { wallMs: 10_000, silenceMs: 700 } })).result.exit).toBe(0);
    expect((await run(command, { limits: { wallMs: 10_000, silenceMs: 150 } })).result.cause).toBe("silent");
  });
});

describe.skipIf(process.platform !== "linux")("limits that Linux can tell", () => {
  test("[A15] too many processes end the command", async () => {
    const { result, here } = await run("for i in 1 2 3 4 5 6; do sleep 60 & done; wait", {
      limits: { wallMs: 10_000, processesMax: 4 },
    });
    expect(result.cause).toBe("processes");
    expect(here.left()).toEqual([]);
  });

  test("[A15] too much memory ends the command", async () => {
    const hungry = "const all = []; setInterval(() => all.push(Buffer.alloc(20e6, 1)), 50)";
    const { result } = await run([process.execPath, "-e", hungry], {
      limits: { wallMs: 10_000, memoryBytesMax: 200_000_000 },
    });
    expect(result.cause).toBe("memory");
  });
});

test("[A13] a process whose group cannot be written down is ended", async () => {
  const here = bench();
  const onSpawn: NonNullable<CommandRequest["onSpawn"]> = (group) => {
    here.groups.push(group);
    throw new Error("disk full");
  };
  const { scratch, signal } = here.context;
  const base = { cwd: here.workspace, scratch, cage: uncaged(), limits: { wallMs: 10_000 }, signal, onSpawn };
  const result = await runCommand({ command: "sleep 60", ...base });
  expect(result).toMatchObject({ exit: 127, output: expect.stringContaining("disk full") });
  expect(here.left()).toEqual([]);
  here.remove();
});

test("[A10] a process that is cancelled before it starts is not started", async () => {
  const started: unknown[] = [];
  const end = await startProcess({
    launch: { file: "/bin/true", args: [], cwd: "/", environment: {} },
    limits: { wallMs: 1_000, outputBytesMax: 1_000 },
    signal: AbortSignal.abort("cancelled"),
    onSpawn: (group) => started.push(group),
  }).ended;
  expect(end.cause).toBe("cancelled");
  expect(started).toEqual([]);
});
