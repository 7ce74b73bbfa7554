import type { SharedLog } from "../embedded/shared-log.ts";
import { placeOf } from "../embedded/time/schedules.ts";
import type { Engine } from "../port.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import type { TemporalHouse } from "../testing/temporal-house.ts";
import { type Harness, ManualWorker } from "./harness.ts";

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

/**
 * Time is the harness's own: workers have it from its clock, and open workflows are told. With `short` every job is one
 * whose handler does not wait for the test.
 */
export async function temporalHarness(
  house: TemporalHouse,
  { short = false }: { readonly short?: boolean } = {},
): Promise<Harness> {
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
      if (short) markShort(running);
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

/** But those that wait for the test, or for their time to pass: what is not done at once is not short. */
function markShort(engine: Engine): void {
  const work = engine.work.bind(engine);
  engine.work = (jobType, handler, options) => {
    const short = !ManualWorker.isOf(handler) && options?.silenceMs === undefined;
    return work(jobType, handler, { ...options, short });
  };
}
