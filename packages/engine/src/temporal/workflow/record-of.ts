import type { InstanceRecord } from "../../embedded/store.ts";
import type { ProcessInput } from "../contract.ts";
import { noNumber } from "./changes.ts";

/** What is known of an instance before it has begun. */
export function recordOf({ create, hash, deployment, requestId, startedBy }: ProcessInput): InstanceRecord {
  return {
    number: noNumber,
    instanceId: create.instanceId,
    rootId: create.rootId,
    parentId: create.parent?.instanceId ?? null,
    process: "",
    version: "",
    hash,
    deployment,
    businessKey: create.businessKey ?? null,
    requestId,
    startedBy: startedBy ?? null,
    copied: 0,
    status: "running",
    held: false,
    incidents: 0,
    startedAt: 0,
    endedAt: null,
  };
}
