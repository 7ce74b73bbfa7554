import type { Engine } from "@tutti/engine";

/**
 * Whether anything goes on, or will by itself: a job, or a timer. A run that is paused or waits for a person needs no
 * owner; the command that ends its wait starts one.
 */
export async function hasWork(engine: Engine): Promise<boolean> {
  const jobs = await engine.query("jobs", {}, { limit: 1_000 });
  if (jobs.next !== undefined || jobs.rows.some(({ state }) => state !== "held")) return true;
  const open = await engine.query("instances", { status: "open" }, { limit: 1_000 });
  if (open.next !== undefined) return true;
  for (const { instanceId } of open.rows) {
    const { status, waiting } = await engine.instance(instanceId);
    if (status !== "paused" && waiting.some(({ on }) => on === "timer" || on === "job")) return true;
  }
  return false;
}
