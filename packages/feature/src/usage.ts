import type { AgentUsage } from "@tutti/agents";
import type { Usage } from "./model.ts";

const nothing: Usage = { inputTokens: 0, outputTokens: 0, costUsd: 0, agentMs: 0 };

/** The sum so far. A cost that is not known once is not known in the sum either: never a guess. */
export function addUsage(before: Partial<Usage> | null, used: AgentUsage | undefined, agentMs: number): Usage {
  const sum: Usage = { ...nothing, ...before };
  const cost = used?.costUsd ?? null;
  return {
    inputTokens: sum.inputTokens + (used?.inputTokens ?? 0),
    outputTokens: sum.outputTokens + (used?.outputTokens ?? 0),
    costUsd: sum.costUsd === null || cost === null ? null : sum.costUsd + cost,
    agentMs: sum.agentMs + Math.round(agentMs),
  };
}
