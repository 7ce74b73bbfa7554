import type { TimerDefinition } from "@tutti/kernel";
import { expect, test } from "vitest";
import { eventually } from "../conformance/harness.ts";
import type { Engine } from "../port.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { testHost } from "../testing/host.ts";
import { onTimer } from "../testing/message-programs.ts";
import { createEmbeddedEngine } from "./engine.ts";
import { openMemoryStore } from "./memory/store.ts";
import type { Store } from "./store.ts";

function every(text: string): TimerDefinition {
  return { kind: "cycle", value: { literal: text } };
}

interface Held {
  readonly engine: Engine;
  readonly store: Store;
  together(ask: () => void): Promise<void>;
}

/** An engine whose turns can be held up, so that what comes meanwhile meets in the next one. */
async function heldEngine(clock: FakeClock): Promise<Held> {
  const store = await openMemoryStore();
  let gate: Promise<void> | undefined;
  const commit: typeof store.commit = async (turn) => {
    await gate;
    await store.commit(turn);
  };
  const engine = await createEmbeddedEngine({ store: { ...store, commit }, host: testHost, clock });
  return {
    engine,
    store,
    async together(ask) {
      let release = (): void => undefined;
      gate = new Promise((resolve) => {
        release = resolve;
      });
      const held = engine.adjustQueue("heavy", 3);
      await clock.settle();
      ask();
      await clock.settle();
      gate = undefined;
      release();
      await held;
      await clock.settle();
    },
  };
}

async function started(engine: Engine): Promise<string[]> {
  const { rows } = await engine.query("instances");
  return rows.map((row) => `${row.version} at ${row.startedAt}`).reverse();
}

test.each([
  ["before", ["2.0.0 at 35000", "2.0.0 at 60000"]],
  ["after", ["1.0.0 at 10000", "2.0.0 at 35000", "2.0.0 at 60000"]],
] as const)(
  "[E76] deployed %s a timer fires, in one turn: the one removed starts nothing after it, the new one loses nothing",
  async (order, expected) => {
    const clock = new FakeClock({ now: 0, realDefer: true });
    const { engine, together } = await heldEngine(clock);
    await engine.deploy([onTimer("tick", every("R/PT10S"))]);
    let deployed: Promise<unknown> | undefined;
    await together(() => {
      const deploy = (): void => {
        deployed = engine.deploy([onTimer("tick", every("R2/PT25S"), "2.0.0")]);
      };
      if (order === "before") deploy();
      // Whoever is appointed later for the same moment is called later.
      else clock.schedule(10_000, deploy);
      clock.jump(10_000);
    });
    await deployed;
    await clock.advance(100_000);
    await eventually(async () => ((await started(engine)).length === expected.length ? true : undefined));
    expect(await started(engine)).toEqual(expected);
    await engine.close();
  },
);

test("[E76] of two deployments in one turn the last one says when, and nothing is left of the first", async () => {
  const clock = new FakeClock({ now: 0, realDefer: true });
  const { engine, store, together } = await heldEngine(clock);
  const other = onTimer("tick", every("R/PT10S"));
  const renamed = other.elements.map((each) => (each.id === "begin" ? { ...each, id: "started" } : each));
  const flows = other.flows.map((each) => (each.from === "begin" ? { ...each, from: "started" } : each));
  await together(() => {
    void engine.deploy([{ ...other, elements: renamed, flows, hash: "renamed" }]);
    void engine.deploy([onTimer("tick", every("R2/PT25S"), "2.0.0")]);
  });
  await clock.advance(100_000);
  expect(await started(engine)).toEqual(["2.0.0 at 25000", "2.0.0 at 50000"]);
  expect(await store.schedules()).toEqual([]);
  await engine.close();
});
