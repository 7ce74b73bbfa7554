import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { testProgram } from "../conformance/test-program.ts";
import { type Bench, bench, eventually } from "../testing/setup.ts";
import { acpAgent } from "./acp-agent.ts";
import { answerPermission } from "./permission.ts";
import { agentPreset, agentPresetNames, detectAgents } from "./presets.ts";

const benches: Bench[] = [];
afterEach(() => {
  for (const each of benches.splice(0)) each.remove();
});

function fresh(): Bench {
  const here = bench();
  benches.push(here);
  return here;
}

const tester = () => acpAgent({ name: "test", command: testProgram.command("acp") });

/** An agent that answers each request, in order, with the next of these lines; `ID` stands for the request's id. */
function answering(...answers: readonly string[]) {
  const code = `const answers = ${JSON.stringify(answers)};
    require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const { id } = JSON.parse(line);
      const answer = id === undefined ? undefined : answers.shift();
      if (answer !== undefined) console.log(answer.replaceAll("ID", JSON.stringify(id)));
    });`;
  return acpAgent({ name: "fake", command: [process.execPath, "-e", code] });
}
const hello = '{"jsonrpc":"2.0","id":ID,"result":{"protocolVersion":1,"agentCapabilities":{}}}';
const session = '{"jsonrpc":"2.0","id":ID,"result":{"sessionId":"s"}}';
const stop = (reason: string, more = ""): string =>
  `{"jsonrpc":"2.0","id":ID,"result":{"stopReason":"${reason}"${more}}}`;
const says = (text: string): string =>
  `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":${JSON.stringify(text)}}}}}`;

describe("acp", () => {
  test("[A44] an edit inside the workspace is allowed, one outside is denied", async () => {
    const here = fresh();
    const inside = await tester().run(here.task({ prompt: `ask ${join(here.workspace, "a.txt")}` }), here.context);
    expect(inside.ok).toBe(true);
    expect(here.progress).toContainEqual({ type: "message", text: 'answer: {"outcome":"selected","optionId":"yes"}' });
    await tester().run(here.task({ prompt: "ask /etc/passwd" }), here.context);
    expect(here.progress).toContainEqual({ type: "message", text: 'answer: {"outcome":"selected","optionId":"no"}' });
    expect(here.progress).toContainEqual({ type: "note", text: "denied: write /etc/passwd" });
  });

  test("[A45] cancel asks first, so that the agent can stop by itself", async () => {
    const here = fresh();
    const running = tester().run(here.task({ prompt: "polite" }), here.context);
    expect(await eventually(() => here.progress.some((event) => event.type === "message"))).toBe(true);
    here.cancel.abort("cancelled");
    expect(await running).toMatchObject({ ok: false, code: "agent-cancelled" });
    expect(JSON.stringify(here.transcript())).toContain("session/cancel");
    expect(JSON.stringify(here.transcript())).toContain('"stopReason":"cancelled"');
  });

  test("[A46] lines that are no messages, unknown updates and unknown notifications are passed by", async () => {
    const noise =
      '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"new_kind"}}}';
    const other = '{"jsonrpc":"2.0","method":"vendor/thing","params":{}}';
    const agent = answering(
      `Welcome!\n${hello}`,
      session,
      [noise, other, "{broken", says("Hi."), stop("end_turn")].join("\n"),
    );
    const here = fresh();
    expect(await agent.run(here.task(), here.context)).toMatchObject({ ok: true, summary: "Hi." });
    expect(here.progress).toContainEqual({ type: "note", text: "Welcome!" });
  });

  test.each([
    [["max_tokens", "Half of it."], { ok: true, claim: "partial" }],
    [["max_turn_requests", "Half."], { ok: true, claim: "partial" }],
    [["end_turn", "STATUS: PARTIAL"], { ok: true, claim: "partial" }],
    [["end_turn", 'File task: "tidy up" priority: low'], { tasks: [{ title: "tidy up", priority: "low" }] }],
    [["refusal", "I will not."], { ok: false, code: "agent-refused", message: "I will not." }],
    [["end_turn", " "], { ok: false, code: "agent-failed", retryable: true }],
    [["cancelled", ""], { ok: false, code: "agent-failed" }],
  ])("[A47] stop reason and words make the claim: %j", async ([reason = "", text = ""], expected) => {
    const here = fresh();
    const agent = answering(hello, session, `${says(text)}\n${stop(reason)}`);
    expect(await agent.run(here.task(), here.context)).toMatchObject(expected);
  });

  test("[A47] a planner's answer is the JSON in its conclusion; its usage is taken over", async () => {
    const here = fresh();
    const usage = ',"usage":{"inputTokens":10,"outputTokens":4,"totalTokens":14}';
    const agent = answering(hello, session, `${says('Plan:\n```json\n{"units":[]}\n```')}\n${stop("end_turn", usage)}`);
    const outcome = await agent.run(here.task({ kind: "plan" }), here.context);
    expect(outcome).toMatchObject({
      result: { units: [] },
      usage: { inputTokens: 10, outputTokens: 4, costUsd: null },
    });
  });

  test("[A48] errors keep their reason; one that asks for a login is not tried again", async () => {
    const error = (code: number, message: string) =>
      `{"jsonrpc":"2.0","id":ID,"error":{"code":${code},"message":"${message}"}}`;
    const here = fresh();
    const login = await answering(hello, error(-32_000, "Authentication required")).run(here.task(), here.context);
    expect(login).toMatchObject({ ok: false, code: "agent-failed", retryable: false });
    const broken = await answering(hello, session, error(-32_603, "quota")).run(here.task(), here.context);
    expect(broken).toMatchObject({ ok: false, retryable: true, message: expect.stringContaining("quota") });
    const old = await answering(hello.replace(":1,", ":9,")).run(here.task(), here.context);
    expect(old).toMatchObject({ ok: false, code: "agent-protocol", message: expect.stringContaining("version 1") });
  });

  test("[A49] files named as seed are in its home before it starts", async () => {
    const here = fresh();
    writeFileSync(join(here.folder, "config.json"), "seeded");
    const code = `process.stderr.write(require("fs").readFileSync(process.env.HOME + "/.agent/config.json", "utf8") + "\\n")`;
    const seed = [{ from: join(here.folder, "config.json"), to: ".agent/config.json" }];
    await acpAgent({ name: "seeded", command: [process.execPath, "-e", code], seed }).run(here.task(), here.context);
    expect(here.progress).toContainEqual({ type: "note", text: "seeded" });
  });
});

describe("permissions", () => {
  const options = [
    { optionId: "always", kind: "allow_always" },
    { optionId: "once", kind: "allow_once" },
    { optionId: "no", kind: "reject_once" },
  ];

  test("[A44] links, relative paths and missing files are judged by where they lead", async () => {
    const here = fresh();
    mkdirSync(join(here.workspace, "src"));
    symlinkSync("/etc", join(here.workspace, "out"));
    const policy = { workspace: here.workspace, scratch: here.folder, caged: false };
    mkdirSync(join(here.folder, "beside"));
    const ask = (kind: string, path?: string) => {
      const locations = path === undefined ? [] : [{ path }];
      return answerPermission({ toolCall: { kind, locations }, options }, { ...policy, scratch: here.workspace });
    };
    for (const path of ["src/new/deep.js", join(here.workspace, "a"), "./src"]) {
      expect(await ask("edit", path)).toEqual({ allowed: true, optionId: "once" });
    }
    for (const path of ["../beside/x", "out/passwd", "/etc/passwd", `${here.workspace}-other/x`]) {
      expect(await ask("edit", path)).toEqual({ allowed: false, optionId: "no" });
      expect(await ask("read", path)).toMatchObject({ allowed: false });
    }
    expect(await ask("edit")).toMatchObject({ allowed: false });
    expect(await ask("execute")).toMatchObject({ allowed: true });
    const caged = await answerPermission({ toolCall: { kind: "edit" }, options }, { ...policy, caged: true });
    expect(caged.allowed).toBe(true);
  });

  test("[A44] when no option says what must be said, none is chosen", async () => {
    const policy = { workspace: null, scratch: "/tmp", caged: false };
    const request = { toolCall: { kind: "edit" }, options: options.slice(0, 2) };
    expect(await answerPermission(request, policy)).toEqual({ allowed: false, optionId: undefined });
  });
});

describe("presets", () => {
  test("[A50] every known agent has a command; an unknown name is refused with the known ones", () => {
    expect(agentPresetNames).toEqual([
      "claude",
      "codex",
      "gemini",
      "opencode",
      "pi",
      "qwen",
      "kimi",
      "copilot",
      "kilo",
    ]);
    for (const name of agentPresetNames) expect(agentPreset(name).command.length).toBeGreaterThan(0);
    expect(() => agentPreset("nobody")).toThrow(/claude, codex/);
  });

  test("[A50] detection finds what is on the PATH and says what is missing", async () => {
    const here = fresh();
    writeFileSync(join(here.folder, "pi-acp"), "#!/bin/sh\n", { mode: 0o755 });
    const found = await detectAgents(here.folder);
    const pi = found.find(({ preset }) => preset.name === "pi");
    expect(pi).toMatchObject({ program: join(here.folder, "pi-acp"), missing: ["pi"] });
    expect(found.find(({ preset }) => preset.name === "claude")).toMatchObject({ program: null });
  });
});
