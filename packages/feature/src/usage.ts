import type { AgentUsage } from "@tutti/agents";
import type { Usage } from "./model.ts";

export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, costUsd: 0, agentMs: 0 };

/** The sum so far. A cost that is not known once is not known in the sum either: never a guess. */
export function addUsage(before: Partial<Usage> | null, used: AgentUsage | undefined, agentMs: number): Usage {
  const sum: Usage = { ...noUsage, ...before };
  const cost = used?.costUsd ?? null;
  return {
    inputTokens: sum.inputTokens + (used?.inputTokens ?? 0),
    outputTokens: sum.outputTokens + (used?.outputTokens ?? 0),
    costUsd: sum.costUsd === null || cost === null ? null : sum.costUsd + cost,
    agentMs: sum.agentMs + Math.round(agentMs),
  };
}

/** All of them together; a cost is given only when every part of it is known. */
export function sumUsage(parts: readonly (Partial<Usage> | null | undefined)[]): Usage {
  return parts.reduce<Usage>((sum, part) => {
    if (part == null) return sum;
    const { agentMs = 0, ...used } = part;
    return addUsage(sum, { inputTokens: 0, outputTokens: 0, costUsd: 0, ...used }, agentMs);
  }, noUsage);
}

/** Adds to what each unit used. */
export function addByUnit(
  before: { readonly [unit: string]: Usage },
  more: { readonly [unit: string]: Usage },
): { readonly [unit: string]: Usage } {
  const added = Object.entries(more).map(([unit, usage]) => [unit, sumUsage([before[unit], usage])] as const);
  return { ...before, ...Object.fromEntries(added) };
}
