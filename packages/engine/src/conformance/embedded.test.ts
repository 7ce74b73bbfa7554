import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMemoryStore } from "../embedded/memory/store.ts";
import { openSqliteStore } from "../embedded/sqlite/store.ts";
import { FaultyDisk } from "../testing/faulty-disk.ts";
import { embeddedHarness } from "./embedded-harness.ts";
import { engineSuite } from "./engine.suite.ts";

engineSuite({
  name: "embedded engine on a journal in memory",
  make: async () => {
    const disk = new FaultyDisk();
    return embeddedHarness(
      () => openMemoryStore({ disk }),
      () => undefined,
    );
  },
});

engineSuite({
  name: "embedded engine on a SQLite file",
  make: async () => {
    const folder = mkdtempSync(join(tmpdir(), "tutti-engine-"));
    return embeddedHarness(
      async () => openSqliteStore(join(folder, "tutti.sqlite")),
      () => rmSync(folder, { recursive: true, force: true }),
    );
  },
});
