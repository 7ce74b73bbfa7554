export type {
  Agent,
  AgentContext,
  AgentFailure,
  AgentFailureCode,
  AgentFiledTask,
  AgentLimits,
  AgentOutcome,
  AgentProgress,
  AgentSuccess,
  AgentTask,
  AgentTaskKind,
  AgentUsage,
  ModelTier,
  ProcessGroup,
} from "./agent.ts";
export type { Cage, CagedCommand, CageOptions, Launch } from "./cage/cage.ts";
export { agentErrors } from "./errors.ts";
