import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Json } from "@tutti/kernel";
import { z } from "zod";
import type { Agent, AgentContext, AgentOutcome, AgentTask } from "../agent.ts";
import { plainText } from "../process/text.ts";
import { type AgentSession, crashOf, failure, interruptionOf, withSession } from "../session.ts";
import type { AgentScript, ScriptAttempt } from "./script.ts";

/** The program beside this file: TypeScript in a checkout, JavaScript once built. */
const programFile = fileURLToPath(
  import.meta.url.endsWith(".ts")
    ? new URL("./scripted-agent.ts", import.meta.url)
    : new URL("./scripted-agent.js", import.meta.url),
);

/** Tells Node.js that the program is a module, without looking at it twice. */
const manifestFile = fileURLToPath(new URL("../../package.json", import.meta.url));

/**
 * An agent that plays recorded edits instead of asking a model, for demonstrations and tests. It says so: it is
 * called `scripted`, and every summary begins with that word.
 */
export function scriptedAgent(script: AgentScript): Agent {
  return {
    name: "scripted",
    run: async (task, context) => {
      const attempt = attemptOf(script, task);
      if (attempt === undefined) {
        const message = `The script ${script.source} says nothing about '${task.id}'.`;
        return failure("agent-failed", message, { retryable: false });
      }
      const program = { argv: [process.execPath, programFile], readable: [dirname(programFile), manifestFile] };
      return withSession({ task, context, program }, (session) => play(session, { attempt, context }));
    },
  };
}

function attemptOf(script: AgentScript, task: AgentTask): ScriptAttempt | undefined {
  const attempts = script.tasks.get(task.id) ?? script.tasks.get("*");
  return attempts?.[Math.min(task.attempt, attempts.length) - 1];
}

const report = z.discriminatedUnion("type", [
  z.object({ type: z.literal("heartbeat") }),
  z.object({ type: z.literal("message"), text: z.string() }),
  z.object({ type: z.literal("tool"), name: z.string(), path: z.string() }),
  z.object({ type: z.literal("outcome"), outcome: z.json() }),
]);

async function play(
  session: AgentSession,
  { attempt, context }: { attempt: ScriptAttempt; context: AgentContext },
): Promise<AgentOutcome> {
  let said: ScriptAttempt["outcome"] | undefined;
  const { transcript } = session;
  const running = session.start({
    onLine: (stream, line) => {
      transcript.write({ direction: "from-agent", data: { stream, line } });
      const parsed = stream === "stdout" ? report.safeParse(parse(line)) : undefined;
      if (parsed?.success !== true) return;
      if (parsed.data.type === "outcome") said = parsed.data.outcome as ScriptAttempt["outcome"];
      else showReport(parsed.data, context);
    },
  });
  transcript.write({ direction: "to-agent", data: attempt as unknown as Json });
  running.write(JSON.stringify(attempt));
  running.closeInput();
  const end = await running.ended;
  const broken = interruptionOf(end) ?? (end.exit === 0 ? undefined : crashOf(end));
  if (broken !== undefined) return broken;
  const { lastLines } = end;
  if (said === undefined) return failure("agent-protocol", "Its process ended without an outcome.", { lastLines });
  return outcomeOf(said, lastLines);
}

function showReport(data: Exclude<z.infer<typeof report>, { type: "outcome" }>, context: AgentContext): void {
  if (data.type === "message") context.progress({ type: "message", text: plainText(data.text) });
  else if (data.type === "tool") {
    context.progress({ type: "tool", name: data.name, status: "completed", text: plainText(data.path, 500) });
  } else context.progress({ type: "note", text: "heartbeat" });
}

function outcomeOf(outcome: ScriptAttempt["outcome"], lastLines: readonly string[]): AgentOutcome {
  if ("fail" in outcome) {
    return failure(outcome.fail.code, outcome.fail.message, { retryable: outcome.fail.retryable, lastLines });
  }
  const { claim, summary, result, usage } = outcome;
  return {
    ok: true,
    claim,
    summary: plainText(`scripted: ${summary ?? "played its recorded edits"}`),
    ...(result === undefined ? {} : { result: result as Json }),
    ...(usage === undefined ? {} : { usage: { ...usage, costUsd: usage.costUsd ?? null } }),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
