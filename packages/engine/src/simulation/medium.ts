import type { Store } from "../embedded/store.ts";
import type { Life } from "./life.ts";
import type { Random } from "./random.ts";

/** What can go wrong with a disk while the process lives. */
export type DiskFault = "full" | "short-write" | "sync-error" | "sync-error-lost";

/** What a log is kept on: survives lives, fails, and is left by a crash as a crash leaves it. */
export interface Medium {
  /** The place to die between a write and its sync. */
  readonly insideCommit: string;
  readonly faults: readonly DiskFault[];
  /** Opens the real store on whatever is there. */
  open(life: Life): Promise<Store>;
  /** The next write, or the one that syncs, goes wrong in this way. */
  fail(fault: DiskFault): void;
  /** The disk is whole again. */
  heal(): void;
  /** What the end of the process leaves behind; gives the kind of damage. */
  crash(random: Random): string;
  /** Throws when what is written was changed, or has a hole. */
  verify(): Promise<void>;
  dispose(): void;
}
