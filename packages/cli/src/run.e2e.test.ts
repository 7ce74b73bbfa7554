import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RunView } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
import { OwnerClient } from "./owner/client.ts";
import { remoteAccess } from "./run/access.ts";
import { stateFolder } from "./state.ts";
import { CliHouse, gitAnswer, until } from "./testing/cli-house.ts";

const houses: CliHouse[] = [];

async function house(environment: NodeJS.ProcessEnv = {}): Promise<CliHouse> {
  const made = await CliHouse.open(environment);
  houses.push(made);
  return made;
}

afterEach(async () => {
  for (const made of houses.splice(0)) await made.close();
});

function runArguments({ repository, plan, script }: Awaited<ReturnType<CliHouse["material"]>>): string[] {
  return ["run", "--repo", repository, "--plan", plan, "--script", script];
}

test("[C1] a run lands as one branch and a report; the person's branch, index and files stay as they were", async () => {
  const own = await house();
  const material = await own.material("fixtures/diamond-late");
  const before = await gitAnswer(material.repository, "status", "--porcelain=v2", "--branch");
  const { exit, stdout, stderr } = await own.tutti(...runArguments(material), "--id", "diamond");
  expect(stderr).toContain("The agents are scripted");
  expect(exit, stderr).toBe(0);
  expect(stdout).toContain("diamond: done in");
  expect(await gitAnswer(material.repository, "show", "tutti/diamond:parts/D.txt")).toBe("done");
  expect(await gitAnswer(material.repository, "status", "--porcelain=v2", "--branch")).toBe(before);
  const report = join(own.state, "runs", "diamond", "PULL_REQUEST.md");
  expect(stdout).toContain(report);
  expect(await readFile(report, "utf8")).toContain("parts/D.txt");
  expect((await stat(own.state)).mode & 0o777).toBe(0o700);
});

test("[C8] under --json stdout is one document, and following gives a line for each change", async () => {
  const own = await house();
  const material = await own.material("fixtures/diamond-late");
  const started = await own.json<RunView>(...runArguments(material), "--id", "diamond", "--detach");
  expect(started.run).toBe("diamond");
  const followed = await own.tutti("status", "--follow", "--json");
  const lines = followed.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RunView);
  expect(followed.exit).toBe(0);
  expect(lines.at(-1)).toMatchObject({
    status: "completed",
    percent: 100,
    totals: { landed: started.totals.planned || 5 },
  });
  const log = await own.tutti("log", "--json");
  const events = log.stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { event: { type: string } }).event.type);
  expect(events[0]).toBe("instance-created");
  expect(events).toContain("instance-completed");
});

test("[C3] a detached run goes on by itself; wait gives its status, and every reading command works without an owner", async () => {
  const own = await house({ TUTTI_IDLE_MS: "2000" });
  const material = await own.material("fixtures/diamond-late");
  const { exit, stdout } = await own.tutti(...runArguments(material), "--id", "diamond-late-x1", "--detach");
  expect([exit, stdout.trim()]).toEqual([0, "diamond-late-x1"]);
  expect((await own.tutti("wait", "diamond")).exit).toBe(0);
  // [C13] The background owner has nothing to do any more.
  await until(async () => (await own.ownerPid()) === undefined, 10_000);
  await until(async () => (await own.strangers()).length === 0, 3_000);
  const view = await own.json<RunView>("status", "diamond");
  expect(view.status).toBe("completed");
  const { runs } = await own.json<{ runs: readonly { run: string }[] }>("list");
  expect(runs.map(({ run }) => run)).toEqual(["diamond-late-x1"]);
  expect((await own.tutti("show", "D")).stdout).toContain("round 1: 1 attempt");
  expect((await own.tutti("log")).stdout).toContain("run completed");
  expect((await own.tutti("why")).stdout).toContain("has ended");
  expect((await own.json<{ tasks: unknown[] }>("tasks")).tasks).toEqual([]);
  expect(await own.ownerPid()).toBeUndefined();
});

test("[C13] a background owner ends itself, with its socket, when nothing has been open for a while", async () => {
  // Longer than a busy machine takes from one request of the command to its next.
  const own = await house({ TUTTI_IDLE_MS: "2000" });
  const material = await own.material("fixtures/diamond-late");
  expect((await own.tutti(...runArguments(material))).exit).toBe(0);
  await until(async () => (await own.ownerPid()) === undefined, 15_000);
  await expect(stat(join(own.state, "owner.sock"))).rejects.toThrow("ENOENT");
  await until(async () => (await own.strangers()).length === 0, 3_000);
});

test("[C20] events are streamed with their cursors, and replayed after the one that a reader names", async () => {
  const own = await house();
  const material = await own.material("fixtures/diamond-late");
  await own.tutti(...runArguments(material), "--id", "diamond");
  const access = remoteAccess(new OwnerClient(stateFolder(own.state, {}, "/")));
  const all = await collect(access.reader.history({ rootId: "diamond" }));
  const middle = all[Math.floor(all.length / 2)];
  const rest = await collect(access.reader.history({ rootId: "diamond", ...(middle ? { after: middle.cursor } : {}) }));
  expect(all.length).toBeGreaterThan(50);
  expect(rest).toEqual(all.slice(Math.floor(all.length / 2) + 1));
});

async function collect<T>(records: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const record of records) list.push(record);
  return list;
}

test("[C3] Ctrl-C in run stops the watching, not the run", async () => {
  const own = await house();
  const material = await own.material("fixtures/diamond-late");
  const running = own.start([...runArguments(material), "--id", "diamond"]);
  await running.sees(/A: started/);
  running.child.kill("SIGINT");
  const { exit, stderr } = await running.done;
  expect(exit).toBe(0);
  expect(stderr).toContain("diamond goes on without you");
  expect((await own.tutti("wait")).exit).toBe(0);
});

test("[C21] with --foreground the run owns the folder, Ctrl-C rests it, and resume goes on with what is left", async () => {
  const own = await house();
  const material = await own.material("fixtures/diamond-late");
  const running = own.start([...runArguments(material), "--id", "diamond", "--foreground"]);
  await running.sees(/A: its checks pass|B: its checks pass|C: its checks pass/);
  running.child.kill("SIGINT");
  const { exit, stderr } = await running.done;
  expect(exit, stderr).toBe(7);
  expect(await own.ownerPid()).toBeUndefined();
  expect(await own.strangers()).toEqual([]);
  const resumed = await own.tutti("resume");
  expect(resumed.stderr).toContain("diamond was interrupted");
  expect(resumed.exit, resumed.stderr).toBe(0);
  expect(await gitAnswer(material.repository, "show", "tutti/diamond:parts/D.txt")).toBe("done");
});

test("[C106] a transcript that is not on this machine comes from the store of artifacts", async () => {
  const own = await house({ TUTTI_ARTIFACTS: "folder", TUTTI_ARTIFACT_KEY: "0123456789abcdef".repeat(4) });
  const material = await own.material("fixtures/diamond-late");
  expect((await own.tutti(...runArguments(material), "--id", "diamond")).exit).toBe(0);
  const { transcripts } = await own.json<{ readonly transcripts: string }>("show", "D");
  const file = join(transcripts, "1.jsonl");
  const said = await readFile(file, "utf8");
  expect(said).toContain("to-agent");
  await rm(join(own.state, "transcripts"), { recursive: true });
  await own.json("show", "D");
  expect(await readFile(file, "utf8")).toBe(said);
  await rm(join(own.state, "transcripts"), { recursive: true });
  await rm(join(own.state, "artifacts"), { recursive: true });
  const without = await own.tutti("show", "D");
  expect(without.stderr).toContain("Transcripts of other machines cannot be had: There is no artifact sha256-");
  expect(without.stdout).toContain("round 1: 1 attempt");
});
