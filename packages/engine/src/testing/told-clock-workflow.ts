import { condition, defineUpdate, setHandler, sleep } from "@temporalio/workflow";
import { processWorkflow, type WorkflowClock } from "../temporal/workflow/index.ts";
import { testHost } from "./host.ts";

const tick = defineUpdate<void, [number]>("tick");

/** Moves only when told, from one appointment to the next, and lets what follows from each be decided before it goes on. */
function toldClock(askedAt: number): WorkflowClock {
  let now = askedAt;
  const appointments = new Set<number>();
  setHandler(tick, async (to) => {
    for (;;) {
      const next = Math.min(...[...appointments].filter((at) => at > now));
      if (next > to) break;
      now = next;
      appointments.delete(next);
      await sleep(20);
    }
    now = Math.max(now, to);
  });
  return {
    now: () => now,
    async until(at) {
      appointments.add(at);
      await condition(() => now >= at);
    },
  };
}

const workflow: ReturnType<typeof processWorkflow> = processWorkflow({ host: testHost, clock: toldClock });

export { workflow as default };
