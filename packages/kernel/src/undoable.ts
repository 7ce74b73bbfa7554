import type { Key } from "./command.ts";
import type { Json } from "./json.ts";
import type { ElementId } from "./program.ts";

/** What completed in a called instance and can be undone. A value is there once, and named by its place. */
export interface CompletedWork {
  readonly values: readonly Json[];
  /** Of the process as it completed, by name. */
  readonly variables: PackedVariables;
  /** A scope's oldest first, and behind each what completed in it; 0 is the process. */
  readonly records: readonly PackedRecord[];
  /** The instance failed: what completed in it is undone, but it is not undone as a whole. */
  readonly failed?: true;
}

export interface PackedVariables {
  readonly [name: string]: number;
}

export interface PackedRecord {
  readonly key: Key;
  readonly scope: Key;
  readonly element: ElementId;
  readonly handler: ElementId | null;
  readonly variables: PackedVariables;
  readonly keepsContent?: true;
  readonly called?: Undoable;
}

/** An instance that completed or failed, and what there is to undo of it. */
export interface Undoing {
  readonly instanceId: string;
  readonly process: string;
  /** The program that it ended under. */
  readonly hash: string;
  readonly work: CompletedWork;
}

/** What a called instance leaves to whoever called it; `work` is null where it is too large to be handed on. */
export type Undoable = Undoing | (Omit<Undoing, "work"> & { readonly work: null });

/** Whether a called instance failed and left nothing to undo. */
export function isNothing({ work }: Undoable): boolean {
  return work?.failed === true && work.records.length === 0;
}
