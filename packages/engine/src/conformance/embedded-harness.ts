import { createEmbeddedEngine } from "../embedded/engine.ts";
import type { Store } from "../embedded/store.ts";
import type { Engine } from "../port.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { testHost } from "../testing/host.ts";
import type { Harness } from "./harness.ts";

/** An engine whose store can be cut off under it, as a killed process is cut off from its files. */
export function embeddedHarness(open: () => Promise<Store>, dispose: () => void): Harness {
  const asked = { underWay: 0 };
  const clock = new FakeClock({ realDefer: true, busy: () => asked.underWay > 0 });
  const cut = new Map<Engine, () => void>();
  return {
    async open() {
      let dead = false;
      const crashPoint = (): void => {
        if (dead) throw new Error("the process was killed");
      };
      const engine = await createEmbeddedEngine({
        store: counted(await open(), asked),
        host: testHost,
        clock,
        crashPoint,
      });
      cut.set(engine, () => {
        dead = true;
      });
      return engine;
    },
    async crash(engine) {
      cut.get(engine)?.();
      // The next turn meets its death before anything is written; closing then only gives the files back.
      await engine.close({ graceMs: 0 });
    },
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    async dispose() {
      dispose();
    },
  };
}

/** Counts what a store has been asked and has not answered yet. */
function counted(store: Store, asked: { underWay: number }): Store {
  return new Proxy(store, {
    get(target, name) {
      const method = target[name as keyof Store];
      if (typeof method !== "function") return method;
      return (...args: never[]) => {
        const answer = (method as (...args: never[]) => unknown).apply(target, args);
        if (answer instanceof Promise) {
          asked.underWay++;
          const answered = (): void => void asked.underWay--;
          answer.then(answered, answered);
        }
        return answer;
      };
    },
  });
}
