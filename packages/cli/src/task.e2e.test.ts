import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CliHouse } from "./testing/cli-house.ts";

let house: CliHouse;
let instance: string;

interface Tasks {
  readonly tasks: readonly {
    readonly run: string;
    readonly instanceId: string;
    readonly message: string;
    readonly task: { readonly id: string; readonly assignee: string | null } | null;
  }[];
}

beforeAll(async () => {
  house = await CliHouse.open();
  const path = join(house.folder, "order.yaml");
  await writeFile(
    path,
    `
process: order
variables: { ok: boolean }
outputs: [ok]
steps:
  check:
    user: { title: "Is the order fine?", candidates: [ann, bob] }
    out: [ok]
`,
  );
  // What it leaves waiting is the state folder that the other commands work on.
  const tried = await house.tutti("process", "run", path, "--state", house.state, "--no-input");
  expect(tried.exit, tried.stderr).toBe(8);
  instance = (await house.json<Tasks>("tasks")).tasks[0]?.instanceId ?? "";
});

afterAll(() => house.close());

async function tasks(): Promise<Tasks["tasks"]> {
  return (await house.json<Tasks>("tasks")).tasks;
}

test("[C50] a task of a process is listed with its facts, and goes through a person's hands", async () => {
  const [first] = await tasks();
  expect(first).toMatchObject({
    ...{ kind: "task", run: instance, message: "Is the order fine?" },
    task: { assignee: null, candidates: ["ann", "bob"], priority: 50, dueAt: null, late: false },
  });
  const id = first?.task?.id ?? "";
  expect((await house.tutti("tasks")).stdout).toContain(`task ${id} · for ann, bob · priority 50`);
  expect((await house.tutti("task", "start", id)).stdout.trim()).toBe(`Began ${id}.`);
  expect((await tasks())[0]?.task?.assignee).toMatch(/^person:/);
  expect((await house.tutti("task", "delegate", id, "--to", "bob", "--reason", "He knows.")).exit).toBe(0);
  expect((await tasks())[0]?.task).toMatchObject({ assignee: "bob", owner: expect.stringMatching(/^person:/) });
  expect((await house.tutti("task", "complete", id)).stderr).toContain("'bob' has it");
  expect((await house.tutti("task", "resolve", id)).exit).toBe(0);
  const due = ["--due", "2020-01-01T00:00Z", "--priority", "80", "--candidate", "carl"];
  expect((await house.tutti("task", "update", id, ...due)).exit).toBe(0);
  expect((await tasks())[0]?.task).toMatchObject({ priority: 80, late: true, candidates: ["carl"] });
  expect((await house.tutti("tasks")).stdout).toMatch(/priority 80 · late by \d+ h/);
  expect((await house.tutti("task", "update", id, "--due", "none")).exit).toBe(0);
  expect((await house.tutti("task", "escalate", id, "--to", "heads", "--reason", "Too large.")).exit).toBe(0);
  expect((await house.tutti("tasks")).stdout).toContain("for heads · priority 80 · escalated 1×");
  expect((await house.tutti("task", "reassign", id, "--to", "dora", "--reason", "She is free.")).exit).toBe(0);
  expect((await house.tutti("task", "claim", id)).stderr).toContain("'dora' has it");
  const free = ["task", "reassign", id, "--nobody", "--reason", "She is not."];
  expect((await house.tutti(...free)).stderr).toContain("'dora' has it");
  expect((await house.tutti(...free, "--authority")).exit).toBe(0);
  expect((await house.tutti("task", "claim", id)).exit).toBe(0);
  expect((await house.tutti("task", "release", id)).exit).toBe(0);
});

test("[C51] a fork goes on from an earlier step, and rolling back cancels the original", async () => {
  const listed = await house.json<{ checkpoints: readonly { position: number; events: readonly string[] }[] }>(
    ...["checkpoints", instance],
  );
  const [begun] = listed.checkpoints;
  expect(begun?.events).toContain("task-created");
  expect((await house.tutti("checkpoints", instance)).stdout).toContain("Is the order fine?");
  const { fork } = await house.json<{ fork: string }>("fork", instance, "--at", String(begun?.position));
  expect((await tasks()).map(({ run }) => run).sort()).toEqual([fork, instance].sort());
  const last = String(listed.checkpoints.at(-1)?.position);
  const rolled = await house.tutti("rollback", instance, "--to", last, "--reason", "Again.");
  expect(rolled.stdout).toContain(`goes on from moment ${last} of ${instance}; ${instance} is cancelled`);
  expect((await tasks()).map(({ run }) => run)).not.toContain(instance);
  const ended = await house.tutti("fork", instance);
  expect([ended.exit, ended.stderr]).toEqual([2, expect.stringContaining("fork-refused")]);
});

test("[C50] what waits in a run is told as the run's", async () => {
  const own = await CliHouse.open();
  try {
    const { repository, plan, script } = await own.material("fixtures/diamond-late");
    const words = [
      "run",
      "--repo",
      repository,
      "--plan",
      plan,
      "--script",
      script,
      "--id",
      "one",
      "--approve",
      "--detach",
    ];
    expect((await own.tutti(...words)).exit).toBe(0);
    expect((await own.tutti("wait")).exit).toBe(8);
    const [need] = (await own.json<Tasks>("tasks")).tasks;
    expect(need).toMatchObject({ kind: "approval", run: "one", task: { assignee: null } });
  } finally {
    await own.close();
  }
});

test("[C50] completing a task records why, and what is no task or no result is refused", async () => {
  const [waiting, other] = await tasks();
  const id = waiting?.task?.id ?? "";
  const done = await house.tutti("task", "complete", id, "--result", '{"ok": true}', "--rationale", "It is fine.");
  expect([done.exit, done.stdout.trim()]).toEqual([0, `Completed ${id}.`]);
  expect((await tasks()).map(({ task }) => task?.id)).toEqual([other?.task?.id]);
  for (const [words, code] of [
    [["complete", "nothing"], "task-unknown"],
    [["praise", id], "option-invalid"],
    [["complete", other?.task?.id ?? "", "--result", "yes"], "option-invalid"],
    [["complete", other?.task?.id ?? "", "--result", "[1]"], "option-invalid"],
    [["update", other?.task?.id ?? "", "--due", "soon"], "option-invalid"],
    [["delegate", other?.task?.id ?? ""], "input-needed"],
    [["claim", `${instance}:999`], "command-refused"],
    [["claim", "nobody:1"], "instance-not-found"],
  ] as const) {
    const refused = await house.tutti("task", ...words);
    expect(refused.stderr, words.join(" ")).toContain(code);
  }
});

test("[C50] what does not fit the form of a task is refused with its place, and the task stays open", async () => {
  const path = join(house.folder, "release.yaml");
  const form = "{ type: object, properties: { approved: { type: boolean } }, required: [approved] }";
  await writeFile(path, `process: release\nsteps: { ask: { user: { title: "Out with it?", form: ${form} } } }\n`);
  expect((await house.tutti("process", "deploy", path)).exit).toBe(0);
  expect((await house.tutti("process", "start", "release", "--id", "r1")).exit).toBe(0);
  const open = async () => (await tasks()).find(({ run }) => run === "r1");
  const { id = "", ...facts } = (await open())?.task ?? {};
  expect(facts).toMatchObject({ form: { required: ["approved"] } });
  const refused = await house.tutti("task", "complete", id, "--result", '{"approved":"maybe","x":1}', "--json");
  expect(refused.exit).toBe(2);
  expect(JSON.parse(refused.stdout).error).toMatchObject({
    ...{ code: "form-misfit", place: "result.approved" },
    details: { instance: "r1", keyword: "type", expected: "boolean", actual: '"maybe"' },
  });
  expect((await house.tutti("task", "complete", id)).stderr).toContain("must have required property 'approved'");
  expect(await open()).toBeDefined();
  expect((await house.tutti("task", "complete", id, "--result", '{"approved":false}')).exit).toBe(0);
  expect(await open()).toBeUndefined();
});
