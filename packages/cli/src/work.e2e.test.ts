import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CliHouse, type CliResult, isAlive, type RunningCli, until } from "./testing/cli-house.ts";

let house: CliHouse;

const definition = `
process: order
variables: { amount: { type: integer, required: true }, kind: { type: string, initial: charge }, receipt: string, why: string }
outputs: [receipt, why]
steps:
  pay:
    job: "= 'payment.' + kind"
    in: { amount: = amount }
    retry: { attempts: 2, backoff: { first: 50ms } }
    on: { error: { declined: { then: refused, out: { why: = error.message } } } }
    out: [receipt]
    then: end
  refused: { pass: true }
`;

const program = `
const job = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const { TUTTI_JOB_TYPE: type, TUTTI_ATTEMPT: attempt } = process.env;
console.error("working on " + type + " as " + process.pid);
if (job.amount > 100) { console.log(JSON.stringify({ code: "declined", message: "Too much." })); process.exit(3); }
if (job.amount === 7 && attempt === "1") { console.error("no paper"); process.exit(9); }
if (job.amount === 60) setTimeout(() => {}, 60_000);
else console.log(JSON.stringify({ receipt: type + " " + job.amount + " " + attempt }));
`;

beforeAll(async () => {
  house = await CliHouse.open();
  await writeFile(join(house.folder, "order.yaml"), definition);
  await writeFile(join(house.folder, "work.cjs"), program);
  const deployed = await proc("deploy", "order.yaml");
  expect(deployed.exit, deployed.stderr).toBe(0);
});

afterAll(() => house.close());

function proc(...words: readonly string[]): Promise<CliResult> {
  return house.tutti("process", ...words);
}

async function started(id: string, amount: number): Promise<void> {
  const { exit, stderr } = await proc("start", "order", "--id", id, "--vars", JSON.stringify({ amount }));
  expect(exit, stderr).toBe(0);
}

async function worker(...more: readonly string[]): Promise<RunningCli> {
  const run = `"${process.execPath}" work.cjs`;
  const running = house.start(["process", "work", "payment.charge", "--run", run, ...more]);
  await running.sees(/Does jobs of payment.charge/);
  return running;
}

/** The process that does the job of the instance `lost`, or of another one. */
async function programOf(running: RunningCli, instance = "lost"): Promise<number> {
  const said = await running.sees(new RegExp(`${instance}\\/\\d+: working on .* as \\d+\\n`));
  return Number(/ as (\d+)\n/.exec(said)?.[1]);
}

test("[C72, C73] a program does the jobs of a type that is worked out: results, BPMN errors, failures that are tried again", async () => {
  const nobody = await started("alone", 5).then(() => proc("wait", "alone"));
  expect([nobody.exit, nobody.stdout]).toEqual([8, expect.stringContaining("The job 'payment.charge'")]);
  const running = await worker();
  await Promise.all([started("fine", 80), started("much", 500), started("jam", 7)]);
  const [fine, much, jam, alone] = await Promise.all(["fine", "much", "jam", "alone"].map((id) => proc("wait", id)));
  expect([fine?.exit, fine?.stdout]).toEqual([
    0,
    'fine completed with {"receipt":"payment.charge 80 1","why":null}.\n',
  ]);
  expect(much?.stdout).toBe('much completed with {"receipt":null,"why":"Too much."}.\n');
  expect(jam?.stdout).toBe('jam completed with {"receipt":"payment.charge 7 2","why":null}.\n');
  expect(alone?.exit).toBe(0);
  running.child.kill("SIGINT");
  const { exit, stdout, stderr } = await running.done;
  expect(exit).toBe(0);
  expect(stdout).toMatch(
    /payment\.charge jam\/\d+ failed: It ended with exit status 9: working on payment.charge as \d+\nno paper/,
  );
  expect(stderr).toContain("working on payment.charge");
});

test("[C74] what a worker leaves behind is offered again, what is cancelled is stopped, and a worker outlives its owner", async () => {
  const first = await worker();
  await started("lost", 60);
  const log = async () => (await proc("log", "lost", "--json")).stdout;
  const jobs = async () => (await house.json<{ jobs: { state?: string }[] }>("process", "show", "lost")).jobs.length;
  const orphan = await programOf(first);
  first.child.kill("SIGKILL");
  await first.done;
  await until(async () => (await log()).includes('"worker-lost"'), 30_000);
  expect(await jobs()).toBe(1);
  const second = await worker();
  const stopped = await programOf(second);
  expect((await proc("cancel", "lo")).stdout).toBe("Cancelled lost.\n");
  await until(() => !isAlive(stopped), 10_000);
  // Whoever kills a worker so hard ends its program, too; its answer would be refused.
  process.kill(orphan, "SIGKILL");
  await house.killOwner();
  await second.sees(/The owner has ended[\s\S]*Does jobs of/);
  await started("later", 3);
  expect((await proc("wait", "later")).exit).toBe(0);
  second.child.kill("SIGINT");
  expect((await second.done).exit).toBe(0);
});

test("[C73] several programs share a type: each job goes to one of them, and to another when that one goes away", async () => {
  const one = await worker();
  const two = await worker("--jobs", "2");
  await started("half", 60);
  await started("rest", 60);
  const [orphan] = await Promise.all([programOf(one, "half"), programOf(two, "rest")]);
  one.child.kill("SIGKILL");
  await one.done;
  await programOf(two, "half");
  process.kill(orphan, "SIGKILL");
  for (const id of ["half", "rest"]) expect((await proc("cancel", id)).exit).toBe(0);
  two.child.kill("SIGINT");
  expect((await two.done).exit).toBe(0);
});

test("[C73] a worker says what it lacks", async () => {
  expect((await proc("work", "payment.charge")).stderr).toContain("Expected --run COMMAND");
  expect((await proc("work", "order.yaml", "--run", "true")).stderr).toContain("Expected a definition with jobs");
  expect((await proc("work", "feature.plan", "--run", "true")).stderr).toContain("handler-exists");
});
