export { type Bisection, type BisectOptions, bisect } from "./bisect.ts";
export { bundleCommit, type CommitBundle, fetchBundle } from "./bundle.ts";
export { type Capture, type CaptureOptions, captureWorkspace } from "./capture.ts";
export type { Finding, FindingKind } from "./capture-finding.ts";
export { type Claim, claimMatcher } from "./claim.ts";
export { type ConflictMatrix, type ConflictPair, createConflictMatrix } from "./conflict.ts";
export { workspaceErrors } from "./errors.ts";
export { type CommitIdentity, refName, requireGit } from "./git.ts";
export { benchConflictMatrix, benchDisjointMerge, benchWorkspace } from "./merge.bench.ts";
export {
  type BaseRequest,
  baseOf,
  type DisjointOutcome,
  type DisjointRequest,
  type MergeOutcome,
  type MergeRequest,
  type MergeSide,
  mergeCommits,
  mergeDisjoint,
} from "./merge.ts";
export { type Note, readNote, readNotes, writeNote } from "./note.ts";
export {
  type BlobReader,
  type Change,
  changesBetween,
  commitTree,
  filesAt,
  independentCommits,
  lineCounts,
  newestDate,
  openBlobReader,
  patchBetween,
  treeOf,
} from "./objects.ts";
export { mergeOrder, nextBatch, type OrderConflict, type OrderUnit } from "./order.ts";
export { type PublishOptions, publishBranch } from "./publish.ts";
export {
  fetchBase,
  listRefs,
  openNamesake,
  openRepository,
  type Repository,
  readRef,
  removeRefs,
  removeRun,
  repositories,
  runRef,
  runsWith,
  setRef,
  setRefs,
  sweepRepositories,
} from "./repository.ts";
export type { ConflictKind, FileConflict, FileSide } from "./resolve/file-conflict.ts";
export type {
  Ladder,
  ParkedConflict,
  RegenerateRequest,
  ResolveAnswer,
  ResolveRequest,
} from "./resolve/ladder.ts";
export { forgetResolution, type Resolution, resolveByPerson } from "./resolve/recorded.ts";
export { type InspectOptions, inspectSource, type SourceRepository } from "./source.ts";
export {
  adoptWorkspace,
  captureRef,
  createWorkspace,
  listWorkspaces,
  removeWorkspace,
  type Swept,
  sweepWorkspaces,
  type Workspace,
  type WorkspaceEntry,
  type WorkspaceKey,
  type WorkspaceStatus,
  workspaceStatus,
} from "./workspace.ts";
