import { must } from "@tutti/kernel";
import { loop } from "../testing/loop-program.ts";
import { openTemporalHouse } from "../testing/temporal-house.ts";
import { type HistorySize, historySizes } from "../testing/temporal-server.ts";

export interface Looped {
  /** Jobs that were done. */
  readonly rounds: number;
  readonly result: unknown;
  /** The history of each execution. */
  readonly sizes: readonly HistorySize[];
}

export interface LoopWanted {
  readonly rounds: number;
  /** The module of the workflow, beside this one or beside those of tests. */
  readonly module?: string;
  readonly reached?: (rounds: number) => void;
}

/** One instance goes so many times over a job and a timer. */
export async function goRound({
  rounds,
  module = "../endurance/real-workflow.ts",
  reached,
}: LoopWanted): Promise<Looped> {
  const house = await openTemporalHouse(module);
  const home = house.home();
  const engine = await home.open();
  try {
    let done = 0;
    engine.work("work", async (job) => {
      done++;
      reached?.(done);
      const n = Number(job.input["n"]) + 1;
      return { type: "completed", result: { n, more: n < rounds } };
    });
    await engine.deploy([loop("loop")]);
    const id = await engine.start({ requestId: "loop", process: "loop", variables: {}, actor: "tester" });
    for await (const { event } of engine.history({ instanceId: id, follow: true })) {
      if (event.type === "instance-completed" || event.type === "instance-failed") break;
    }
    const { outcome } = await engine.instance(id);
    const sizes = await historySizes(house.server, { namespace: home.namespace, instanceId: id });
    return { rounds: done, result: must(outcome, "it has ended"), sizes };
  } finally {
    await engine.close({ graceMs: 0 });
    home.remove();
    await house.close();
  }
}
