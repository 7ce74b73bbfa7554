import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Answers } from "./answers.ts";
import { expectCrashProof } from "./crash.ts";
import { begin, each, order } from "./testing/processes.ts";

const paid = { complete: { receipt: "R1" }, after: "2h" };
const answers = {
  charge: [{ fail: "busy" }, paid],
  approve: { complete: { approved: true }, after: "1d" },
  "mail.send": { complete: {} },
};

const journals = ["memory", "file"] as const;

test.each(journals)(
  "[T20, T23] a process goes on after a crash, and nothing completed is done again (%s)",
  async (journal) => {
    const asked: string[] = [];
    const working: Answers["answers"] = {
      "payment.charge": ({ id }) => {
        asked.push(id);
        return { complete: { receipt: "R1" } };
      },
      "mail.send": { complete: {} },
    };
    const { trial, instance } = await begin(order, working, { journal });
    await trial.crash();
    instance.expectWaiting("approve", "approve.on-timer");
    await trial.answer("approve", { complete: { approved: true } });
    instance.expectPath(["start", "charge", "approve", "decide", "send", "end"]).expectEnd("completed");
    expect(asked).toEqual(["order/1#1"]);
    await trial.close();
  },
);

test("[T21] a job that is offered again is answered when it would have been", async () => {
  const { trial, instance } = await begin(order, { charge: paid, "mail.send": { complete: {} } });
  await trial.advance("1h");
  await trial.crash();
  instance.expectWaiting("charge");
  await trial.advance("1h");
  instance.expectPath(["start", "charge", "approve"]);
});

test.each(journals)(
  "[T22, T23] a scenario of jobs, retries, people and timers is the same whenever it crashes (%s)",
  async (journal) => {
    const crashes = await expectCrashProof({ programs: order, answers: { answers }, journal }, async (trial) => {
      const instance = await trial.start();
      await trial.advance("1h");
      await trial.finish();
      instance.expectEnd("completed");
    });
    expect(crashes).toBeGreaterThan(10);
  },
);

test("[T22] commands that a crash left without an answer count as given", async () => {
  const stuck = { charge: [{ fail: { code: "broken", retryable: false } }, paid] };
  await expectCrashProof({ programs: order, answers: { answers: stuck } }, async (trial) => {
    const instance = await trial.start();
    const key = instance.view.incidents[0]?.key ?? 0;
    const retry = { type: "resolve-incident", key, action: "retry", reason: "mended", actor: "me" } as const;
    expect(await trial.command(instance.id, retry)).toMatchObject({ ok: true });
    await trial.advance("2h");
    instance.expectOrder(["charge", "approve"]);
  });
});

test("[T23] files that a crash left are what the next engine reads, and none stays behind", async () => {
  const place = mkdtempSync(join(tmpdir(), "tutti-crash-"));
  vi.stubEnv("TMPDIR", place);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(place, { recursive: true });
  });
  const { trial } = await begin(order, { charge: paid }, { journal: "file" });
  const [name = ""] = readdirSync(place);
  const folder = join(place, name);
  await trial.crash();
  const files = ["tutti.sqlite", "tutti.sqlite-shm", "tutti.sqlite-wal"];
  expect(readdirSync(folder).map((life) => readdirSync(join(folder, life)).sort())).toEqual([files, files]);
  const second = new DatabaseSync(join(folder, "1", "tutti.sqlite"));
  second.exec("DELETE FROM instances");
  second.close();
  await trial.crash();
  await expect(trial.ask((engine) => engine.instance("order"))).rejects.toMatchObject({ code: "instance-not-found" });
  await trial.close();
  expect(readdirSync(place)).toEqual([]);
});

test("[T22] a worker that does something else the second time is found out", async () => {
  let calls = 0;
  const forgetful = { greet: () => ({ complete: { text: `call ${++calls}` } }) };
  const scenario = expectCrashProof({ programs: each, answers: { answers: forgetful } }, async (trial) => {
    await trial.start({ variables: { names: ["a"] } });
  });
  await expect(scenario).rejects.toThrow("another one");
  const failing = expectCrashProof({ programs: order, answers: { answers } }, async (trial) => {
    const instance = await trial.start();
    if (calls++ > 3) instance.expectEnd("completed");
  });
  await expect(failing).rejects.toThrow("in spite of the crash");
});
