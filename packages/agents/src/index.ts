export { type AcpAgentOptions, acpAgent } from "./acp/acp-agent.ts";
export { type AgentPreset, agentPreset, agentPresetNames, type DetectedAgent, detectAgents } from "./acp/presets.ts";
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
export { type Bubblewrap, type BubblewrapSearch, bubblewrapCage, findBubblewrap } from "./cage/bubblewrap.ts";
export type { Cage, CagedCommand, CageOptions, Launch } from "./cage/cage.ts";
export { uncaged } from "./cage/none.ts";
export {
  type AgentDefinition,
  type AgentRisk,
  bundledCatalogue,
  loadCatalogue,
  parseAgentDefinition,
  renderPrompt,
} from "./catalogue/catalogue.ts";
export { type CliAgentOptions, cliAgent } from "./cli/cli-agent.ts";
export { agentErrors } from "./errors.ts";
export { type CommandRequest, type CommandResult, runCommand } from "./process/command.ts";
export { describeGroup, endProcessGroup, markerVariable } from "./process/group.ts";
export { type ProcessEnd, startProcess } from "./process/process.ts";
export { withoutControls } from "./process/text.ts";
export {
  type AgentScript,
  parseAgentScript,
  readAgentScript,
  type ScriptAttempt,
  type ScriptStep,
} from "./scripted/script.ts";
export { scriptedAgent } from "./scripted/scripted.ts";
export { type CageChoice, type SelectedAgent, selectAgent, selectCage } from "./select.ts";
export { type AgentSignals, jsonIn, signalsOf } from "./signals.ts";
