import type { AgentOutcome, AgentProgress, AgentTask } from "@tutti/agents";
import type { ChosenAgent, FeatureDeps } from "./deps.ts";
import type { Running } from "./job.ts";
import type { RunContext } from "./model.ts";
import { oneLine } from "./text.ts";

export interface AgentRun {
  readonly context: RunContext;
  readonly chosen: ChosenAgent;
  readonly task: AgentTask;
  /** Absolute folder for this run of the agent alone. */
  readonly scratch: string;
  /** Absolute path. */
  readonly transcript: string;
}

const outputBytesMax = 16 * 1024 * 1024;

/**
 * Runs one agent caged, with its processes written down and its progress shown as the job's. A failed agent is an
 * outcome; only an abort of the job throws, so that nobody takes its half-done work for a result.
 */
export async function runAgent(
  deps: FeatureDeps,
  at: Running,
  run: AgentRun,
): Promise<{ readonly outcome: AgentOutcome; readonly agentMs: number }> {
  const { context, chosen, task, scratch, transcript } = run;
  const { agentTimeoutMs: wallMs, agentSilenceMs: silenceMs } = context.options;
  const watch = deps.processes.watch(`${at.job.id} agent ${chosen.agent.name} ${task.id}`);
  const startedAt = deps.now();
  at.note(`${chosen.agent.name} starts on ${task.id}, attempt ${task.attempt}`);
  try {
    const outcome = await chosen.agent.run(task, {
      signal: at.signal,
      progress: (event) => {
        const text = noteOf(event);
        if (text !== undefined) at.note(text);
      },
      scratch,
      transcript,
      limits: { wallMs, silenceMs, outputBytesMax },
      cage: chosen.cage,
      onSpawn: (group) => watch.onSpawn(group),
    });
    at.signal.throwIfAborted();
    return { outcome, agentMs: deps.now() - startedAt };
  } finally {
    watch.close();
  }
}

function noteOf(event: AgentProgress): string | undefined {
  switch (event.type) {
    case "usage":
      return `${event.inputTokens} tokens in, ${event.outputTokens} out`;
    case "tool":
      return oneLine(`${event.name} ${event.text}`);
    case "message":
      return oneLine(event.text);
    default:
      return event.text === "heartbeat" ? "at work" : oneLine(event.text);
  }
}
