import type { Actor, FailureInfo, Key, TaskChanges } from "../command.ts";
import type { Json, JsonObject } from "../json.ts";
import type { ElementId } from "../program.ts";

/** What happens to user tasks, keyed by the element instance. */
export type TaskEvent =
  | {
      readonly type: "task-created";
      readonly key: Key;
      readonly element: ElementId;
      readonly title: string;
      readonly assignee?: string;
      readonly candidates: readonly string[];
      readonly dueAt?: number;
      readonly form?: JsonObject;
      readonly input: JsonObject;
      readonly priority?: number;
      readonly followUpAt?: number;
      /** What its SLA rules came to, in their order. */
      readonly sla?: readonly SlaPlan[];
      readonly at: number;
    }
  | { readonly type: "task-claimed"; readonly key: Key; readonly actor: Actor; readonly at: number }
  | { readonly type: "task-released"; readonly key: Key; readonly actor: Actor; readonly at: number }
  | { readonly type: "task-started"; readonly key: Key; readonly actor: Actor; readonly at: number }
  /** `owner` lends it to `to`. */
  | {
      readonly type: "task-delegated";
      readonly key: Key;
      readonly owner: Actor;
      readonly to: Actor;
      readonly actor: Actor;
      readonly reason?: string;
      readonly at: number;
    }
  | {
      readonly type: "task-resolved";
      readonly key: Key;
      readonly owner: Actor;
      readonly actor: Actor;
      readonly reason?: string;
      readonly at: number;
    }
  /** By a person, or by an SLA rule, which names candidates instead. */
  | {
      readonly type: "task-reassigned";
      readonly key: Key;
      readonly assignee: Actor | null;
      readonly candidates?: readonly string[];
      readonly actor: Actor;
      readonly reason: string;
      readonly at: number;
    }
  | {
      readonly type: "task-updated";
      readonly key: Key;
      /** A migration also plans its SLA anew. */
      readonly changes: TaskChanges & { readonly sla?: readonly SlaPlan[] };
      readonly actor: Actor;
      readonly reason?: string;
      readonly at: number;
    }
  | {
      readonly type: "task-escalated";
      readonly key: Key;
      readonly actor: Actor;
      readonly reason: string;
      /** Its candidates from now on; nobody has it. */
      readonly to?: readonly string[];
      readonly code?: string;
      readonly at: number;
    }
  /** An SLA rule tells somebody; `timer` is the timer that fired. */
  | {
      readonly type: "task-notified";
      readonly key: Key;
      readonly timer: Key;
      readonly to: readonly string[];
      readonly message: string;
      readonly at: number;
    }
  /** `late`: after its due instant. */
  | {
      readonly type: "task-completed";
      readonly key: Key;
      readonly actor: Actor;
      readonly rationale?: string;
      readonly late?: boolean;
      readonly at: number;
    }
  /** Whoever had it ended it with a BPMN error. A retry of an error that nothing caught creates it anew. */
  | {
      readonly type: "task-error-thrown";
      readonly key: Key;
      readonly error: FailureInfo;
      readonly actor: Actor;
      readonly rationale?: string;
      readonly at: number;
    }
  | { readonly type: "task-cancelled"; readonly key: Key; readonly at: number };

/** An SLA rule with its expressions worked out: the value of `after`, and what it tells whom it notifies. */
export interface SlaPlan {
  readonly value: Json;
  readonly message: string;
}
