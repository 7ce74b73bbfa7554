import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Event } from "@tutti/kernel";
import { commitTree, listRefs, resolveByPerson, runRef, setRef, treeOf } from "@tutti/workspace";
import { afterEach, expect, test } from "vitest";
import { failureBefore, failures, writeFailure, writePassed } from "./failure-note.ts";
import { giveForkRefs, type RunHistory, settleFork, settleForks } from "./fork.ts";
import { createWorld, runGit, type World } from "./testing/setup.ts";
import { finishedRef, finishedUnits, integrationRef } from "./unit-refs.ts";
import { noUsage } from "./usage.ts";

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.remove();
});

async function open(): Promise<World> {
  const world = await createWorld({ base: { "a.txt": "a\n" } });
  worlds.push(world);
  return world;
}

async function commit({ repository, context }: World, message: string): Promise<string> {
  const { base } = context.repository;
  const identity = { name: "Test", email: "test@tutti.invalid", at: 0 };
  return commitTree(repository, { tree: await treeOf(repository, base), parents: [base], message, identity });
}

interface Recorded {
  readonly at: number;
  readonly event: Event;
}

async function* history(...records: readonly Recorded[]): RunHistory {
  yield* records;
}

function finished(item: string, result: string, at: number): Recorded {
  return { at, event: { type: "item-completed", body: 1, item, result: { commit: result }, at } };
}

function failed(unit: string, round: number): Parameters<typeof writeFailure>[2] {
  return { unit, round, code: "work-loop-exhausted", message: `round ${round}`, feedback: "red", usage: noUsage };
}

async function resolve({ repository }: World, path: string, blob: string): Promise<void> {
  const side = { blob, mode: "100644" };
  const conflict = { path, kind: "content", base: null, ours: side, theirs: side, mode: "100644" } as const;
  await resolveByPerson(repository, "r1", { conflict, content: "both\n", note: "by Ada" });
}

test("[F80] a fork's refs are those of its moment: what was finished, noted and resolved by then, and nothing later", async () => {
  const world = await open();
  const { repository } = world;
  const [a, b, merged] = [await commit(world, "a"), await commit(world, "b"), await commit(world, "merged")];
  for (const [unit, each] of [
    ["u.a", a],
    ["b", b],
  ] as const) {
    await setRef(repository, finishedRef("r1", unit), { commit: each });
  }
  await setRef(repository, integrationRef("r1"), { commit: merged });
  const blob = runGit(world.source, ["rev-parse", "HEAD:a.txt"]);
  await writeFailure(repository, "r1", failed("c", 1));
  await resolve(world, "early.txt", blob);
  await sleep(5);
  const moment = Date.now();
  await sleep(5);
  await writeFailure(repository, "r1", failed("c", 2));
  await resolve(world, "late.txt", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  const before = await listRefs(repository, "r1");

  await giveForkRefs({ repository, from: "r1", to: "early" }, history(finished("u.a", a, moment)));
  expect([...(await finishedUnits(repository, "early"))]).toEqual([["u.a", a]]);
  expect(await failures(repository, "early")).toMatchObject([{ unit: "c", round: 1, message: "round 1" }]);
  const early = await listRefs(repository, "early");
  expect(early.get(runRef("early", "base"))).toBe(world.context.repository.base);
  expect(early.has(integrationRef("early"))).toBe(false);
  expect((await listRefs(repository, "early", "resolutions")).size).toBe(1);
  expect((await listRefs(repository, "r1", "resolutions")).size).toBe(2);

  const all: Event = {
    type: "variables-set",
    scope: 0,
    values: { merged: { commit: merged } },
    actor: "t",
    at: moment,
  };
  const last = Date.now();
  const told = history(finished("u.a", a, moment), finished("b", b, last), { at: last, event: all });
  await giveForkRefs({ repository, from: "r1", to: "late" }, told);
  await settleFork(repository, "late", true);
  const names = (refs: ReadonlyMap<string, string>, run: string): unknown[] =>
    [...refs].map(([ref, to]) => [ref.slice(runRef(run).length), to]);
  expect(names(await listRefs(repository, "late"), "late")).toEqual(names(before, "r1"));
  expect(await listRefs(repository, "r1")).toEqual(before);
});

test("[F81] what a crash left of a fork is ended by whether it came to be, and giving refs again changes nothing", async () => {
  const world = await open();
  const { repository, deps } = world;
  const a = await commit(world, "a");
  for (const to of ["came", "never"]) {
    await giveForkRefs({ repository, from: "r1", to }, history(finished("a", a, 1)));
    const once = await listRefs(repository, to);
    await giveForkRefs({ repository, from: "r1", to }, history(finished("a", a, 1)));
    expect(await listRefs(repository, to)).toEqual(once);
    expect(once.has(runRef(to, "forking"))).toBe(true);
  }
  const asked: string[] = [];
  const said: string[] = [];
  mkdirSync(join(deps.stateDir, "repositories", "broken.git"));
  await settleForks({ ...deps, log: (line) => said.push(line) }, async (run) => asked.push(run) > 0 && run === "came");
  expect(said).toEqual([expect.stringContaining("broken.git were not looked at")]);
  expect(asked.sort()).toEqual(["came", "never"]);
  expect([...(await listRefs(repository, "came")).keys()]).toEqual([
    "refs/tutti/came/base",
    "refs/tutti/came/finished/a",
  ]);
  expect((await listRefs(repository, "never")).size).toBe(0);
  expect((await listRefs(repository, "r1")).size).toBe(1);
});

test("[F33] the note that counts is that of the last round, and none once the unit has passed", async () => {
  const { repository } = await open();
  await writeFailure(repository, "r1", failed("a", 1));
  await writeFailure(repository, "r1", failed("a", 2));
  await writeFailure(repository, "r1", failed("ab", 7));
  expect(await failureBefore(repository, "r1", { unit: "a", round: 1 })).toBeUndefined();
  expect(await failureBefore(repository, "r1", { unit: "a", round: 2 })).toMatchObject({ round: 1 });
  expect(await failureBefore(repository, "r1", { unit: "a", round: 3 })).toMatchObject({ round: 2 });
  await writePassed(repository, "r1", { unit: "a", round: 3 });
  expect(await failureBefore(repository, "r1", { unit: "a", round: 4 })).toBeUndefined();
  expect(await failures(repository, "r1")).toMatchObject([{ unit: "ab" }]);
  await writePassed(repository, "r1", { unit: "fresh", round: 1 });
  expect((await listRefs(repository, "r1", "rounds")).has(runRef("r1", "rounds", "fresh", "1"))).toBe(false);
});
