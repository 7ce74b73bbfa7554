import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandResult, runCommand, uncaged } from "@tutti/agents";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openProcessLedger, type ProcessWatch } from "./process-ledger.ts";

let stateDir = "";
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "tutti-ledger-"));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

async function startSleeping(watch: ProcessWatch): Promise<{ ended: Promise<CommandResult> }> {
  const started = Promise.withResolvers<void>();
  const ended = runCommand({
    command: "sleep 60",
    cwd: stateDir,
    scratch: join(stateDir, "scratch"),
    cage: uncaged(),
    limits: { wallMs: 60_000 },
    signal: new AbortController().signal,
    onSpawn: (group) => {
      watch.onSpawn(group);
      started.resolve();
    },
  });
  await started.promise;
  return { ended };
}

const written = (): string[] => readdirSync(join(stateDir, "processes"));

test("[F40] a process is on disk once it has started, and the next owner ends it", async () => {
  const { ended } = await startSleeping(openProcessLedger(stateDir).watch("job 1"));
  expect(written()).toHaveLength(1);
  const result = await openProcessLedger(stateDir).endLeftovers();
  expect(result.left).toBe(0);
  expect(result.ended).toBeGreaterThanOrEqual(1);
  expect((await ended).signal).toBe("SIGTERM");
  expect(written()).toEqual([]);
});

test("[F40] what has ended is forgotten, and nothing is ended twice", async () => {
  const ledger = openProcessLedger(stateDir);
  const watch = ledger.watch("job 1");
  const { ended } = await startSleeping(watch);
  await openProcessLedger(stateDir).endLeftovers();
  await ended;
  watch.close();
  expect(await ledger.endLeftovers()).toEqual({ ended: 0, left: 0 });
});

test("[F40] a stranger with the same id is left alone, and half a file does no harm", async () => {
  const ledger = openProcessLedger(stateDir);
  // This very process under a start time that is not its own.
  ledger.watch("old").onSpawn({ pid: process.pid, startTime: "another-boot:1", marker: "none" });
  writeFileSync(join(stateDir, "processes", "1-x.json.new"), '{"format":1,"wh');
  expect(await ledger.endLeftovers()).toEqual({ ended: 0, left: 0 });
  expect(written()).toEqual([]);
});

test("[F41] a process that cannot be written down does not run on", async () => {
  writeFileSync(join(stateDir, "processes"), "a file is in the way");
  const watch = openProcessLedger(stateDir).watch("job 1");
  const result = await runCommand({
    command: "sleep 60",
    cwd: stateDir,
    scratch: join(stateDir, "scratch"),
    cage: uncaged(),
    limits: { wallMs: 60_000 },
    signal: new AbortController().signal,
    onSpawn: (group) => watch.onSpawn(group),
  });
  expect(result.cause).toBe("not-started");
});
