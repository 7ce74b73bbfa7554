import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "@tutti/kernel";
import { listWorkspaces } from "@tutti/workspace";
import { afterEach, expect, test } from "vitest";
import { parse } from "yaml";
import { loadFeaturePrograms } from "./definitions.ts";
import { planHandler } from "./handlers/plan.ts";
import { publishHandler } from "./handlers/publish.ts";
import { unitAndMergeHandlers } from "./handlers/table.ts";
import { asJson } from "./job.ts";
import type { Published } from "./model.ts";
import { type Drive, drive } from "./testing/drive.ts";
import { createWorld, examples, runGit, type World, type WorldOptions } from "./testing/setup.ts";

// The real programs, decided by the real kernel, with the real handlers: only the durable engine is left out.

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.remove();
});

async function runExample(name: string, options: Partial<WorldOptions> = {}): Promise<{ world: World; run: Drive }> {
  const folder = join(examples, name);
  const base = name.startsWith("fixtures/") ? join(examples, "fixtures/repository") : join(folder, "repository");
  const world = await createWorld({ base, script: join(folder, "agents.yaml"), ...options });
  worlds.push(world);
  const { deps, context } = world;
  const handlers = {
    ...unitAndMergeHandlers(deps),
    "feature.plan": planHandler(deps),
    "feature.publish": publishHandler(deps),
  };
  const planned = parse(readFileSync(join(folder, "plan.yaml"), "utf8")) as Json;
  const variables = { feature: "A feature", context: asJson(context), planned };
  const run = await drive({ programs: await loadFeaturePrograms(), handlers, process: "feature", variables });
  return { world, run };
}

test("[F3] a run with a base that needs a merge by rule ends as one branch that has all units", async () => {
  const { world, run } = await runExample("fixtures/base-conflict");
  expect(run.incidents).toEqual([]);
  expect(run.outcome?.type).toBe("completed");
  const published = run.variables["published"] as unknown as Published;
  const changelog = runGit(world.source, ["show", `${published.branch}:CHANGELOG.md`]);
  for (const unit of ["A", "B", "C", "D"]) expect(changelog).toContain(`- ${unit}.`);
  expect(await listWorkspaces(world.deps.stateDir)).toEqual([]);
});
