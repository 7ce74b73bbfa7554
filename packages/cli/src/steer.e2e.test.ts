import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { RunView } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
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

async function start(own: CliHouse, name: string, ...more: readonly string[]): Promise<string> {
  const { repository, plan, script } = await own.material(name);
  const words = ["run", "--repo", repository, "--plan", plan, "--script", script, "--id", "one", "--detach", ...more];
  const { exit, stderr } = await own.tutti(...words);
  expect(exit, stderr).toBe(0);
  return repository;
}

test("[C4] a pause stops new work, survives the death of its owner, and resume goes on", async () => {
  const own = await house();
  const repository = await start(own, "fixtures/diamond-late");
  const pausedAt = Date.now();
  expect((await own.tutti("pause", "--reason", "lunch")).exit).toBe(0);
  expect(Date.now() - pausedAt).toBeLessThan(5_000);
  await own.killOwner();
  expect(await own.json<RunView>("status")).toMatchObject({ status: "paused" });
  // A new owner takes over, and the pause still holds.
  const serving = own.start(["serve"]);
  await until(async () => (await own.ownerPid()) === serving.child.pid, 20_000);
  const before = await own.json<RunView>("status");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const after = await own.json<RunView>("status");
  expect(after.status).toBe("paused");
  expect(after.units.map(({ status }) => status)).toEqual(before.units.map(({ status }) => status));
  expect((await own.tutti("wait")).exit).toBe(8);
  const resumed = await own.tutti("resume");
  expect(resumed.stderr).toContain("one was paused");
  expect(resumed.exit, resumed.stderr).toBe(0);
  expect(await gitAnswer(repository, "show", "tutti/one:parts/D.txt")).toBe("done");
  serving.child.kill("SIGTERM");
  expect((await serving.done).exit).toBe(0);
});

test("[C5, C52] a unit shows where its agent works, and cancel ends it within five seconds and leaves no process and no workspace behind", async () => {
  const own = await house();
  await start(own, "fixtures/misbehaving/hang");
  await own.writes("parts/only.txt");
  const { workspaces } = await own.json<{ workspaces: readonly object[] }>("show", "only");
  expect(workspaces).toMatchObject([
    { attempt: 1, captured: false, message: "base", author: expect.stringContaining("@") },
  ]);
  const shown = await own.tutti("show", "only");
  expect(shown.stdout).toMatch(/ {2}in \/.*\/tree, branch tutti\/\S+, on [0-9a-f]{12} \(base, by /);
  const cancelledAt = Date.now();
  const { exit, stdout } = await own.tutti("cancel", "--reason", "it hangs");
  expect([exit, stdout.trim()]).toEqual([0, "Cancelled one: its agents have ended."]);
  expect(Date.now() - cancelledAt).toBeLessThan(8_000);
  expect(await own.strangers()).toEqual([]);
  expect(own.workspaceFiles()).toEqual([]);
  expect(readdirSync(join(own.state, "processes"))).toEqual([]);
  expect((await own.tutti("wait")).exit).toBe(7);
  expect((await own.tutti("retry")).exit).toBe(1);
});

test("[C17] what fails waits for a person in one report; retry tries only that, and accepting a part needs a reason", async () => {
  const own = await house();
  await start(own, "fixtures/misbehaving/false-claim", "--rounds", "1", "--attempts", "1");
  const waited = await own.tutti("wait");
  expect(waited.exit).toBe(5);
  expect(waited.stdout).toContain("one waits for a person.");
  expect(waited.stdout).toContain("✗ only: work-loop-exhausted (round 1, attempt 1)");
  expect(waited.stdout).toContain("→ tutti retry one");
  const { tasks } = await own.json<{ tasks: readonly { kind: string; units: readonly string[] }[] }>("tasks");
  expect(tasks).toMatchObject([{ kind: "failed-units", units: ["only"] }]);
  expect((await own.tutti("why")).stdout).toContain("A person retries or accepts.");
  expect((await own.tutti("retry", "nobody")).exit).toBe(2);
  const retried = await own.json<{ units: readonly string[] }>("retry", "only");
  expect(retried.units).toEqual(["only"]);
  expect((await own.tutti("wait")).exit).toBe(5);
  const unreasoned = await own.tutti("accept-partial");
  expect([unreasoned.exit, unreasoned.stderr]).toEqual([2, expect.stringContaining("input-needed")]);
  const nothing = await own.tutti("accept-partial", "--reason", "good enough");
  expect([nothing.exit, nothing.stderr]).toEqual([5, expect.stringContaining("nothing-done")]);
});

test("[C18] with --approve a person decides on the plan before any unit starts", async () => {
  const own = await house();
  const repository = await start(own, "fixtures/diamond-late", "--approve");
  const waiting = await own.tutti("wait");
  expect(waiting.exit).toBe(8);
  expect(waiting.stdout).toContain("→ tutti approve one");
  expect((await own.json<RunView>("status")).units.every(({ status }) => status === "waiting")).toBe(true);
  const approved = await own.tutti("approve", "--note", "fine", "--follow");
  expect(approved.exit, approved.stderr).toBe(0);
  expect(await gitAnswer(repository, "show", "tutti/one:parts/D.txt")).toBe("done");
  expect((await own.tutti("approve")).exit).toBe(1);
});

test("[C18] a rejected plan ends the run and publishes nothing", async () => {
  const own = await house();
  const repository = await start(own, "fixtures/diamond-late", "--approve");
  await own.tutti("wait");
  expect((await own.tutti("reject", "--note", "too much")).exit).toBe(0);
  const waited = await own.tutti("wait");
  expect(waited.exit).toBe(1);
  expect(waited.stdout).toContain("plan-rejected");
  expect(await gitAnswer(repository, "branch", "--list", "tutti/*")).toBe("");
});

test("[C22] how much runs at once can be changed while it runs", async () => {
  const own = await house();
  await start(own, "fixtures/diamond-late", "--max-parallel", "1");
  expect((await own.tutti("adjust", "--max-parallel", "4")).stdout).toContain("At most 4 units of one at once.");
  const { queues } = await own.json<{ queues: readonly { queue: string; slots: number }[] }>(
    "adjust",
    "--queue",
    "heavy=3",
  );
  expect(queues.find(({ queue }) => queue === "heavy")?.slots).toBe(3);
  expect((await own.tutti("adjust", "--queue", "huge=3")).exit).toBe(2);
  expect((await own.tutti("wait")).exit).toBe(0);
});

test("[C23] after kill -9 of the owner, resume ends with the same tree as an undisturbed run", async () => {
  const [calm, rough] = [await house(), await house()];
  const calmRepository = await start(calm, "fixtures/diamond-late");
  const roughRepository = await start(rough, "fixtures/diamond-late");
  await until(async () => (await rough.json<RunView>("status")).totals.done > 0, 30_000);
  await rough.killOwner();
  expect((await rough.tutti("status")).stderr).toContain("tutti resume");
  const resumed = await rough.tutti("resume");
  expect(resumed.exit, resumed.stderr).toBe(0);
  expect((await calm.tutti("wait")).exit).toBe(0);
  const tree = "tutti/one^{tree}";
  expect(await gitAnswer(roughRepository, "rev-parse", tree)).toBe(await gitAnswer(calmRepository, "rev-parse", tree));
});
