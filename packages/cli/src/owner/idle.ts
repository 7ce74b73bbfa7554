import type { House } from "../compose.ts";

/**
 * Whether anything goes on, or will by itself: a job that somebody here works on, a timer, or a process that a timer
 * begins. What is paused, or waits for a person, a message or a worker from outside, needs no owner; the command that
 * ends its wait starts one.
 */
export async function hasWork({ jobTypes, ...house }: Pick<House, "engine" | "jobTypes">): Promise<boolean> {
  const engine = house.engine();
  const jobs = await engine.query("jobs", {}, { limit: 1_000 });
  if (jobs.next !== undefined || jobs.rows.some(({ state, jobType }) => state !== "held" && jobTypes.has(jobType)))
    return true;
  if ((await engine.query("schedules", {}, { limit: 1 })).rows.length > 0) return true;
  const open = await engine.query("instances", { status: "open" }, { limit: 1_000 });
  if (open.next !== undefined) return true;
  for (const { instanceId } of open.rows) {
    const { status, waiting } = await engine.instance(instanceId);
    if (status !== "paused" && waiting.some(({ on }) => on === "timer")) return true;
  }
  return false;
}
