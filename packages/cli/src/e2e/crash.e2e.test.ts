import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  appliedDurably,
  awaitMoment,
  type CrashScene,
  count,
  crashScene,
  jobsDone,
  type Moment,
  momentOf,
  type Reference,
  referenceRun,
  treeOf,
} from "../testing/crash.ts";

/*
 * SIGKILL for the owner at seeded moments of a run, then `tutti resume`. TUTTI_CRASH_SEED=17 repeats one moment,
 * TUTTI_CRASH_SEED=6-20 takes some; SLOW=1 takes fifty of the demo itself instead of five of its small likeness.
 */
const slow = process.env["SLOW"] === "1";
const example = process.env["TUTTI_CRASH_EXAMPLE"] ?? (slow ? "oauth-login" : "fixtures/small-feature");
const chosen = process.env["TUTTI_CRASH_SEED"];
const [first = 1, last = first] = (chosen ?? (slow ? "1-50" : "1-5")).split("-").map(Number);
const seeds = Array.from({ length: last - first + 1 }, (_, at) => first + at);
const attemptsPerRound = 5;
const runMsMax = 240_000;

const open: CrashScene[] = [];
afterEach(async () => {
  for (const { scene } of open.splice(0)) await scene.remove();
});

function fresh(): CrashScene {
  const made = crashScene(example);
  open.push(made);
  return made;
}

describe(`SIGKILL for the owner during ${example}`, () => {
  let reference: Reference;
  const orphans: number[] = [];

  beforeAll(async () => {
    const calm = crashScene(example);
    reference = await referenceRun(calm, runMsMax);
    await calm.scene.remove();
  });

  test.each(seeds.map(momentOf))(
    "[X3] nothing is lost and nothing is done twice: seed $seed, at $share by $by",
    async (moment: Moment) => {
      const made = fresh();
      const { scene, command, diary } = made;
      const run = await scene.tutti([...command, "--detach"]);
      expect(run.exit, run.stderr).toBe(0);
      await awaitMoment(scene, moment, reference);
      await scene.killOwner();
      orphans.push(scene.processes().length);
      const durable = appliedDurably(await scene.events(), attemptsPerRound);
      const begunBefore = diary();

      const resumed = await scene.tutti(["resume", "r", "--detach"]);
      expect(resumed.exit, resumed.stderr).toBe(0);
      const view = await scene.json(["wait", "r"], { timeoutMs: runMsMax });
      expect(view).toMatchObject({ status: "completed", published: { partial: false } });
      expect(treeOf(scene, view)).toBe(reference.tree);

      const done = count(jobsDone(await scene.events()));
      expect(Object.fromEntries(done)).toEqual(Object.fromEntries(reference.done));
      for (const each of durable) expect(`${each}: ${diary().get(each)}`).toBe(`${each}: ${begunBefore.get(each)}`);
      // What was interrupted begins once more, and no more than that.
      for (const [each, times] of diary()) expect(times, each).toBeLessThanOrEqual(2);

      expect(scene.git("status", "--porcelain")).toBe("");
      expect(scene.git("rev-parse", "--abbrev-ref", "HEAD")).toBe("main");
      await scene.close();
    },
  );

  // Otherwise the tests above would show nothing about agents that outlive their owner.
  afterAll(() => {
    if (chosen === undefined) expect(Math.max(...orphans)).toBeGreaterThan(0);
  });
});
