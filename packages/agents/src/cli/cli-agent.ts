import { realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import type { Json, JsonObject } from "@tutti/kernel";
import { z } from "zod";
import type { Agent, AgentContext, AgentFiledTask, AgentOutcome, AgentTask, AgentUsage } from "../agent.ts";
import type { ProcessEnd } from "../process/process.ts";
import { plainText } from "../process/text.ts";
import { type AgentSession, crashOf, failure, interruptionOf, withSession } from "../session.ts";
import { jsonIn, lastJsonDocument } from "../signals.ts";

export interface CliAgentOptions {
  readonly name: string;
  /** Program and arguments, no shell. */
  readonly command: readonly string[];
  /** Further absolute paths it reads (its own files), besides where it is installed. */
  readonly readable?: readonly string[];
  readonly environment?: { readonly [name: string]: string };
}

/**
 * Any program as an agent, by CLI protocol 1.0: one JSON document on its standard input, one on its standard output
 * as the last thing it prints, progress on standard error, files for us in `artifact_dir`.
 */
export function cliAgent(options: CliAgentOptions): Agent {
  const program = {
    argv: options.command,
    readable: options.readable ?? [],
    environment: options.environment ?? {},
  };
  return {
    name: options.name,
    run: (task, context) => withSession({ task, context, program }, (session) => converse(session, task, context)),
  };
}

/** What the program reads. The names are the protocol's. */
export function cliRequest(task: AgentTask, artifacts: string): JsonObject {
  return {
    protocol_version: "1.0",
    role: "agent",
    task: task.prompt,
    kind: task.kind,
    id: task.id,
    attempt: task.attempt,
    tier: task.tier,
    input: task.input,
    workspace: task.workspace,
    branch: null,
    depth: 0,
    strategy: null,
    artifact_dir: artifacts,
  };
}

async function converse(session: AgentSession, task: AgentTask, context: AgentContext): Promise<AgentOutcome> {
  const output: string[] = [];
  const { transcript } = session;
  const running = session.start({
    onLine: (stream, line) => {
      transcript.write({ direction: "from-agent", data: { stream, line } });
      if (stream === "stdout") output.push(line);
      else if (line.trim() !== "") context.progress({ type: "note", text: plainText(line) });
    },
  });
  const request = cliRequest(task, session.artifacts);
  transcript.write({ direction: "to-agent", data: request });
  running.write(`${JSON.stringify(request)}\n`);
  running.closeInput();
  const end = await running.ended;
  const outcome = interruptionOf(end) ?? (end.exit === 0 ? undefined : crashOf(end));
  return outcome ?? (await readAnswer(output.join("\n"), { end, session, context }));
}

const usage = z.looseObject({
  input_tokens: z.number().nonnegative(),
  output_tokens: z.number().nonnegative(),
  cost_usd: z.number().nonnegative().nullish(),
});

const answer = z.looseObject({
  success: z.boolean(),
  output: z.json().optional(),
  content: z.json().optional(),
  summary: z.string().nullish(),
  error: z.string().nullish(),
  artifacts: z.array(z.json()).nullish(),
  subtasks: z.array(z.looseObject({ title: z.string(), description: z.string().nullish() })).nullish(),
  metadata: z
    .looseObject({
      claim: z.enum(["completed", "partial"]).optional(),
      retryable: z.boolean().optional(),
      refused: z.boolean().optional(),
      usage: usage.optional(),
    })
    .nullish(),
});
type Answer = z.infer<typeof answer>;

async function readAnswer(
  output: string,
  { end, session, context }: { end: ProcessEnd; session: AgentSession; context: AgentContext },
): Promise<AgentOutcome> {
  const { lastLines } = end;
  const document = lastJsonDocument(output);
  if (document === undefined) {
    return failure("agent-protocol", "Expected a JSON document on its standard output, but found none.", { lastLines });
  }
  const parsed = answer.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const message = `Its answer does not follow the protocol: ${issue?.path.join(".") || "answer"}: ${issue?.message}.`;
    return failure("agent-protocol", plainText(message, 500), { lastLines });
  }
  const escaped = await escapingArtifact(parsed.data.artifacts ?? [], session.artifacts);
  if (escaped !== undefined) {
    const message = `Expected its artifacts inside artifact_dir, but '${plainText(escaped, 200)}' is not.`;
    return failure("agent-protocol", message, { lastLines });
  }
  const used = usageOf(parsed.data);
  if (used !== undefined) context.progress({ type: "usage", ...used });
  return parsed.data.success ? successOf(parsed.data, used) : failureOf(parsed.data, lastLines);
}

function successOf(data: Answer, used: AgentUsage | undefined): AgentOutcome {
  const content = (data.output ?? data.content) as Json | undefined;
  const text = typeof content === "string" ? content : "";
  const result = typeof content === "string" ? jsonIn(content) : content;
  return {
    ok: true,
    claim: data.metadata?.claim ?? "completed",
    summary: plainText(data.summary ?? text),
    ...(result === undefined ? {} : { result }),
    ...(data.subtasks == null ? {} : { tasks: data.subtasks.map(taskOf) }),
    ...(used === undefined ? {} : { usage: used }),
  };
}

function failureOf(data: Answer, lastLines: readonly string[]): AgentOutcome {
  const code = data.metadata?.refused === true ? "agent-refused" : "agent-failed";
  const message = plainText(data.summary ?? data.error ?? "It reported no success and gave no reason.");
  return failure(code, message, { lastLines, retryable: data.metadata?.retryable ?? code === "agent-failed" });
}

function taskOf({ title, description }: { title: string; description?: string | null | undefined }): AgentFiledTask {
  return { title: plainText(title, 200), ...(description == null ? {} : { description: plainText(description) }) };
}

function usageOf(data: Answer): AgentUsage | undefined {
  const used = data.metadata?.usage;
  if (used === undefined) return undefined;
  return { inputTokens: used.input_tokens, outputTokens: used.output_tokens, costUsd: used.cost_usd ?? null };
}

/** The first artifact path that leads out of the folder, links followed; what does not exist counts as outside. */
async function escapingArtifact(artifacts: readonly unknown[], folder: string): Promise<string | undefined> {
  const root = await realpath(folder);
  for (const artifact of artifacts) {
    if (typeof artifact !== "string") continue;
    const real = await realpath(resolve(root, artifact)).catch(() => undefined);
    if (real === undefined || !real.startsWith(root + sep)) return artifact;
  }
  return undefined;
}
