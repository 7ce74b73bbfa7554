import { cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ClientConnection,
  client,
  PROTOCOL_VERSION,
  type PromptRequest,
  type StopReason,
} from "@agentclientprotocol/sdk";
import type { Agent, AgentContext, AgentFailure, AgentOutcome, AgentTask, ModelTier } from "../agent.ts";
import { homeOf } from "../cage/environment.ts";
import type { ProcessEnd } from "../process/process.ts";
import { plainText } from "../process/text.ts";
import { type AgentSession, crashOf, failure, interruptionOf, withSession } from "../session.ts";
import { jsonIn, signalsOf } from "../signals.ts";
import { Conversation } from "./conversation.ts";
import { answerPermission, permissionRequest } from "./permission.ts";
import { Wire } from "./wire.ts";

export interface AcpAgentOptions {
  readonly name: string;
  /** Program and arguments that start it in ACP mode, no shell. */
  readonly command: readonly string[];
  readonly environment?: { readonly [name: string]: string };
  /** Further absolute paths it reads, besides where it is installed. */
  readonly readable?: readonly string[];
  /** Files or folders copied into its HOME before it starts: `from` is absolute, `to` relative to HOME. */
  readonly seed?: readonly { readonly from: string; readonly to: string }[];
  /** Session mode to ask for, when it offers modes. */
  readonly mode?: string;
  /** Model per tier, for agents that let the client choose one. */
  readonly models?: { readonly [T in ModelTier]?: string };
}

/** How long an agent may take to stop by itself once it was asked to. */
const politeMs = 1_000;
/** Some agents report their usage after the answer to the prompt. */
const lateUpdatesMs = 150;

/**
 * A coding agent that speaks the Agent Client Protocol (version 1) on its standard streams. It edits the workspace
 * with its own tools: we offer it no file system and no terminal, and answer its questions by policy.
 */
export function acpAgent(options: AcpAgentOptions): Agent {
  const program = {
    argv: options.command,
    readable: options.readable ?? [],
    environment: options.environment ?? {},
  };
  return {
    name: options.name,
    run: (task, context) =>
      withSession({ task, context, program }, async (session) => {
        await seedHome(options, context.scratch);
        return new AcpRun({ options, session, task, context }).run();
      }),
  };
}

async function seedHome({ seed }: AcpAgentOptions, scratch: string): Promise<void> {
  for (const { from, to } of seed ?? []) {
    const target = join(homeOf(scratch), to);
    await mkdir(dirname(target), { recursive: true });
    await cp(from, target, { recursive: true });
  }
}

interface RunParts {
  readonly options: AcpAgentOptions;
  readonly session: AgentSession;
  readonly task: AgentTask;
  readonly context: AgentContext;
}

class AcpRun {
  readonly #options: AcpAgentOptions;
  readonly #session: AgentSession;
  readonly #task: AgentTask;
  readonly #context: AgentContext;
  readonly #wire: Wire;
  readonly #conversation: Conversation;
  #sessionId: string | undefined;

  constructor({ options, session, task, context }: RunParts) {
    this.#options = options;
    this.#session = session;
    this.#task = task;
    this.#context = context;
    this.#wire = new Wire(session.transcript);
    this.#conversation = new Conversation(context);
    this.#wire.onUpdate = (params) => this.#conversation.take(params);
    this.#wire.onResult = (result) => this.#conversation.takeUsage(result["usage"]);
  }

  async run(): Promise<AgentOutcome> {
    const cancel = new AbortController();
    const running = this.#session.start({ onLine: (stream, line) => this.#line(stream, line) }, cancel.signal);
    this.#wire.attach(running);
    const connection = this.#connect();
    const stopped = running.ended.then((end) => {
      this.#wire.close();
      return end;
    });
    const onAbort = (): void => void this.#cancel(connection, cancel);
    this.#context.signal.addEventListener("abort", onAbort, { once: true });
    if (this.#context.signal.aborted) onAbort();
    const answered = this.#prompt(connection).catch((error: unknown) => this.#refusal(error));
    const first = await Promise.race([answered, stopped]);
    running.end();
    const end = await stopped;
    this.#context.signal.removeEventListener("abort", onAbort);
    connection.close();
    this.#conversation.end();
    if (this.#context.signal.aborted) return failure("agent-cancelled", "It was cancelled.");
    return typeof first === "string"
      ? this.#conclude(first, end)
      : "ok" in first
        ? this.#failed(first, end)
        : this.#died(end);
  }

  #line(stream: "stdout" | "stderr", line: string): void {
    if (stream === "stdout" && this.#wire.receive(line)) return;
    if (stream === "stderr") this.#session.transcript.write({ direction: "from-agent", data: { stream, line } });
    if (line.trim() !== "") this.#context.progress({ type: "note", text: plainText(line, 500) });
  }

  #connect(): ClientConnection {
    const policy = {
      workspace: this.#task.workspace,
      scratch: this.#context.scratch,
      caged: this.#context.cage.kind !== "none",
    };
    return client({ name: "tutti" })
      .onRequest("session/request_permission", permissionRequest, async ({ params }) => {
        const { allowed, optionId } = await answerPermission(params, policy);
        const title = params.toolCall.title ?? params.toolCall.kind ?? "a tool call";
        this.#context.progress({ type: "note", text: plainText(`${allowed ? "allowed" : "denied"}: ${title}`, 500) });
        return { outcome: optionId === undefined ? { outcome: "cancelled" } : { outcome: "selected", optionId } };
      })
      .onNotification("*", () => undefined)
      .connect(this.#wire.stream);
  }

  async #prompt({ agent }: ClientConnection): Promise<StopReason> {
    const hello = await agent.request("initialize", {
      protocolVersion: PROTOCOL_VERSION,
      // Agents that are offered our file system use it badly (creating files fails in some), so they get none.
      clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
      clientInfo: { name: "tutti", version: "1" },
    });
    if (hello.protocolVersion !== PROTOCOL_VERSION) {
      throw new Error(`Expected ACP version ${PROTOCOL_VERSION}, but it speaks ${hello.protocolVersion}`);
    }
    const session = await agent.request("session/new", { cwd: this.#session.cwd, mcpServers: [] });
    const { sessionId } = session;
    this.#sessionId = sessionId;
    const { mode, models } = this.#options;
    if (mode !== undefined && session.modes?.availableModes.some(({ id }) => id === mode)) {
      await agent.request("session/set_mode", { sessionId, modeId: mode });
    }
    const model = models?.[this.#task.tier];
    const choice = session.configOptions?.find((option) => option.category === "model" && option.type === "select");
    if (model !== undefined && choice !== undefined) {
      await agent.request("session/set_config_option", { sessionId, configId: choice.id, value: model });
    }
    const request: PromptRequest = { sessionId, prompt: [{ type: "text", text: this.#task.prompt }] };
    const { stopReason } = await agent.request("session/prompt", request);
    await sleep(lateUpdatesMs);
    return stopReason;
  }

  async #cancel({ agent }: ClientConnection, cancel: AbortController): Promise<void> {
    const sessionId = this.#sessionId;
    if (sessionId !== undefined) {
      // A connection that is broken already cannot be asked; the process is ended anyway.
      await agent.notify("session/cancel", { sessionId }).catch(() => undefined);
      await sleep(politeMs);
    }
    cancel.abort();
  }

  #conclude(stopReason: StopReason, end: ProcessEnd): AgentOutcome {
    const { lastLines } = end;
    const usage = this.#conversation.usage;
    const rest = usage === undefined ? {} : { usage };
    const text = this.#conversation.text;
    if (stopReason === "refusal") {
      const message = plainText(this.#conversation.conclusion) || "It refused the task.";
      return failure("agent-refused", message, { retryable: false, lastLines, ...rest });
    }
    if (stopReason === "cancelled") {
      return failure("agent-failed", "It stopped although nobody had asked it to.", { lastLines, ...rest });
    }
    if (this.#conversation.empty) {
      // Seen in real agents: the model refuses every request, and the turn ends as if all were well.
      const message = "It ended its turn without saying or doing anything; its model may not have answered.";
      return failure("agent-failed", message, { lastLines, ...rest });
    }
    const signals = signalsOf(text);
    // `end_turn` only means that it stopped talking; being cut off, or saying so, makes the claim smaller.
    const partial = stopReason !== "end_turn" || signals.complete === false;
    const answers = this.#task.kind !== "implement";
    const result = answers ? (jsonIn(this.#conversation.conclusion) ?? jsonIn(text)) : undefined;
    return {
      ok: true,
      claim: partial ? "partial" : "completed",
      summary: plainText(this.#conversation.conclusion) || "It ended without a word.",
      ...(result === undefined ? {} : { result }),
      ...(signals.filed.length === 0 ? {} : { tasks: signals.filed }),
      ...rest,
    };
  }

  #refusal(error: unknown): AgentFailure {
    const { message, code } = describe(error);
    // The protocol's code for "log in first": trying again changes nothing.
    if (code === -32_000) return failure("agent-failed", `It asks for a login: ${message}`, { retryable: false });
    if (code === undefined) return failure("agent-protocol", message);
    return failure("agent-failed", `It answered with an error: ${message}`);
  }

  /** The protocol broke or said no. When the process went first, or was ended, that is the real reason. */
  #failed(first: AgentFailure, end: ProcessEnd): AgentFailure {
    if (end.cause !== "ended") return this.#died(end);
    return { ...first, lastLines: end.lastLines };
  }

  #died(end: ProcessEnd): AgentFailure {
    const interrupted = interruptionOf(end);
    if (interrupted !== undefined) return interrupted;
    if (end.exit !== 0) return crashOf(end);
    const message = "Its process ended before it had answered.";
    return failure("agent-protocol", message, { lastLines: end.lastLines });
  }
}

function describe(error: unknown): { readonly message: string; readonly code: number | undefined } {
  const { message, code, data } = error as { message?: unknown; code?: unknown; data?: unknown };
  const details = data === undefined ? "" : ` (${JSON.stringify(data)})`;
  return {
    message: plainText(`${typeof message === "string" ? message : String(error)}${details}`, 1_000),
    code: typeof code === "number" ? code : undefined,
  };
}
