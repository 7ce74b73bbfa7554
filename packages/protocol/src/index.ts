export {
  type AdjustQueue,
  adjustQueueSchema,
  type CommandDone,
  commandDoneSchema,
  type RunCommand,
  runCommandSchema,
} from "./command.ts";
export { cursorText, type EventRecord, eventRecordSchema, parseCursor } from "./event.ts";
export { type Forked, type ForkInstance, forkedSchema, forkInstanceSchema } from "./fork.ts";
export { type Health, healthSchema } from "./health.ts";
export {
  type CommandTaken,
  commandTakenSchema,
  type InstanceCommand,
  instanceCommandSchema,
  type TaskCommand,
} from "./instance-command.ts";
export { jsonObjectSchema, jsonSchema } from "./json.ts";
export {
  type AdoptInstance,
  adoptInstanceSchema,
  type InstanceMoved,
  instanceMovedSchema,
  type MoveInstance,
  moveInstanceSchema,
  type ReleasedInstance,
  type ReleaseInstance,
  releasedInstanceSchema,
  releaseInstanceSchema,
} from "./move.ts";
export { type ProblemJson, problemMediaType, problemSchema, problemType } from "./problem.ts";
export {
  type BroadcastSignal,
  broadcastSignalSchema,
  type Deploy,
  deploySchema,
  type InstanceStarted,
  instanceStartedSchema,
  type MigrateInstance,
  migrateInstanceSchema,
  type PlanRollout,
  type PublishMessage,
  planRolloutSchema,
  publishMessageSchema,
  type StartInstance,
  startInstanceSchema,
} from "./process.ts";
export {
  type RunNeed,
  type RunResolution,
  type RunSummary,
  type RunViewMessage,
  runListSchema,
  runViewSchema,
  type UnitStatus,
  type UnitView,
} from "./run.ts";
export { type RunStarted, runIdPattern, runStartedSchema, type StartRun, startRunSchema } from "./start.ts";
export {
  type HeldJob,
  type HireWorker,
  heartbeatSchema,
  hireWorkerSchema,
  type JobDone,
  jobDoneSchema,
  type WorkerNews,
  workerNewsSchema,
} from "./worker.ts";
