import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Agent, AgentLimits, AgentOutcome } from "../agent.ts";
import type { Cage } from "../cage/cage.ts";
import { type Bench, bench, eventually } from "../testing/setup.ts";

/**
 * What an agent under test can be told to do. Each first writes `done.txt` with the content `done` into its
 * workspace and says something; what follows is in the name.
 */
export type Behaviour =
  | "complete"
  | "fail"
  | "refuse"
  | "crash"
  | "hang"
  | "flood"
  | "garbage"
  | "exit-nonzero"
  | "leave-child";

export interface AgentSubject {
  readonly name: string;
  agent(behaviour: Behaviour): Agent;
}

/** The rules A1–A12 of SPEC.md, for one adapter in one cage. */
export function testAgent(subject: AgentSubject, cage: Cage): void {
  const benches: Bench[] = [];
  const start = (behaviour: Behaviour, limits: Partial<AgentLimits> = {}) => {
    const here = bench({ cage, limits });
    benches.push(here);
    const outcome = subject.agent(behaviour).run(here.task({ prompt: behaviour, input: { behaviour } }), here.context);
    return { here, outcome };
  };
  const failing = async (behaviour: Behaviour, limits: Partial<AgentLimits> = {}) => {
    const { here, outcome } = start(behaviour, limits);
    const end = await outcome;
    expect(here.left()).toEqual([]);
    if (end.ok) throw new Error(`expected a failure, but it succeeded: ${end.summary}`);
    return end;
  };

  afterEach(() => {
    for (const each of benches.splice(0)) each.remove();
  });

  describe(`${subject.name}, cage ${cage.kind}`, () => {
    test("[A1] completes: the edit is in the workspace, the claim and a summary in the outcome", async () => {
      const { here, outcome } = start("complete");
      const end = await outcome;
      expect(end).toMatchObject({ ok: true, claim: "completed" });
      expect((end as { summary: string }).summary).not.toBe("");
      expect(readFileSync(join(here.workspace, "done.txt"), "utf8")).toBe("done");
    });

    test("[A2] shows progress while it works, and names its process group before that", async () => {
      const { here, outcome } = start("complete");
      await outcome;
      expect(here.groups).toHaveLength(1);
      expect(here.groups[0]).toMatchObject({
        pid: expect.any(Number),
        marker: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      expect(here.progress.length).toBeGreaterThan(0);
    });

    test("[A3] writes down both directions in the transcript", async () => {
      const { here, outcome } = start("complete");
      await outcome;
      const directions = new Set(here.transcript().map((line) => line.direction));
      expect(directions).toContain("to-agent");
      expect(directions).toContain("from-agent");
    });

    test("[A4] reports the agent's own failure with its reason", async () => {
      const end = await failing("fail");
      expect(end).toMatchObject({ code: "agent-failed", retryable: true });
      expect(end.message).toContain("planned failure");
    });

    test("[A5] tells a refusal from a failure; it is not retried", async () => {
      expect(await failing("refuse")).toMatchObject({ code: "agent-refused", retryable: false });
    });

    test("[A6] survives a crash of the agent", async () => {
      expect(await failing("crash")).toMatchObject({ code: "agent-crashed", retryable: true });
    });

    test("[A7] ends an agent that is silent for too long", async () => {
      expect(await failing("hang", { silenceMs: 700 })).toMatchObject({ code: "agent-silent" });
    });

    test("[A7] ends an agent that takes too long", async () => {
      expect(await failing("hang", { wallMs: 700 })).toMatchObject({ code: "agent-timeout" });
    });

    test("[A8] ends an agent that floods its output", async () => {
      expect(await failing("flood", { outputBytesMax: 2_000_000 })).toMatchObject({ code: "agent-flooded" });
    });

    test("[A9] takes an answer that is no answer for what it is", async () => {
      const end = await failing("garbage", { silenceMs: 3_000 });
      expect(end.code).toBe("agent-protocol");
      expect(end.lastLines.join("\n")).toContain("this is not JSON");
    });

    test("[A9] does not believe a process that ends with an error", async () => {
      expect(["agent-failed", "agent-protocol"]).toContain((await failing("exit-nonzero")).code);
    });

    test("[A10] cancel ends it within five seconds and leaves no process", async () => {
      const { here, outcome } = start("hang");
      expect(await eventually(() => existsSync(join(here.workspace, "done.txt")), 15_000)).toBe(true);
      const before = Date.now();
      here.cancel.abort("cancelled");
      expect(await outcome).toMatchObject({ ok: false, code: "agent-cancelled" });
      expect(Date.now() - before).toBeLessThan(5_000);
      expect(here.left()).toEqual([]);
    });

    test("[A10] does not start when it is cancelled already", async () => {
      const here = bench({ cage });
      benches.push(here);
      here.cancel.abort("cancelled");
      const end: AgentOutcome = await subject.agent("complete").run(here.task({ prompt: "complete" }), here.context);
      expect(end).toMatchObject({ ok: false, code: "agent-cancelled" });
      expect(here.groups).toEqual([]);
    });

    test("[A11] ends the children it left behind, also those in a session of their own", async () => {
      const { here, outcome } = start("leave-child");
      expect(await outcome).toMatchObject({ ok: true });
      expect(here.left()).toEqual([]);
      const late = join(here.workspace, "left-behind.txt");
      const written = existsSync(late) ? readFileSync(late, "utf8").length : 0;
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(existsSync(late) ? readFileSync(late, "utf8").length : 0).toBe(written);
    });

    test("[A12] never rejects, not even when nothing can be started or written", async () => {
      const here = bench({ cage });
      benches.push(here);
      const unwritable = { ...here.context, scratch: "/dev/null/scratch" };
      const end = await subject.agent("complete").run(here.task({ prompt: "complete" }), unwritable);
      expect(end).toMatchObject({ ok: false, code: "agent-failed" });
      const lost = await subject
        .agent("complete")
        .run(here.task({ workspace: "/nonexistent/workspace" }), here.context);
      expect(lost.ok).toBe(false);
    });
  });
}
