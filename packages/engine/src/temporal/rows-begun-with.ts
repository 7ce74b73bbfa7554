import { evolve, newState, type Rejection, type State } from "@tutti/kernel";
import type { Clock } from "../clock.ts";
import { projectOpen } from "../embedded/log/projection.ts";
import type { SharedLog } from "../embedded/shared-log.ts";
import type { Change, InstanceRecord, LogRow } from "../embedded/store.ts";
import type { ProjectedRow, Projection } from "./contract.ts";
import type { Courier } from "./courier.ts";
import type { Definitions } from "./definitions.ts";
import type { Projector } from "./projector.ts";
import type { Standings } from "./standings.ts";
import { noNumber, type Projecting, rowOf } from "./workflow/changes.ts";

/** What it takes to begin an instance with rows that happened elsewhere. */
export interface BeginningOptions {
  readonly log: SharedLog;
  readonly projector: Projector;
  readonly definitions: Definitions;
  readonly standings: Standings;
  readonly courier: Courier;
  readonly clock: Clock;
  /** Those who have something for whoever has come to wait are told. */
  readonly wake: (projection: Projection) => Promise<void>;
}

interface BegunWith {
  readonly rows: readonly Omit<LogRow, "position" | "instance">[];
  /** What writes the record as it is before its first own row. */
  readonly put: (record: InstanceRecord) => readonly Change[];
  readonly by: { readonly reason: string; readonly actor: string };
  readonly now: number;
}

/**
 * Rows that happened elsewhere, as they were, and the one that makes an instance of them: its state is that after
 * everything that is copied, of which the log may have the first rows already.
 */
export function rowsBegunWith(
  of: Projecting,
  { rows, put, by, now }: BegunWith,
): readonly ProjectedRow[] | { readonly rejection: Rejection } {
  const { startedBy, process, instanceId } = of.record;
  const open: Change[] = [];
  // It counts the incidents of the record.
  projectOpen(of, open);
  const before = [...put({ ...of.record }), ...open];
  if (startedBy !== null) before.push({ type: "holder-put", channel: startedBy, process, instance: noNumber });
  const begun = rowOf(of, { type: "fork-instance", instanceId, ...by }, now);
  if ("rejection" in begun) return begun;
  const copied = rows.map(({ sequence, at, events, cause = 0 }) => ({ sequence, at, events, cause, changes: [] }));
  const [first = begun, ...rest] = [...copied, begun];
  return [{ ...first, changes: [...before, ...first.changes] }, ...rest];
}

/** With the program that it is under then. */
export function stateAfter(rows: readonly Pick<LogRow, "events">[]): { readonly state: State; readonly hash: string } {
  const state = newState();
  let hash = "";
  for (const { events } of rows) {
    for (const event of events) {
      evolve(state, event);
      if (event.type === "instance-created" || event.type === "instance-migrated") hash = event.hash;
    }
  }
  return { state, hash };
}
