// An agent for the conformance suite, as a program of its own: `test-agent.ts cli` speaks CLI protocol 1.0,
// `test-agent.ts acp` the Agent Client Protocol. It does what the prompt names (see `Behaviour` in the suite).

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import { agent, ndJsonStream, type StopReason } from "@agentclientprotocol/sdk";

process.stdout.on("error", () => process.exit(0));

function edit(): void {
  writeFileSync("done.txt", "done");
}

/** What goes wrong before any answer; resolves when nothing does. */
async function misbehave(behaviour: string): Promise<void> {
  if (behaviour === "crash") process.kill(process.pid, "SIGKILL");
  if (behaviour === "hang") await new Promise(() => setInterval(() => undefined, 60_000));
  if (behaviour === "exit-nonzero") process.exit(3);
  if (behaviour === "garbage") {
    process.stdout.write("this is not JSON {\n", () => process.exit(0));
    await new Promise(() => undefined);
  }
  if (behaviour === "flood") {
    const block = `${"x".repeat(65_536)}\n`;
    for (;;) if (!process.stdout.write(block)) await new Promise((drained) => process.stdout.once("drain", drained));
  }
  if (behaviour === "leave-child") {
    const late = "setInterval(() => require('fs').appendFileSync('left-behind.txt', 'late\\n'), 300)";
    spawn(process.execPath, ["-e", late], { detached: true, stdio: "ignore" }).unref();
  }
}

async function speakCli(): Promise<void> {
  const request = JSON.parse(readFileSync(0, "utf8"));
  const behaviour: string = request.input.behaviour ?? request.task;
  process.stderr.write("working\n");
  edit();
  await misbehave(behaviour);
  if (behaviour === "fail" || behaviour === "refuse") {
    answer({ success: false, error: "a planned failure", metadata: { refused: behaviour === "refuse" } });
  } else {
    process.stdout.write("a line before the answer\n");
    const usage = { input_tokens: 12, output_tokens: 3 };
    const rest = { artifacts: request.input.artifacts, subtasks: [{ title: "later" }], metadata: { usage } };
    answer({ success: true, summary: "wrote done.txt", output: "wrote done.txt", ...rest });
  }
}

function answer(document: object): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

async function speakAcp(): Promise<void> {
  const cancelled = Promise.withResolvers<StopReason>();
  const stream = ndJsonStream(
    Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
    Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
  );
  const app = agent({ name: "test-agent" })
    .onRequest("initialize", () => ({ protocolVersion: 1, agentCapabilities: {} }))
    .onRequest("session/new", () => ({ sessionId: "session-1" }))
    .onNotification("session/cancel", () => cancelled.resolve("cancelled"))
    .onRequest("session/prompt", async ({ params, client }) => {
      const first = params.prompt[0];
      const behaviour = first?.type === "text" ? first.text : "";
      const say = (text: string) =>
        client.notify("session/update", {
          sessionId: params.sessionId,
          update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } },
        });
      await say("working\n");
      edit();
      if (behaviour.startsWith("polite")) return { stopReason: await cancelled.promise };
      if (behaviour.startsWith("ask ")) await askFor(behaviour.slice(4));
      await misbehave(behaviour);
      if (behaviour === "fail") throw new Error("a planned failure");
      await say("wrote done.txt\nSTATUS: COMPLETE");
      return { stopReason: behaviour === "refuse" ? "refusal" : "end_turn" };

      async function askFor(path: string): Promise<void> {
        const { outcome } = await client.request("session/request_permission", {
          sessionId: params.sessionId,
          toolCall: { toolCallId: "call-1", title: `write ${path}`, kind: "edit", locations: [{ path }] },
          options: [
            { optionId: "yes", name: "Yes", kind: "allow_once" },
            { optionId: "no", name: "No", kind: "reject_once" },
          ],
        });
        await say(`answer: ${JSON.stringify(outcome)}\n`);
      }
    });
  await app.connect(stream).closed;
}

await (process.argv[2] === "acp" ? speakAcp() : speakCli());
