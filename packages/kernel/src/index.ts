export { itemsMax } from "./activity/item-definition.ts";
export type * from "./artifact.ts";
export { staysOpen } from "./bpmn-event/wait.ts";
export type * from "./command.ts";
export {
  addFigures,
  durationQuantileMs,
  type FiguresChange,
  noVersionFigures,
  type VersionFigures,
} from "./coordination/figures.ts";
export { Heap } from "./coordination/heap.ts";
export {
  defaultSlots,
  JobQueue,
  type JobQueueOptions,
  type KeyLimit,
  type QueueCounts,
  type QueuedJob,
  queueClasses,
  slotsMax,
} from "./coordination/job-queue.ts";
export {
  type Channel,
  type ChannelName,
  expiresAt,
  forgottenAt,
  type Message,
  messageIdKeptMs,
  oldestFor,
  type Recipient,
  type Remembered,
  recipientsOf,
  ttlMaxMs,
  type Waiting,
} from "./coordination/message.ts";
export {
  counted,
  noFigures,
  planProblem,
  type Rollout,
  type RolloutFigures,
  type RolloutGuard,
  type RolloutPlan,
  type RolloutSegment,
  type Routing,
  versionFor,
} from "./coordination/rollout.ts";
export { nextFiring, type Schedule } from "./coordination/schedule.ts";
export { type StartTrigger, startTriggers } from "./coordination/start.ts";
export { type Decision, decide, step } from "./decide.ts";
export type * from "./effect.ts";
export { effectsOf, pendingEffects } from "./effects.ts";
export { kernelErrors } from "./errors.ts";
export type * from "./event.ts";
export { evolve } from "./evolve.ts";
export { findCycle } from "./graph.ts";
export type * from "./host.ts";
export type * from "./job.ts";
export type * from "./json.ts";
export { isJsonObject } from "./json.ts";
export { type Limits, limits, loadProgram, type ProcessStart, type Program } from "./load.ts";
export type { ErrorCode, ErrorTable } from "./problem.ts";
export { AppError, assert, InvariantError, must, unreachable } from "./problem.ts";
export type * from "./program.ts";
export { lookup } from "./state/lookup.ts";
export { SmallMap } from "./state/small-map.ts";
export { restoreState, snapshotState } from "./state/snapshot.ts";
export { isEnded, newState, recordCount, type State } from "./state/state.ts";
export { textHash } from "./text-hash.ts";
export type * from "./undoable.ts";
export { instanceView } from "./view/instance-view.ts";
export type * from "./view/view.ts";
