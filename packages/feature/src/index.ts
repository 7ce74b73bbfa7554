export {
  openConflicts,
  readConflict,
  resolveConflict,
  type WaitingConflict,
} from "./conflicts.ts";
export { type DefinitionFile, featureDefinitions, loadFeaturePrograms } from "./definitions.ts";
export { type ChosenAgent, createFeatureDeps, type FeatureDeps, recoverFeature } from "./deps.ts";
export { jobErrors, type PlanErrorCode, planErrors } from "./errors.ts";
export { shareRun } from "./exchange.ts";
export { type FailureReport, failureReport, type UnitFailure } from "./failure-report.ts";
export { giveForkRefs, type RunFork, type RunHistory, settleFork, settleForks } from "./fork.ts";
export { runFolder } from "./handlers/publish.ts";
export { featureHandlers, roamingHandlers } from "./handlers/table.ts";
export type * from "./model.ts";
export { type RunOptionsInput, runOptions } from "./options.ts";
export { checkPlan, type Gates } from "./plan/gates.ts";
export type { PlanPlace, PlanProblem } from "./plan/problem.ts";
export { type PlanReading, readPlan } from "./plan/read.ts";
export type { PlanDraft, UnitDraft } from "./plan/schema.ts";
export { openProcessLedger, type ProcessLedger } from "./process-ledger.ts";
export {
  type RunFacts,
  type RunJob,
  type RunNeed,
  type RunResolution,
  type RunView,
  runView,
  type UnitStatus,
  type UnitView,
} from "./run-view.ts";
export { bringTranscripts } from "./transcript.ts";
