import { createHash, randomBytes } from "node:crypto";
import type { Payload, PayloadCodec } from "@temporalio/common";
import proto from "@temporalio/proto";
import { Worker } from "@temporalio/worker";
import { type MemoryArtifacts, memoryArtifacts } from "@tutti/kernel/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { claimCheck, encryption } from "../temporal/index.ts";
import { end, from, program, service, start } from "../testing/programs.ts";
import { bundleTestWorkflow, openTemporalHouse, type TemporalHouse } from "../testing/temporal-house.ts";
import { describeWithTemporal } from "../testing/temporal-server.ts";
import { begin, completed, ended } from "./harness.ts";

const megabyte = 1024 ** 2;
const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

/** Gives back a variable that a job has seen and replaced. */
const echo = program({
  id: "echo",
  variables: [{ name: "text", type: "string", initial: "" }],
  outputs: ["text"],
  elements: [
    start(),
    service("work", { inputs: [from("text", { variable: "text" })], outputs: [from("text", { variable: "text" })] }),
    end(),
  ],
  flows: ["start>work", "work>end"],
});

describeWithTemporal("payloads on Temporal", () => {
  let house: TemporalHouse;
  let artifacts: MemoryArtifacts;
  beforeAll(async () => {
    house = await openTemporalHouse("short-history-workflow.ts");
  }, 120_000);
  afterAll(() => house?.close());
  beforeEach(() => {
    artifacts = memoryArtifacts(sha256);
  });

  /** Runs `echo` with `text`; gives what came out, what the job saw, and the history. */
  async function run(text: string, payloadCodecs: readonly PayloadCodec[]) {
    const home = house.home();
    const engine = await home.open({ payloadCodecs });
    try {
      const seen: unknown[] = [];
      engine.work("work", async ({ input }) => {
        seen.push(input["text"]);
        return completed({ text: `${String(input["text"])}!` });
      });
      const id = await begin(engine, [echo], { text });
      const { outcome } = await ended(engine, id);
      return { outcome, seen, id, history: await home.workflow.getHandle(id).fetchHistory() };
    } finally {
      await engine.close({ graceMs: 0 });
      home.remove();
    }
  }

  test("[TE18, TE19] five megabytes go through start, job and result, Temporal keeps little of them, and the history is replayed", async () => {
    const text = randomBytes(2.5 * megabyte).toString("hex");
    const codecs = [claimCheck({ artifacts })];
    const { outcome, seen, id, history } = await run(text, codecs);
    // Said like this because a difference of that size is not to be shown.
    expect(seen.length === 1 && seen[0] === text).toBe(true);
    expect(outcome?.type === "completed" && outcome.result["text"] === `${text}!`).toBe(true);
    const { History } = proto.temporal.api.history.v1;
    expect(History.encode(history).finish().length).toBeLessThan(megabyte / 4);
    expect(artifacts.stored.size).toBeGreaterThan(0);

    const workflowBundle = await bundleTestWorkflow("short-history-workflow.ts");
    await Worker.runReplayHistory({ workflowBundle, dataConverter: { payloadCodecs: codecs } }, history, id);
    artifacts.stored.clear();
    const without = Worker.runReplayHistory({ workflowBundle, dataConverter: { payloadCodecs: codecs } }, history, id);
    await expect(without).rejects.toThrow();
  }, 120_000);

  test("[TE18, TE20] nothing of what is encrypted is in the history or the store in the clear", async () => {
    const secret = "a word that Temporal is not to know";
    const key = { secret: randomBytes(32), id: "first" };
    const text = `${secret} `.repeat(20_000);
    const seen: Payload[] = [];
    const last: PayloadCodec = {
      encode: async (payloads) => {
        seen.push(...payloads);
        return payloads;
      },
      decode: async (payloads) => payloads,
    };
    const { outcome, history } = await run(text, [encryption(key), claimCheck({ artifacts }), last]);
    expect(outcome?.type === "completed" && outcome.result["text"] === `${text}!`).toBe(true);
    const { History } = proto.temporal.api.history.v1;
    expect(Buffer.from(History.encode(history).finish()).includes(secret)).toBe(false);
    for (const each of artifacts.stored.values()) expect(Buffer.from(each).includes(secret)).toBe(false);
    expect(seen.length).toBeGreaterThan(3);
    for (const { data } of seen) expect(Buffer.from(data ?? []).includes(secret)).toBe(false);
    const plain = await run(secret, []);
    expect(Buffer.from(History.encode(plain.history).finish()).includes(secret)).toBe(true);
  }, 120_000);
});
