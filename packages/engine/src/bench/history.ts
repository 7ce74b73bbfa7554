import type { ProgramDocument } from "@tutti/kernel";
import { createEmbeddedEngine } from "../embedded/engine.ts";
import { openMemoryStore } from "../embedded/memory/store.ts";
import { openSqliteStore } from "../embedded/sqlite/store.ts";
import type { Store, Turn } from "../embedded/store.ts";
import { testHost } from "../testing/host.ts";
import { end, program, service, start } from "../testing/programs.ts";
import { type Figure, figure } from "./report.ts";
import { databasePath } from "./workload.ts";

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

/** What an event costs in an instance that has had few, and in one that has had a million; the same on the disk, once. */
export async function measureHistory(folder: string): Promise<Figure[]> {
  await costOfEvent(measuredEvents, await openMemoryStore());
  const figures: Figure[] = [];
  const costs = new Map<number, number>();
  // Of those with ten events each was begun and ended beside them, which is more than a step takes.
  for (const events of [10, 1_000, 10_000, 100_000, 1_000_000]) {
    const micros = await costOfEvent(events, await openMemoryStore());
    costs.set(events, micros);
    figures.push(figure(`history.${events}.event`, micros, { unit: "µs" }));
  }
  const most = costs.get(1_000_000) ?? 0;
  figures.push(
    figure("history.1000000.growth-from-10", most / (costs.get(10) ?? 1), { unit: "ratio", goal: "<= 1.2" }),
    figure("history.1000000.growth", most / (costs.get(1_000) ?? 1), { unit: "ratio", goal: "<= 1.2" }),
  );
  const [few, many] = [
    await costOfEvent(1_000, openSqliteStore(databasePath(folder, "history"))),
    await costOfEvent(measuredEvents, openSqliteStore(databasePath(folder, "history"))),
  ];
  const onDisk = figure(`history.sqlite.${measuredEvents}.growth`, many / few, { unit: "ratio", goal: "<= 1.2" });
  return [...figures, figure(`history.sqlite.${measuredEvents}.event`, many, { unit: "µs" }), onDisk];
}

/** The processor's µs for each of the newest events of instances that come to have so many, one at a time. */
async function costOfEvent(events: number, inner: Store): Promise<number> {
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
