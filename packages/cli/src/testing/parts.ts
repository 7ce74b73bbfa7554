import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Scene } from "./scene.ts";

/** Arguments of `tutti run` for units side by side, each of which writes a file of its own; the bad ones never pass. */
export function partsRun(
  scene: Scene,
  parts: { readonly ids: readonly string[]; readonly bad?: readonly string[]; readonly delayMs?: number },
): readonly string[] {
  const { ids, bad = [], delayMs = 0 } = parts;
  const units = ids.map((id) => ({
    id,
    title: `Write ${id}`,
    intent: `parts/${id}.txt says that it is done.`,
    touches: { creates: [`parts/${id}.txt`] },
    verify: [`grep -qx done parts/${id}.txt`],
  }));
  const content = (id: string): string => (bad.includes(id) ? "not yet\n" : "done\n");
  const steps = (id: string): object[] => [{ write: { path: `parts/${id}.txt`, content: content(id) } }];
  const tasks = Object.fromEntries(ids.map((id) => [id, [{ delayMs, steps: steps(id) }]]));
  const [plan, script] = [join(scene.folder, "plan.yaml"), join(scene.folder, "agents.yaml")];
  const feature = `${ids.length} parts`;
  writeFileSync(plan, stringify({ format: "tutti-plan/1", feature, requirements: [], checks: [], units }));
  writeFileSync(script, stringify({ format: "tutti-script/1", tasks }));
  const options = ["--plan", plan, "--script", script, "--attempts", "1", "--rounds", "1", "--id", "r"];
  return ["run", "--repo", scene.repository, "--agent", "scripted", ...options];
}
