import type { InstanceOutcome, Key, ParentLink } from "./command.ts";
import type { JsonObject } from "./json.ts";
import type { ElementId, QueueClass } from "./program.ts";
import type { Undoable, Undoing } from "./undoable.ts";

/**
 * What the world must do next; data, performed by an engine after the events behind it are durable. Each is at least
 * once: an engine repeats what it cannot prove done, so each is idempotent by the instance and `key` it names.
 * Every effect ends, at the latest, in the command named beside it.
 */
export type Effect =
  /** → `complete-job`, `fail-job` or `throw-job-error`. Not before `notBefore` (epoch ms). */
  | {
      readonly type: "offer-job";
      readonly key: Key;
      readonly element: ElementId;
      readonly jobType: string;
      readonly queue: QueueClass;
      readonly priority: number;
      readonly attempt: number;
      readonly attemptsMax: number;
      readonly timeoutMs?: number;
      readonly input: JsonObject;
      readonly headers: JsonObject;
      readonly notBefore?: number;
    }
  | { readonly type: "cancel-job"; readonly key: Key }
  /** → `fire-timer` at `due`. */
  | { readonly type: "arm-timer"; readonly key: Key; readonly due: number }
  | { readonly type: "cancel-timer"; readonly key: Key }
  /** → `deliver-message` or `deliver-signal`, as often as one comes, until it is closed. Asking twice opens one. */
  | {
      readonly type: "open-subscription";
      readonly key: Key;
      readonly element: ElementId;
      readonly kind: "message" | "signal";
      readonly name: string;
      readonly correlationKey: string | null;
    }
  | { readonly type: "close-subscription"; readonly key: Key }
  /**
   * Fire and forget: an engine makes these two durable with the events, since `pendingEffects` does not ask again. Each
   * is sent once however often it is performed: `messageId`, and the instance with `key`, name it.
   */
  | {
      readonly type: "publish-message";
      readonly key: Key;
      readonly messageId: string;
      readonly name: string;
      readonly correlationKey: string | null;
      /** How long it is kept for somebody who does not wait yet. 0: only for those who wait now. */
      readonly ttlMs: number;
      readonly payload: JsonObject;
    }
  /** To every other instance: who waits in this one has got it. */
  | { readonly type: "broadcast-signal"; readonly name: string; readonly payload: JsonObject }
  /** For inboxes only: the task itself waits in the state. → `complete-task`. */
  | { readonly type: "open-task"; readonly key: Key; readonly element: ElementId }
  | { readonly type: "close-task"; readonly key: Key }
  /** Tell people about a task. `key` is its own; nothing answers it. */
  | {
      readonly type: "notify";
      readonly key: Key;
      readonly task: Key;
      readonly to: readonly string[];
      readonly message: string;
    }
  /** → `end-child`. */
  | {
      readonly type: "start-child";
      readonly key: Key;
      readonly childId: string;
      readonly process: string;
      readonly binding: "deployment" | "latest" | { readonly version: string };
      readonly variables: JsonObject;
      readonly queue?: QueueClass;
      readonly priority?: number;
      /** It is to undo what another instance of `process` did, and is one of the very program that one had. */
      readonly undoes?: Undoing;
    }
  /** With `undo` it undoes all it did first: → `end-child`. */
  | { readonly type: "cancel-child"; readonly childId: string; readonly reason: string; readonly undo?: true }
  | { readonly type: "pause-child"; readonly childId: string; readonly stopRunning: boolean; readonly reason: string }
  | { readonly type: "resume-child"; readonly childId: string }
  /** No job of this instance starts until `release-jobs`; `stopRunning` also ends those that run. */
  | { readonly type: "hold-jobs"; readonly stopRunning: boolean }
  | { readonly type: "release-jobs" }
  /** Send `end-child` to the parent. */
  | {
      readonly type: "answer-parent";
      readonly parent: ParentLink;
      readonly outcome: InstanceOutcome;
      readonly undoable?: Undoable;
    }
  /** An escalation that nothing here caught: send `escalate-call` to the parent. Fire and forget, as a message is. */
  | {
      readonly type: "escalate-parent";
      readonly parent: ParentLink;
      /** Counts up within the instance. */
      readonly number: number;
      readonly code: string;
      readonly payload: JsonObject;
    }
  /** → `continue`, at once. */
  | { readonly type: "continue" };

export type EffectType = Effect["type"];
