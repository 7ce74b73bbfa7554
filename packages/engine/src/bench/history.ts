import type { ProgramDocument } from "@tutti/kernel";
import { createEmbeddedEngine } from "../embedded/engine.ts";
import { openMemoryStore } from "../embedded/memory/store.ts";
import type { Turn } from "../embedded/store.ts";
import { testHost } from "../testing/host.ts";
import { end, program, service, start } from "../testing/programs.ts";
import { type Figure, figure } from "./report.ts";

/** One step again and again, until its job says otherwise. */
const endless: ProgramDocument = program({
  id: "endless",
  variables: [{ name: "done", type: "boolean", required: false, initial: false }],
  elements: [
    start(),
    service("step", { outputs: [{ target: "done", source: { variable: "done" } }] }),
    { kind: "exclusive-gateway", id: "again", parent: null, defaultFlow: "f4" },
    end(),
  ],
  flows: ["start>step", "step>again", "again>end?done", "again>step"],
});

/** So many events are measured, whatever the length of the histories they are in. */
const measuredEvents = 100_000;

/** What an event costs in an instance that has had few, and in one that has had a million. */
export async function measureHistory(): Promise<Figure[]> {
  await costOfEvent(measuredEvents);
  const figures: Figure[] = [];
  const costs = new Map<number, number>();
  for (const events of [1_000, 10_000, 100_000, 1_000_000]) {
    const micros = await costOfEvent(events);
    costs.set(events, micros);
    figures.push(figure(`history.${events}.event`, micros, { unit: "µs" }));
  }
  const growth = (costs.get(1_000_000) ?? 0) / (costs.get(1_000) ?? 1);
  figures.push(figure("history.1000000.growth", growth, { unit: "ratio", goal: "<= 1.2" }));
  return figures;
}

/** The processor's µs for each of the newest events of instances that come to have so many; in memory, one at a time. */
async function costOfEvent(events: number): Promise<number> {
  const inner = await openMemoryStore();
  let seen = 0;
  let onEnd: () => void = () => undefined;
  const commit = async (turn: Turn): Promise<void> => {
    await inner.commit(turn);
    for (const row of turn.rows) {
      seen += row.events.length;
      if (row.events.at(-1)?.type === "instance-completed") onEnd();
    }
  };
  const engine = await createEmbeddedEngine({ store: { ...inner, commit }, host: testHost });
  await engine.deploy([endless]);
  const mark = (): { readonly seen: number; readonly cpu: NodeJS.CpuUsage } => ({ seen, cpu: process.cpuUsage() });
  let begin = mark();
  engine.work("work", async () => {
    if (begin.seen === 0 && seen >= events - measuredEvents) begin = mark();
    return { type: "completed", result: { done: seen >= events } };
  });
  let micros = 0;
  let measured = 0;
  for (let n = 0; measured < measuredEvents * 0.9; n++) {
    seen = 0;
    begin = mark();
    const ended = new Promise<void>((resolve) => {
      onEnd = resolve;
    });
    await engine.start({ requestId: `r${n}`, process: endless.id, variables: {}, actor: "bench" });
    await ended;
    const { user, system } = process.cpuUsage(begin.cpu);
    micros += user + system;
    measured += seen - begin.seen;
  }
  await engine.close();
  return micros / measured;
}
