import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type AbstractStep, type OfferedTool, toolCallFor } from "./stub-tools.ts";

// A model that is a script: an OpenAI-compatible chat/completions server for driving real coding agents offline.
// The script stands in the prompt between STUB and STUB. The server keeps no state: which step comes next is the
// number of tool results after the message that carries the script, so restarts and parallel sessions do not matter.

export type StubStep =
  | AbstractStep
  | { readonly text: string }
  | { readonly delayMs: number }
  | { readonly fail: number }
  | { readonly hang: true };

export function stubPrompt(steps: readonly StubStep[]): string {
  return `Follow the script. STUB${JSON.stringify(steps)}STUB`;
}

/** One request as it came, and what it was answered with. */
export interface StubLogEntry {
  readonly tools: readonly string[];
  readonly step: number;
  readonly answer: string;
  /** Text of the tool results so far. */
  readonly results: readonly string[];
}

export interface StubModel {
  /** Base URL, without `/v1`. */
  readonly url: string;
  readonly log: readonly StubLogEntry[];
  close(): Promise<void>;
}

interface Message {
  readonly role: string;
  readonly content?: string | readonly { readonly type: string; readonly text?: string }[] | null;
}
interface ChatRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools?: readonly { readonly function: OfferedTool }[];
  readonly stream?: boolean;
}

type Answer = { readonly text: string } | { readonly name: string; readonly arguments: string };

const requestBytesMax = 16 * 1024 * 1024;

export async function startStubModel(): Promise<StubModel> {
  const log: StubLogEntry[] = [];
  const server = createServer((request, response) => {
    serve(request, response, log).catch((error: unknown) => {
      log.push({ tools: [], step: -1, answer: `error: ${error}`, results: [] });
      response.writeHead(500).end(JSON.stringify({ error: { message: String(error) } }));
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, log: StubLogEntry[]): Promise<void> {
  if (request.method === "GET" && request.url === "/v1/models") {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ object: "list", data: [{ id: "stub", object: "model" }] }));
    return;
  }
  if (request.url !== "/v1/chat/completions") {
    response.writeHead(404).end();
    return;
  }
  const chat = JSON.parse(await bodyOf(request)) as ChatRequest;
  const { step, index, results } = positionIn(chat.messages);
  const tools = chat.tools?.map((tool) => tool.function) ?? [];
  const entry = (answer: string) => ({ tools: tools.map((tool) => tool.name), step: index, answer, results });
  if (step !== undefined && "hang" in step) {
    log.push(entry("hang"));
    return;
  }
  if (step !== undefined && "fail" in step) {
    log.push(entry(`fail ${step.fail}`));
    response.writeHead(step.fail, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { message: "scripted failure" } }));
    return;
  }
  if (step !== undefined && "delayMs" in step) await sleep(step.delayMs);
  const answer = answerTo(step, tools);
  log.push(entry("text" in answer ? `text ${answer.text}` : `${answer.name} ${answer.arguments}`));
  send(response, chat, answer);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > requestBytesMax) throw new Error(`request longer than ${requestBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function positionIn(messages: readonly Message[]): {
  readonly step: StubStep | undefined;
  readonly index: number;
  readonly results: readonly string[];
} {
  const at = messages.findLastIndex((message) => message.role === "user" && /STUB\[.*\]STUB/s.test(textOf(message)));
  const script = /STUB(\[.*\])STUB/s.exec(textOf(messages[at]))?.[1];
  if (script === undefined) return { step: undefined, index: -1, results: [] };
  const results = messages.slice(at + 1).filter((message) => message.role === "tool");
  const steps = JSON.parse(script) as readonly StubStep[];
  return { step: steps[results.length], index: results.length, results: results.map(textOf) };
}

function textOf(message: Message | undefined): string {
  const content = message?.content ?? "";
  return typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");
}

function answerTo(step: StubStep | undefined, tools: readonly OfferedTool[]): Answer {
  if (step === undefined || "delayMs" in step) return { text: "Done." };
  if ("text" in step) return { text: step.text };
  if ("hang" in step || "fail" in step) return { text: "" };
  const call = toolCallFor(step, tools);
  return { name: call.name, arguments: JSON.stringify(call.arguments) };
}

function send(response: ServerResponse, chat: ChatRequest, answer: Answer): void {
  const finish = "text" in answer ? "stop" : "tool_calls";
  const call = "text" in answer ? undefined : { name: answer.name, arguments: answer.arguments };
  const id = "chatcmpl-stub";
  const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
  const base = { id, created: 0, model: chat.model };
  const tool = call === undefined ? {} : { tool_calls: [{ index: 0, id: callId(), type: "function", function: call }] };
  const message = { role: "assistant", content: "text" in answer ? answer.text : null, ...tool };
  if (chat.stream !== true) {
    response.writeHead(200, { "content-type": "application/json" });
    const choices = [{ index: 0, message, finish_reason: finish }];
    response.end(JSON.stringify({ ...base, object: "chat.completion", choices, usage }));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  const chunk = (delta: object, reason: string | null, more: object = {}) => {
    const choices = [{ index: 0, delta, finish_reason: reason }];
    response.write(`data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", choices, ...more })}\n\n`);
  };
  chunk(message, null);
  chunk({}, finish, { usage });
  response.end("data: [DONE]\n\n");
}

let calls = 0;
/** Agents keep tool results by the id of the call, so no two may be the same in one conversation. */
function callId(): string {
  calls += 1;
  return `call_${process.pid}_${calls}`;
}
