import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CliHouse, type CliResult, until } from "./testing/cli-house.ts";

let house: CliHouse;

const order = (version: string, approve: string): string => `
process: order
version: "${version}"
variables: { amount: { type: integer, required: true }, receipt: string, approved: boolean }
outputs: [receipt, approved]
steps:
  charge: { job: payment.charge, in: { amount: = amount }, out: [receipt] }
  ${approve}: { user: { title: "Approve \${amount}?" }, out: [approved] }
  paid: { receive: { message: paid, key: = receipt } }
  halt: { wait: { signal: go }, then: end }
`;

beforeAll(async () => {
  house = await CliHouse.open();
  await deployed("order.yaml", order("1", "approve"));
});

afterAll(() => house.close());

async function file(name: string, text: string): Promise<string> {
  const path = join(house.folder, name);
  await writeFile(path, text);
  return path;
}

function proc(...words: readonly string[]): Promise<CliResult> {
  return house.tutti("process", ...words);
}

async function deployed(name: string, text: string, ...more: readonly string[]): Promise<CliResult> {
  const result = await proc("deploy", await file(name, text), ...more);
  expect(result.exit, result.stderr).toBe(0);
  return result;
}

async function started(id: string, amount = 80, ...more: readonly string[]): Promise<void> {
  const { exit, stdout, stderr } = await proc("start", "order", "--id", id, "--vars", `{"amount": ${amount}}`, ...more);
  expect([exit, stdout.trim()], stderr).toEqual([0, id]);
}

interface Shown {
  readonly status: string;
  readonly version: string;
  readonly outcome: unknown;
  readonly variables: { readonly [name: string]: unknown };
  readonly jobs: readonly { readonly id: string; readonly jobType: string; readonly worker: boolean | null }[];
  readonly waiting: readonly { readonly element: string; readonly on: string; readonly key: number }[];
  readonly next: readonly string[];
}

function show(instance: string): Promise<Shown> {
  return house.json<Shown>("process", "show", instance);
}

/** Done without a person at the task: it is the first job, then the task. */
async function charged(id: string): Promise<void> {
  const [job] = (await show(id)).jobs;
  expect((await proc("job", "complete", job?.id ?? "", "--result", `{"receipt": "R-${id}"}`)).exit).toBe(0);
}

test("[C62, C63, C64] a process goes from its start to its end by what is typed", async () => {
  await started("whole", 80, "--key", "A-17");
  await started("whole", 80);
  const listed = await house.json<{ instances: readonly object[] }>("process", "list", "--status", "open");
  expect(listed.instances).toMatchObject([{ instanceId: "whole", businessKey: "A-17", status: "running" }]);
  expect((await proc("list")).stdout).toMatch(/^INSTANCE .*\nwhole +order@1 +running .* A-17\n$/);
  const begun = await show("whole");
  expect(begun.jobs).toMatchObject([{ jobType: "payment.charge", worker: false, input: { amount: 80 } }]);
  expect(begun.next).toEqual([`process job complete ${begun.jobs[0]?.id} --result JSON`]);
  const { stdout: shown } = await proc("show", "whole");
  expect(shown).toContain("Nobody here works on jobs of this type: it waits until it is done by hand.");
  const { stdout: why } = await house.tutti("why", "whole");
  expect(why).toContain("no worker here takes jobs of this type");
  expect(why).toContain("→ tutti process job complete whole:1 --result JSON");
  await charged("whole");
  const [need] = (await house.json<{ tasks: readonly { task: { id: string } }[] }>("tasks")).tasks;
  expect((await house.tutti("task", "complete", need?.task.id ?? "", "--result", '{"approved": true}')).exit).toBe(0);
  expect((await show("whole")).next).toEqual(["process publish paid --key R-whole"]);
  const lost = await proc("publish", "paid", "--key", "other");
  expect([lost.exit, lost.stdout]).toEqual([1, "Nobody waits for 'paid', and it is not kept: see --ttl.\n"]);
  const kept = await proc("publish", "paid", "--key", "later", "--ttl", "1h");
  expect([kept.exit, kept.stdout]).toEqual([0, expect.stringMatching(/^It is kept for others until 20/)]);
  const got = await proc("publish", "paid", "--key", "R-whole", "--id", "m1");
  expect([got.exit, got.stdout]).toEqual([0, "whole (order) got 'paid'.\n"]);
  expect((await proc("publish", "paid", "--key", "R-whole", "--id", "m1")).stdout).toContain("published before");
  expect((await show("whole")).next).toEqual(["process signal go"]);
  expect((await proc("signal", "go")).exit).toBe(0);
  expect(await show("whole")).toMatchObject({ status: "completed", next: [] });
  expect((await proc("show", "whole")).stdout).toContain('completed with {"receipt":"R-whole","approved":true}');
  expect((await house.tutti("why", "whole")).stdout).toBe("whole has ended and waits for nothing.\n");
  const log = (await proc("log", "whole")).stdout;
  for (const words of ["start     charge", "by hand   job-completed by person:", "end       halt"])
    expect(log).toContain(words);
  const [first = ""] = (await proc("log", "whole", "--json")).stdout.split("\n");
  expect(JSON.parse(first)).toMatchObject({ instanceId: "whole", event: { type: "instance-created" } });
});

test("[C63] a job fails, is tried again as an incident, and throws", async () => {
  await started("jobs");
  const [job] = (await show("jobs")).jobs;
  const words = ["--code", "no-paper", "--message", "The tray is empty"];
  expect((await proc("job", "fail", job?.id ?? "", "--no-retry", ...words)).exit).toBe(0);
  expect((await show("jobs")).next).toEqual(["process retry jobs"]);
  const { stdout } = await proc("show", "jobs");
  expect(stdout).toContain("It failed (no-paper): The tray is empty");
  expect(stdout).toContain("Repair what the worker met; a retry offers the job with fresh attempts.");
  expect((await proc("retry", "jobs", "--incident", "99")).stderr).toContain("nothing-failed");
  expect((await proc("retry", "jobs", "--reason", "Paper is there.")).stdout).toBe("Tried again 1 of jobs.\n");
  expect((await proc("retry", "jobs", "--accept")).stderr).toContain("Expected an incident of jobs to accept");
  expect((await show("jobs")).jobs).toHaveLength(1);
  expect((await proc("job", "throw", job?.id ?? "", "--code", "declined")).exit).toBe(0);
  expect((await proc("show", "jobs")).stdout).toMatch(/incident|declined/);
  for (const [given, code] of [
    [["job", "praise", "jobs:1"], "option-invalid"],
    [["job", "complete", "nothing"], "job-unknown"],
    [["job", "fail", "jobs:1"], "input-needed"],
    [["job", "complete", "jobs:1", "--result", "[1]"], "option-invalid"],
    [["job", "complete", "nobody:1"], "instance-not-found"],
  ] as const) {
    expect((await proc(...given)).stderr, given.join(" ")).toContain(code);
  }
});

test("[C65] variables are set at the version that is expected, and each keeps its history", async () => {
  await started("vars", 1);
  const refused = await proc("set", "vars", "amount=80", "--expect", "amount=2");
  expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("to be at version 2, but it is at 1")]);
  const words = ["amount=80", 'receipt="R-0"', "--expect", "amount=1", "--reason", "Typed wrong."];
  expect((await proc("set", "vars", ...words)).stdout).toBe("Set amount, receipt of vars.\n");
  const all = await house.json<{ variables: readonly object[] }>("process", "vars", "vars");
  expect(all.variables).toMatchObject([
    { name: "amount", value: 80, version: 2 },
    { name: "receipt" },
    { name: "approved" },
  ]);
  const one = await house.json<{ writes: readonly object[] }>("process", "vars", "vars", "amount");
  expect(one.writes).toMatchObject([
    { version: 1, value: 1, reason: null },
    { version: 2, value: 80, author: expect.stringMatching(/^person:/), reason: "Typed wrong." },
  ]);
  expect((await proc("vars", "vars", "amount")).stdout).toMatch(/2 .* person:\S+ +80 +Typed wrong\./);
  expect((await proc("vars", "vars", "nothing")).stdout).toBe("'nothing' was never written.\n");
  for (const word of ["amount", "receipt=R-0", "=1"]) {
    expect((await proc("set", "vars", word)).stderr, word).toContain("option-invalid: Expected NAME=JSON");
  }
  expect((await proc("set", "vars", "amount=1", "--expect", "amount=x")).stderr).toContain("with a whole number");
});

test("[C66] a token is moved by hand, with who did it and why", async () => {
  await started("moved");
  const words = ["--terminate", "charge", "--activate", "halt", "--reason", "Paid in cash."];
  expect((await proc("modify", "moved", ...words)).stdout).toBe("moved: started halt, ended charge.\n");
  expect((await show("moved")).waiting).toMatchObject([{ element: "halt", on: "signal" }]);
  expect((await proc("log", "moved")).stdout).toMatch(/by hand .* by person:\S+: Paid in cash\./);
  for (const [given, message] of [
    [[], "Expected --activate, --withdraw or --terminate"],
    [["--terminate", "charge"], "Expected one active 'charge' in moved, but it is not active"],
    [["--activate", "nowhere"], "nowhere"],
    [["--activate", "charge", "--activate", "halt", "--vars", "{}"], "with one --activate, but got 2"],
  ] as const) {
    const { exit, stderr } = await proc("modify", "moved", ...given);
    expect([exit === 0, stderr]).toEqual([false, expect.stringContaining(message)]);
  }
  expect((await proc("modify", "moved", "--activate", "paid", "--vars", '{"receipt": "cash"}')).exit).toBe(0);
  expect((await show("moved")).next).toContain("process publish paid --key cash");
});

test("[C69] an instance is paused, resumed and cancelled", async () => {
  await started("steered");
  expect((await proc("pause", "steered", "--reason", "Lunch.")).stdout).toBe("Paused steered.\n");
  expect(await show("steered")).toMatchObject({
    status: "paused",
    next: expect.arrayContaining(["process resume steered"]),
  });
  expect((await proc("resume", "steered")).exit).toBe(0);
  expect((await proc("resume", "steered")).stderr).toContain("command-refused");
  expect((await proc("cancel", "steered", "--reason", "Enough.")).stdout).toBe("Cancelled steered.\n");
  expect((await proc("show", "steered")).stdout).toContain("cancelled: Enough.");
  const log = (await proc("log", "steered")).stdout;
  for (const told of [
    /instance-paused by person:.+: Lunch\./,
    /instance-resumed by person:/,
    /instance-cancelled by person:.+: Enough\./,
  ])
    expect(log).toMatch(told);
});

test("[C69] an instance is cancelled once what it did is undone, or at once when that is not awaited", async () => {
  const steps = "steps:\n  book: { job: hotel.book, undo: { job: hotel.unbook } }\n  sign: { user: { title: Sign } }\n";
  await deployed("booking.yaml", `process: booking\nversion: "1"\n${steps}`);
  const undoing = async (id: string): Promise<string> => {
    expect((await proc("start", "booking", "--id", id)).exit).toBe(0);
    expect((await proc("job", "complete", `${id}:1`)).exit).toBe(0);
    const { stdout } = await proc("cancel", id, "--undo", "--reason", "Called off.");
    expect(stdout).toBe(`Undoing and then cancelling ${id}.\n`);
    const { status, jobs } = await show(id);
    expect([status, jobs.map(({ jobType }) => jobType)]).toEqual(["failing", ["hotel.unbook"]]);
    return jobs[0]?.id ?? "";
  };
  const job = await undoing("undone");
  expect((await proc("cancel", "undone", "--undo")).stderr).toContain("command-refused");
  expect((await proc("job", "complete", job)).exit).toBe(0);
  expect((await proc("show", "undone")).stdout).toContain("cancelled: Called off.");
  await undoing("unwaited");
  expect((await proc("cancel", "unwaited")).stdout).toBe("Cancelled unwaited.\n");
  expect((await show("unwaited")).outcome).toMatchObject({ type: "cancelled" });
});

test("[C61, C67] an instance moves to another version with what it waits for, or is told what is in the way", async () => {
  await started("moving");
  await charged("moving");
  const { stdout } = await deployed("order-2.yaml", order("2", "sign-off"));
  expect(stdout).toMatch(/^Deployed order@2 \([0-9a-f]{12}\)\.\n$/);
  const stays = await proc("migrate", "moving", "--dry-run");
  expect([stays.exit, stays.stdout]).toEqual([
    1,
    "moving: stays at version 1.\n  approve (element-gone): 'approve' is open, and the new version has none\n",
  ]);
  const map = ["--to", "2", "--map", "approve=sign-off"];
  const could = await proc("migrate", "moving", ...map, "--dry-run");
  expect([could.exit, could.stdout]).toEqual([
    0,
    expect.stringMatching(/^moving: could go from version 1 to 2\.\n {2}approve #\d+ goes on as sign-off\n/),
  ]);
  // A version that is sound from its start leaves stuck who waits behind its fork.
  const forked =
    "steps: { f: { fork: [sign-off, b] }, sign-off: { user: boss, then: t }, b: { job: x, then: t }, t: { join: true } }";
  await deployed("order-3.yaml", `${order("3", "sign-off").split("steps:")[0]}${forked}`);
  const stuck = await proc("migrate", "moving", "--to", "3", "--map", "approve=sign-off", "--dry-run");
  expect([stuck.exit, stuck.stdout]).toEqual([0, expect.stringContaining("then process-stuck: ")]);
  expect((await show("moving")).version).toBe("1");
  const told = await house.json<object>("process", "migrate", "moving", ...map, "--reason", "Better.");
  expect(told).toMatchObject({ dryRun: false, migrations: [{ instance: "moving", ok: true, from: "1", to: "2" }] });
  expect(await show("moving")).toMatchObject({ version: "2", waiting: [{ element: "sign-off", on: "task" }] });
  expect((await proc("migrate", "moving", "--to", "9")).stderr).toContain("program-not-found");
  const odd = await proc("migrate", "moving", "--map", "approve");
  expect([odd.exit, odd.stderr]).toEqual([2, expect.stringContaining("Expected --map OLD=NEW")]);
});

test("[C61, C68] versions share new instances as planned, and the guard takes the candidate back", async () => {
  const two = (version: string): string =>
    `process: fragile\nversion: "${version}"\nsteps: { work: { job: v${version} } }`;
  await deployed("fragile.yaml", two("1"));
  const again = await deployed("fragile.yaml", two("1"));
  expect(again.stdout).toContain(", as it was.");
  const other = await deployed("fragile.yaml", two("1").replace("v1", "other"));
  expect(other.stderr).toContain("fragile@1 was there with another content");
  await deployed("fragile-2.yaml", two("2"), "--percent", "0");
  const versionOf = async (...more: readonly string[]): Promise<string> => {
    const { instance } = await house.json<{ instance: string }>("process", "start", "fragile", ...more);
    return (await show(instance)).version;
  };
  expect(await versionOf()).toBe("1");
  const guarded = ["--percent", "100", "--incidents-max", "0", "--stable-when", "tier == 'gold'"];
  expect((await proc("rollout", "fragile", ...guarded)).stdout).toMatch(
    /^fragile: 100 % get 2, the others 1 \(first: 1 when/,
  );
  expect((await proc("rollout", "fragile", "--percent", "99.5")).stdout).toContain("at most 0 incidents");
  expect((await proc("rollout", "fragile", "--percent", "100")).exit).toBe(0);
  const needs = "variables: { x: { type: string, required: true } }\nsteps: { work: { job: y } }";
  await deployed("needy.yaml", `process: needy\nstart: false\nstarts: { m: { signal: needy, then: work } }\n${needs}`);
  expect((await proc("signal", "needy")).exit).toBe(0);
  expect((await proc("versions", "needy")).stdout).toContain("needy@1 could not begin with the signal 'needy' at 20");
  const { instance } = await house.json<{ instance: string }>("process", "start", "fragile");
  expect((await show(instance)).version).toBe("2");
  expect((await proc("job", "fail", `${instance}:1`, "--code", "x", "--no-retry")).exit).toBe(0);
  expect((await proc("rollout", "fragile")).stdout).toContain("Taken back at 20");
  expect(await versionOf()).toBe("1");
  const { versions } = await house.json<{ versions: readonly object[] }>("process", "versions", "fragile");
  expect(versions).toContainEqual(expect.objectContaining({ version: "2", percent: 0, started: 1, incidents: 1 }));
  expect((await proc("versions", "fragile")).stdout).toMatch(/fragile@2 +0 % +1 +1 +0 +0 +0 +1/);
  expect((await proc("rollout", "fragile", "--end")).stdout).toBe("fragile: everybody gets what was deployed last.\n");
  for (const [given, code] of [
    [["rollout", "fragile", "--percent", "101"], "option-invalid"],
    [["rollout", "fragile", "--percent", "1", "--candidate-when", "a =="], "option-invalid"],
    [["rollout", "fragile", "--candidate", "2"], "input-needed"],
    [["rollout", "nobody", "--percent", "1"], "option-invalid"],
    [["deploy", join(house.folder, "order.yaml"), "--percent", "200"], "option-invalid"],
  ] as const) {
    expect((await proc(...given)).stderr, given.join(" ")).toContain(code);
  }
});

test("[C61, C62] what cannot be deployed or started is refused", async () => {
  const wrong = await file("wrong.yaml", "process: p\nsteps: { a: { job: x, then: nowhere } }");
  const own = await file("own.yaml", "process: unit\nsteps: { a: { job: x } }");
  for (const [given, code] of [
    [["deploy", wrong], "definition-refused"],
    [["deploy", join(house.folder, "none.yaml")], "definition-unreadable"],
    [["deploy", own], "process-reserved"],
    [["start", "feature"], "process-reserved"],
    [["start", "nobody"], "program-not-found"],
    [["start", "order"], "start-refused"],
    [["start", "order", "--vars", "{"], "option-invalid"],
    [["list", "--status", "happy"], "option-invalid"],
    [["show", "nobody"], "instance-not-found"],
    [["publish", "paid", "--ttl", "soon"], "option-invalid"],
  ] as const) {
    const { exit, stderr } = await proc(...given);
    expect([exit, stderr], given.join(" ")).toEqual([2, expect.stringContaining(code)]);
  }
  const empty = await CliHouse.open();
  try {
    expect((await empty.tutti("process", "start", "order")).stderr).toContain("database-missing");
    expect((await empty.tutti("process", "list")).stdout).toBe("No instances.\n");
    expect(await empty.ownerPid()).toBeUndefined();
  } finally {
    await empty.close();
  }
});

test("[C12, C63] without an owner everything is read, and said to stand still", async () => {
  await started("still");
  expect((await house.tutti("stop")).exit).toBe(0);
  expect(await show("still")).toMatchObject({ status: "running", live: false, jobs: [{ worker: null }] });
  expect((await house.tutti("why", "still")).stdout).toContain("nothing goes on by itself. Go on with `tutti serve");
  expect((await proc("versions", "order")).stdout).toContain("order@1");
  expect((await proc("log", "still")).exit).toBe(0);
  expect(await house.ownerPid()).toBeUndefined();
  await charged("still");
  expect(await house.ownerPid()).toBeDefined();
});

test("[C13] what waits for a worker from outside keeps no owner, a timer that begins a process does", async () => {
  const own = await CliHouse.open({ TUTTI_IDLE_MS: "2000" });
  try {
    const path = await file("waits.yaml", "process: waits\nsteps: { work: { job: nobody.does } }");
    expect((await own.tutti("process", "deploy", path)).exit).toBe(0);
    expect((await own.tutti("process", "start", "waits", "--id", "w")).exit).toBe(0);
    await until(async () => (await own.ownerPid()) === undefined, 60_000);
    const daily = await file(
      "daily.yaml",
      'process: daily\nstart: false\nstarts: { daily: { cron: "0 2 * * *", then: work } }\nsteps: { work: { job: x } }',
    );
    expect((await own.tutti("process", "deploy", daily)).stderr).toContain(
      "It begins with a message, signal or timer.",
    );
    expect((await own.tutti("process", "versions", "daily")).stdout).toMatch(/daily begins at 20\S+ \(\S+\)\./);
    await sleep(6_000);
    expect(await own.ownerPid()).toBeDefined();
  } finally {
    await own.close();
  }
});

test("[C71, C72] items are added and withdrawn, and what an ad-hoc sub-process does is chosen", async () => {
  const steps = `
process: release
variables: { parts: { type: list, initial: [{ key: api }] }, why: any }
steps:
  build: { job: build, forEach: { mode: graph, collection: = parts } }
  care:
    adhoc: {}
    steps: { inspect: { job: inspect, in: { "why?": = why } }, clean: { job: clean } }
`;
  await deployed("release.yaml", steps);
  await proc("start", "release", "--id", "release-1");
  const docs = `{"key": "docs", "dependsOn": ["api"]}`;
  expect((await proc("items", "add", "release-1", "build", docs, '{"key": "site"}')).stdout).toBe(
    "Added 2 items to build in release-1.\n",
  );
  expect((await proc("items", "add", "release-1", "build", docs)).stderr).toContain("command-refused");
  expect((await proc("items", "withdraw", "release-1", "build", "docs")).stdout).toBe(
    "Withdrew 1 item of build in release-1.\n",
  );
  for (const { id } of (await show("release-1")).jobs) await proc("job", "complete", id);
  const waits = await proc("wait", "release-1");
  expect([waits.exit, waits.stdout]).toEqual([8, expect.stringContaining("care")]);
  const chosen = await proc("activate", "release-1", "inspect", "--vars", `{"why": "noise"}`);
  expect([chosen.exit, chosen.stdout, chosen.stderr]).toEqual([0, "release-1: started inspect.\n", expect.anything()]);
  expect((await proc("activate", "release-1", "--in", "care", "--complete")).stdout).toBe(
    "release-1: chose the last.\n",
  );
  const { jobs } = await show("release-1");
  expect(jobs).toMatchObject([{ jobType: "inspect", input: { why: "noise" } }]);
  await proc("job", "complete", jobs[0]?.id ?? "");
  expect((await proc("wait", "release-1", "--timeout", "30")).exit).toBe(0);
  expect((await proc("activate", "release-1", "clean")).stderr).toContain("there is none");
  expect((await proc("activate", "release-1")).exit).toBe(2);
  expect((await proc("items", "drop", "release-1", "build", "docs")).exit).toBe(2);
});

test("[C70] letters that only one instance begins or ends with name it; where several do, they are listed", async () => {
  for (const id of ["abbr-one", "abbr-two"]) await started(id);
  const [job] = (await show("abbr-o")).jobs;
  expect(job?.id).toMatch(/^abbr-one:\d+$/);
  expect((await proc("vars", "r-two")).exit).toBe(0);
  expect((await proc("job", "complete", `${job?.id.replace("abbr-one", "abbr-o")}`)).stdout).toBe(
    `Completed ${job?.id}.\n`,
  );
  expect((await proc("cancel", "abbr-t")).stdout).toBe("Cancelled abbr-two.\n");
  expect((await proc("wait", "abbr-t")).exit).toBe(7);
  expect((await proc("set", "abbr-o", "amount=3")).stdout).toContain("abbr-one");
  expect((await house.tutti("why", "abbr-o")).stdout).toContain("task complete abbr-one:");
  const several = await proc("show", "abbr");
  expect([several.exit, several.stderr]).toEqual([
    2,
    expect.stringMatching(/instance-ambiguous: .*'abbr' may be abbr-\w+, abbr-\w+/),
  ]);
});
