import { defineSearchAttributeKey, type SearchAttributePair } from "@temporalio/common";
import type { InstanceRecord } from "../embedded/store.ts";

/*
 * What Temporal's lists can be asked for. Both sides of the sandbox import this. Temporal keeps these in the clear, and has
 * room for ten of the kind: the process is the type of the workflow, so no more than these are needed.
 */

type KeywordKey = ReturnType<typeof defineSearchAttributeKey<"KEYWORD">>;

export const attributes: {
  readonly [name in "version" | "root" | "businessKey" | "status"]: KeywordKey;
} = {
  /** Of the process. */
  version: defineSearchAttributeKey("TuttiVersion", "KEYWORD"),
  /** The instance at the top, of which it is a part. */
  root: defineSearchAttributeKey("TuttiRoot", "KEYWORD"),
  businessKey: defineSearchAttributeKey("TuttiBusinessKey", "KEYWORD"),
  /** While it is open: `running`, `paused`, `failing`, or `incident` as long as something waits for a person to look. */
  status: defineSearchAttributeKey("TuttiStatus", "KEYWORD"),
};

/** What a database of Temporal has room for. */
const charsMax = 250;

/** Of an instance that begins. */
export function attributesOf(of: {
  readonly version: string;
  readonly rootId: string;
  readonly businessKey?: string;
}): SearchAttributePair[] {
  const { version, rootId, businessKey } = of;
  return [
    { key: attributes.root, value: rootId },
    ...standingOf({ version, status: "running", incidents: 0 }),
    ...(businessKey === undefined ? [] : [{ key: attributes.businessKey, value: businessKey.slice(0, charsMax) }]),
  ];
}

/** What may change of them. */
export function standingOf(
  of: Pick<InstanceRecord, "version" | "status" | "incidents">,
): { readonly key: KeywordKey; readonly value: string }[] {
  const { version, status, incidents } = of;
  return [
    { key: attributes.version, value: version.slice(0, charsMax) },
    { key: attributes.status, value: status === "running" && incidents > 0 ? "incident" : status },
  ];
}
