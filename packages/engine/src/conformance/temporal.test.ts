import { afterAll, beforeAll } from "vitest";
import type { SharedLog } from "../embedded/shared-log.ts";
import { placeOf } from "../embedded/time/schedules.ts";
import type { Engine } from "../port.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { openTemporalHouse, type TemporalHouse } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { engineSuite } from "./engine.suite.ts";
import type { Harness } from "./harness.ts";

let house: TemporalHouse;

/** When schedules are due, as the log is told. While one is and an engine runs, no time passes for it. */
class Firings {
  readonly #due: Map<string, number> = new Map();
  #running = 0;

  isDue(now: number): boolean {
    return this.#running > 0 && [...this.#due.values()].some((due) => due <= now);
  }

  watched(log: SharedLog): SharedLog {
    this.#running++;
    let isOpen = true;
    return {
      ...log,
      append: (wanted, decide) =>
        log.append(wanted, (standing) => {
          const turn = decide(standing);
          for (const change of turn.changes) {
            if (change.type === "schedule-put") this.#due.set(placeOf(change.schedule), change.schedule.due);
            if (change.type === "schedule-delete") this.#due.delete(placeOf(change));
          }
          return turn;
        }),
      close: async () => {
        if (isOpen) this.#running--;
        isOpen = false;
        await log.close();
      },
    };
  }
}

/** Time is the harness's own: workers have it from its clock, and open workflows are told. */
async function harnessOf(): Promise<Harness> {
  const home = house.home();
  const firings = new Firings();
  // What is due has been called, and is not over yet.
  const busy = (): boolean => (clock.nextAt() ?? Number.POSITIVE_INFINITY) > clock.now() && firings.isDue(clock.now());
  const clock: FakeClock = new FakeClock({ realDefer: true, busy });
  let running: Engine | undefined;
  const tellTime = async (): Promise<void> => {
    const now = clock.now();
    // While no engine runs nothing is told; the next one is told on opening.
    const open = await running?.query("instances", { status: "open" }).catch(() => undefined);
    const told = (open?.rows ?? []).map(({ instanceId }) =>
      home.workflow.getHandle(instanceId).executeUpdate("tick", { args: [now] }),
    );
    // One that has just ended needs no time any more.
    await Promise.allSettled(told);
  };
  return {
    async open() {
      running = await home.open({ clock, watch: (log) => firings.watched(log) });
      await tellTime();
      return running;
    },
    // To Temporal it is the same whether a worker stops with its jobs undone or is killed; another test kills it.
    async crash(engine) {
      await engine.close({ graceMs: 0 });
    },
    now: () => clock.now(),
    async advance(ms) {
      await clock.advance(ms);
      await tellTime();
    },
    async dispose() {
      home.remove();
    },
  };
}

/** Each is an activity, for which the server needs some 8 ms of a processor, and the worker 5. */
const branchesMany = 1_100;

describeWithTemporal("on a Temporal server", () => {
  beforeAll(async () => {
    house = await openTemporalHouse("told-clock-workflow.ts");
  }, 120_000);
  afterAll(() => house?.close());
  engineSuite({ name: "Temporal engine", make: harnessOf, branchesMany });
});
