import { upsertSearchAttributes, workflowInfo } from "@temporalio/workflow";
import type { InstanceRecord } from "../../embedded/store.ts";
import { attributes, standingOf } from "../attributes.ts";

/** Whether the execution was begun with search attributes: its server has them then. */
export function hasAttributes(): boolean {
  return workflowInfo().typedSearchAttributes.get(attributes.status) !== undefined;
}

/** Temporal's lists are told what has changed of an instance; of its end they know. */
export function tellStanding(record: InstanceRecord): void {
  if (record.endedAt !== null || !hasAttributes()) return;
  const known = workflowInfo().typedSearchAttributes;
  const changed = standingOf(record).filter(({ key, value }) => known.get(key) !== value);
  if (changed.length > 0) upsertSearchAttributes(changed);
}
