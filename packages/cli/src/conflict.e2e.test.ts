import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WaitingConflict } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
import { CliHouse, gitAnswer } from "./testing/cli-house.ts";

const houses: CliHouse[] = [];
afterEach(async () => {
  for (const made of houses.splice(0)) await made.close();
});

/** A run of two units that rewrite the same line, and a resolver that leaves it so. */
async function contested(): Promise<{ readonly own: CliHouse; readonly repository: string }> {
  const own = await CliHouse.open();
  houses.push(own);
  const { repository } = await own.material("fixtures/diamond-late");
  const unit = (id: string) => ({
    ...{ id, title: `Say ${id}`, intent: `The rules say ${id}.` },
    ...{ touches: { may: ["rules.txt"] }, verify: [`grep -qx ${id} rules.txt`] },
  });
  const write = (id: string) => [{ steps: [{ write: { path: "rules.txt", content: `${id}\n` } }] }];
  const plan = { format: "tutti-plan/1", feature: "Rules", units: [unit("a"), unit("b")] };
  const tasks = { a: write("a"), b: write("b"), "resolve:rules.txt": [{}] };
  const folder = join(own.folder, "given");
  mkdirSync(folder);
  writeFileSync(join(folder, "plan.yaml"), JSON.stringify(plan));
  writeFileSync(join(folder, "agents.yaml"), JSON.stringify({ format: "tutti-script/1", tasks }));
  const files = ["--plan", join(folder, "plan.yaml"), "--script", join(folder, "agents.yaml")];
  const started = await own.tutti("run", "--repo", repository, ...files, "--id", "one");
  expect(started.exit, started.stderr).toBe(4);
  expect(started.stdout).toContain("✗ b: conflict-parked");
  expect(started.stdout).toContain("→ tutti conflict list --run one");
  return { own, repository };
}

test("[C30] a conflict that waits is listed, shown, resolved by hand with or without an owner, and then lands", async () => {
  const { own, repository } = await contested();
  const { conflicts } = await own.json<{ conflicts: readonly WaitingConflict[] }>("conflict");
  expect(conflicts).toMatchObject([{ path: "rules.txt", unit: "b", kind: "content" }]);
  const shown = await own.tutti("conflict", "show", "rules.txt");
  expect(shown.stdout).toContain("<<<<<<< ours\na\n");
  const file = join(own.folder, "rules.txt");
  writeFileSync(file, shown.stdout);
  const marked = await own.tutti("conflict", "resolve", "rules.txt", "--file", file);
  expect([marked.exit, marked.stderr]).toEqual([2, expect.stringContaining("conflict-markers")]);
  expect((await own.tutti("conflict", "resolve", "nowhere.txt", "--file", file)).exit).toBe(2);
  expect((await own.tutti("conflict", "resolve", "rules.txt")).exit).toBe(2);
  await own.killOwner();
  writeFileSync(file, "a\nb\n");
  const resolved = await own.tutti("conflict", "resolve", "rules.txt", "--file", "rules.txt", "--note", "both rules");
  expect(resolved.exit, resolved.stderr).toBe(0);
  const retried = await own.tutti("retry", "--follow");
  expect(retried.exit, retried.stderr).toBe(0);
  expect(await gitAnswer(repository, "show", "tutti/one:rules.txt")).toBe("a\nb");
  expect((await own.tutti("conflict", "list")).stdout).toContain("No conflict of one waits");
});

test("[C31] accepting a part writes down who did and why, and the report says so", async () => {
  const { own, repository } = await contested();
  const accepted = await own.tutti("accept-partial", "--reason", "b can wait", "--follow");
  expect(accepted.exit, accepted.stderr).toBe(0);
  expect(await gitAnswer(repository, "show", "tutti/one:rules.txt")).toBe("a");
  const { published } = await own.json<{ published: { partial: boolean; body: string } }>("status");
  expect(published.partial).toBe(true);
  expect(published.body).toMatch(/Accepted by person:\S+ on \d{4}-\d\d-\d\d \d\d:\d\d UTC: b can wait/);
  expect(published.body).toContain("| b | conflict-parked |");
});
