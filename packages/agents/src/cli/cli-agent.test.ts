import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { AgentOutcome } from "../agent.ts";
import { type Bench, bench } from "../testing/setup.ts";
import { cliAgent } from "./cli-agent.ts";

const benches: Bench[] = [];
afterEach(() => {
  for (const each of benches.splice(0)) each.remove();
});

/** Runs a program that is written here: `request` is what it was sent, what it prints is its answer. */
function answering(body: string): Promise<AgentOutcome> {
  const here = bench();
  benches.push(here);
  const code = `const request = JSON.parse(require("fs").readFileSync(0, "utf8")); ${body}`;
  return cliAgent({ name: "cli", command: [process.execPath, "-e", code] }).run(here.task(), here.context);
}

const print = (document: string): string => `console.log(JSON.stringify(${document}));`;

describe("CLI protocol 1.0", () => {
  test("[A40] the program is sent the task, the protocol's fields and a folder for artifacts", async () => {
    const outcome = await answering(
      `const fs = require("fs"); if (!fs.statSync(request.artifact_dir).isDirectory()) process.exit(1);
       ${print("{ success: true, output: request }")}`,
    );
    expect(outcome).toMatchObject({
      ok: true,
      result: { protocol_version: "1.0", role: "agent", task: "Do it.", kind: "implement", id: "unit-1", attempt: 1 },
    });
  });

  test("[A41] its answer is the last JSON document, however it is laid out", async () => {
    const pretty = `console.log("banner {"); console.log('{"success": false}');
      console.log(JSON.stringify({ success: true, summary: "the last", metadata: { a: { b: 1 } } }, null, 2))`;
    expect(await answering(pretty)).toMatchObject({ ok: true, summary: "the last" });
    expect(await answering(`${print("{ success: true, summary: 's' }")} console.log("bye")`)).toMatchObject({
      ok: true,
    });
  });

  test.each([
    [`console.log("no JSON")`, /no/],
    [print("{ summary: 's' }"), /success/],
    [print("{ success: 'yes' }"), /success/],
    [print("[1]"), /answer/],
    ["", /found none/],
  ])("[A41] an answer that does not follow the protocol is no success: %s", async (body, message) => {
    const outcome = await answering(body);
    expect(outcome).toMatchObject({ ok: false, code: "agent-protocol", message: expect.stringMatching(message) });
  });

  test("[A41] an answer before an exit with an error does not count", async () => {
    const outcome = await answering(`${print("{ success: true, summary: 's' }")} process.exitCode = 2`);
    expect(outcome).toMatchObject({ ok: false, code: "agent-failed", message: expect.stringContaining("status 2") });
  });

  test("[A42] artifacts lie in their folder, links followed", async () => {
    const making = (path: string) => `const fs = require("fs"); const dir = request.artifact_dir;
      fs.writeFileSync(dir + "/report.txt", "r"); fs.symlinkSync("/etc/passwd", dir + "/link");
      fs.symlinkSync("/", dir + "/root"); ${print(`{ success: true, summary: "s", artifacts: [${path}] }`)}`;
    for (const path of ['"report.txt"', 'dir + "/report.txt"', '{ "kind": "url" }']) {
      expect(await answering(making(path))).toMatchObject({ ok: true });
    }
    for (const path of ['"../../x"', '"/etc/passwd"', '"link"', '"root/etc/passwd"', '"missing"', '"."']) {
      expect(await answering(making(path))).toMatchObject({ ok: false, code: "agent-protocol" });
    }
  });

  test("[A43] claim, subtasks, usage and JSON in its text are taken over", async () => {
    const answer = `{ success: true, content: "Here:\\n\`\`\`json\\n{\\"units\\": []}\\n\`\`\`", summary: "s",
      subtasks: [{ title: "later", description: "d" }],
      metadata: { claim: "partial", usage: { input_tokens: 5, output_tokens: 2, cost_usd: 0.01 } } }`;
    expect(await answering(print(answer))).toEqual({
      ok: true,
      claim: "partial",
      summary: "s",
      result: { units: [] },
      tasks: [{ title: "later", description: "d" }],
      usage: { inputTokens: 5, outputTokens: 2, costUsd: 0.01 },
    });
  });

  test("[A17] what it says is stripped of control characters", async () => {
    const outcome = await answering(print('{ success: true, summary: "red \\u001b[31mtext\\u001b[0m\\u202e" }'));
    expect(outcome).toMatchObject({ summary: "red text" });
  });

  test("[A43] it may start anywhere, but not without a program", async () => {
    const here = bench();
    benches.push(here);
    const missing = cliAgent({ name: "cli", command: [join(here.folder, "missing")] });
    const outcome = await missing.run(here.task(), here.context);
    expect(outcome).toMatchObject({ ok: false, code: "agent-failed", retryable: false });
  });
});
