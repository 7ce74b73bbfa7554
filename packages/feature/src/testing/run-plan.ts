import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "@tutti/kernel";
import { parse } from "yaml";
import { loadFeaturePrograms } from "../definitions.ts";
import { featureHandlers } from "../handlers/table.ts";
import { asJson } from "../job.ts";
import { type Act, type Drive, drive } from "./drive.ts";
import { createWorld, examples, type World, type WorldOptions } from "./setup.ts";

// The real programs, decided by the real kernel, with the real handlers: only the durable engine is left out.

export interface Ran {
  readonly world: World;
  readonly run: Drive;
}

export interface PlanRun extends WorldOptions {
  readonly slots?: number;
  readonly person?: (world: World) => readonly Act[];
}

const worlds: World[] = [];

export function removeWorlds(): void {
  for (const world of worlds.splice(0)) world.remove();
}

export function runExample(name: string, options: Partial<PlanRun> = {}): Promise<Ran> {
  const folder = join(examples, name);
  const base = name.startsWith("fixtures/") ? join(examples, "fixtures/repository") : join(folder, "repository");
  const planned = parse(readFileSync(join(folder, "plan.yaml"), "utf8")) as Json;
  return runPlan(planned, { base, script: join(folder, "agents.yaml"), ...options });
}

export async function runPlan(planned: Json, { slots = 4, person, ...options }: PlanRun): Promise<Ran> {
  const world = await createWorld(options);
  worlds.push(world);
  const { deps, context } = world;
  const variables = { feature: "A feature", context: asJson(context), planned };
  const run = await drive({
    programs: await loadFeaturePrograms(),
    handlers: featureHandlers(deps),
    process: "feature",
    variables,
    slots,
    ...(person === undefined ? {} : { person: person(world) }),
  });
  return { world, run };
}
