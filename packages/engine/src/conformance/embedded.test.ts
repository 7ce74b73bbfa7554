import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEmbeddedEngine } from "../embedded/engine.ts";
import { openMemoryStore } from "../embedded/memory/store.ts";
import { openSqliteStore } from "../embedded/sqlite/store.ts";
import type { Store } from "../embedded/store.ts";
import type { Engine } from "../port.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { FaultyDisk } from "../testing/faulty-disk.ts";
import { testHost } from "../testing/programs.ts";
import { engineSuite } from "./engine.suite.ts";
import type { Harness } from "./harness.ts";

/** An engine whose store can be cut off under it, as a killed process is cut off from its files. */
function harnessOf(open: () => Promise<Store>, dispose: () => void): Harness {
  const clock = new FakeClock({ realDefer: true });
  const cut = new Map<Engine, () => void>();
  return {
    async open() {
      let dead = false;
      const crashPoint = (): void => {
        if (dead) throw new Error("the process was killed");
      };
      const engine = await createEmbeddedEngine({ store: await open(), host: testHost, clock, crashPoint });
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

engineSuite({
  name: "embedded engine on a journal in memory",
  make: async () => {
    const disk = new FaultyDisk();
    return harnessOf(
      () => openMemoryStore({ disk }),
      () => undefined,
    );
  },
});

engineSuite({
  name: "embedded engine on a SQLite file",
  make: async () => {
    const folder = mkdtempSync(join(tmpdir(), "tutti-engine-"));
    return harnessOf(
      async () => openSqliteStore(join(folder, "tutti.sqlite")),
      () => rmSync(folder, { recursive: true, force: true }),
    );
  },
});
