import { CancellationScope, condition, defineUpdate, setHandler, sleep } from "@temporalio/workflow";
import type { Host } from "@tutti/kernel";
import { processWorkflow, type WorkflowClock } from "../temporal/workflow/index.ts";

/** What time it is, and whether what is due is to happen. */
const pass = defineUpdate<void, [to: number, rings: boolean]>("pass");

/** A timer lasts so many times as long as it says, and fires when it is told to: no path comes near its end. */
const slowness = 1_000;

/** Time stands still but for `pass`; timers are the server's, each with its due time as its summary. */
function pathClock(askedAt: number, moved: (now: number) => void): WorkflowClock {
  let now = askedAt;
  const waiting = new Map<CancellationScope, number>();
  let ringing = 0;
  setHandler(pass, async (to, rings) => {
    if (to > now) {
      now = to;
      moved(now);
    }
    if (!rings) return;
    for (const [scope, at] of [...waiting]) {
      if (at > now) continue;
      waiting.delete(scope);
      ringing++;
      scope.cancel();
    }
    await condition(() => ringing === 0);
  });
  return {
    now: () => now,
    async until(at) {
      const scope = new CancellationScope();
      waiting.set(scope, at);
      try {
        await scope.run(() => sleep(Math.max(1, at - now) * slowness, { summary: `${at}` }));
        // What was due when it was asked for is not told to ring.
        waiting.delete(scope);
      } catch (error) {
        // Called off from outside, unless time was told to pass.
        if (waiting.delete(scope)) throw error;
        try {
          await sleep(1);
        } finally {
          ringing--;
        }
      }
    },
  };
}

type ProcessWorkflow = ReturnType<typeof processWorkflow>;

/** Instances on a path. Histories are long after a hundred events, so that many of them go on in a new execution. */
export function pathWorkflow(host: Host): ProcessWorkflow {
  return (input) => {
    if ("broker" in input) return processWorkflow({ host })(input);
    const own = { ...input };
    // The next execution is asked for what this one was, and begins where this one is.
    const moved = (now: number): void => {
      own.askedAt = now;
    };
    const workflow = processWorkflow({ host, historyEventsMax: 240, clock: (askedAt) => pathClock(askedAt, moved) });
    return workflow(own);
  };
}
