import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listWorkspaces } from "@tutti/workspace";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { loadFeaturePrograms } from "./definitions.ts";
import { planHandler } from "./handlers/plan.ts";
import { publishHandler } from "./handlers/publish.ts";
import { unitAndMergeHandlers } from "./handlers/table.ts";
import { asJson } from "./job.ts";
import { drive } from "./testing/drive.ts";
import { createWorld, examples, runGit } from "./testing/setup.ts";

const names = (process.env["EX"] ?? "").split(",").filter(Boolean);
for (const name of names) {
  test(name, async () => {
    const folder = join(examples, name);
    const base = name.startsWith("fixtures/") ? join(examples, "fixtures/repository") : join(folder, "repository");
    const options = JSON.parse(process.env["OPT"] ?? "{}");
    const world = await createWorld({ base, script: join(folder, "agents.yaml"), options });
    const { deps, context } = world;
    const handlers = {
      ...unitAndMergeHandlers(deps),
      "feature.plan": planHandler(deps),
      "feature.publish": publishHandler(deps),
    };
    const planned = process.env["NOPLAN"] ? null : (parse(readFileSync(join(folder, "plan.yaml"), "utf8")) as never);
    const t = Date.now();
    const run = await drive({
      programs: await loadFeaturePrograms(),
      handlers,
      process: "feature",
      variables: { feature: "A feature", context: asJson(context), planned },
    });
    console.log(
      name,
      Date.now() - t,
      "ms",
      JSON.stringify(run.outcome?.type === "completed" ? "completed" : run.outcome),
      run.incidents,
      run.jobs.join(" | "),
    );
    const published = run.variables["published"] as never as { branch: string; body: string };
    if (published)
      console.log(
        published.body,
        runGit(world.source, ["log", "--oneline", published.branch]),
        runGit(world.source, ["status", "--short", "-b"]),
      );
    console.log("left workspaces", await listWorkspaces(deps.stateDir), await deps.processes.endLeftovers());
    expect(run.incidents.length >= 0).toBe(true);
    world.remove();
  });
}
