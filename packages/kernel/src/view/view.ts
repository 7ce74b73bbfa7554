import type { FailureInfo, InstanceOutcome, Key, ParentLink } from "../command.ts";
import type { IncidentKind } from "../event.ts";
import type { Json, JsonObject } from "../json.ts";
import type { ElementId, ElementKind, QueueClass } from "../program.ts";

export type InstanceStatus = "running" | "paused" | "failing" | "completed" | "failed" | "cancelled";
export type ItemStatus =
  | "waiting"
  | "ready"
  | "running"
  | "completed"
  | "failed"
  | "skipped"
  | "cancelled"
  | "withdrawn";

/** Everything about one instance that a person or a screen asks for; derived from program and state, plain JSON. */
export interface InstanceView {
  readonly instanceId: string;
  readonly rootId: string;
  readonly parent: ParentLink | null;
  readonly process: string;
  readonly version: string;
  readonly hash: string;
  readonly businessKey: string | null;
  readonly status: InstanceStatus;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly outcome: InstanceOutcome | null;
  /** Events so far. */
  readonly sequence: number;
  /** Process-level variables. */
  readonly variables: JsonObject;
  readonly variableVersions: { readonly [name: string]: VariableVersion };
  readonly elements: readonly ElementView[];
  readonly incidents: readonly IncidentView[];
  readonly collections: readonly CollectionView[];
  /** Messages and signals that something waits for. */
  readonly subscriptions: readonly SubscriptionView[];
  /** One entry per thing that waits; empty only when the instance has ended. */
  readonly waiting: readonly WaitingView[];
}

/** How often a process-level variable was written, and who wrote it last. */
export interface VariableVersion {
  /** As `expectedVersions` of `set-variables` names it. */
  readonly version: number;
  readonly author: string;
  readonly at: number;
}

export interface ElementView {
  readonly key: Key;
  readonly element: ElementId;
  readonly name: string;
  readonly kind: ElementKind;
  readonly scope: Key;
  readonly item: string | null;
  readonly state: "activating" | "active" | "completing";
  readonly since: number;
  /** The called instance, for call activities. */
  readonly childId: string | null;
}

export interface IncidentView {
  readonly key: Key;
  readonly owner: Key;
  readonly element: ElementId | null;
  readonly kind: IncidentKind;
  readonly error: FailureInfo;
  readonly at: number;
  /** What a person can do, and what a retry then does. */
  readonly advice: string;
}

export interface SubscriptionView {
  readonly key: Key;
  /** The event or task that goes on with it. */
  readonly element: ElementId;
  readonly kind: "message" | "signal";
  readonly name: string;
  readonly correlationKey: string | null;
}

export interface CollectionView {
  readonly body: Key;
  readonly element: ElementId;
  readonly maxParallel: number | null;
  readonly counts: { readonly [S in ItemStatus]: number } & { readonly total: number };
  readonly items: readonly ItemView[];
}

export interface ItemView {
  readonly key: string;
  readonly status: ItemStatus;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly dependsOn: readonly string[];
  readonly locks: readonly string[];
  readonly queue: QueueClass | null;
  readonly priority: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly instanceKey: Key | null;
  readonly error: FailureInfo | null;
  readonly value: Json;
  readonly result: Json;
}

/** Answers "why does it not go on?" for one waiting thing. `reason` is one sentence; `until` what would end the wait. */
export interface WaitingView {
  readonly key: Key | null;
  readonly element: ElementId | null;
  readonly item: string | null;
  readonly on:
    | "job"
    | "timer"
    | "message"
    | "signal"
    | "condition"
    | "task"
    | "child"
    | "incident"
    | "join"
    | "dependency"
    | "lock"
    | "slot"
    | "pause"
    | "compensation"
    | "choice";
  readonly reason: string;
  readonly until: string;
  /** Of an incident: what a person can do, and what a retry then does. */
  readonly advice?: string;
  /** Epoch ms, when known. */
  readonly dueAt: number | null;
}
