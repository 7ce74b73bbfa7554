import type { Actor, Key } from "../command.ts";
import type { JsonObject } from "../json.ts";
import type { ElementId } from "../program.ts";

/** What events wait for other than time, and what they throw other than errors. */
export type TriggerEvent =
  // subscriptions: what waits for a message, a signal or a condition
  | {
      readonly type: "subscription-opened";
      readonly key: Key;
      /** The element instance that closes it when it ends; 0 is the process. */
      readonly owner: Key;
      /** The event or task that is triggered. */
      readonly element: ElementId;
      readonly kind: "message" | "signal" | "condition";
      /** Of the message or signal; of a condition, its text. */
      readonly name: string;
      readonly correlationKey: string | null;
      /** Which of the triggers of a multiple event, from 0. */
      readonly trigger?: number;
      /** Of a condition that looks at changes of these variables only. */
      readonly variables?: readonly string[];
      readonly at: number;
    }
  /** `stays`: it is there for the next one, too. */
  | {
      readonly type: "subscription-triggered";
      readonly key: Key;
      readonly messageId?: string;
      readonly payload: JsonObject;
      readonly actor: Actor;
      readonly stays: boolean;
      readonly at: number;
    }
  | { readonly type: "subscription-closed"; readonly key: Key }
  /** One of several triggers that are all needed: what it brought is kept until the last one is there. */
  | {
      readonly type: "trigger-met";
      readonly key: Key;
      readonly owner: Key;
      readonly element: ElementId;
      readonly payload: JsonObject;
      readonly at: number;
    }
  /** A condition that held holds no longer: it can trigger again. */
  | { readonly type: "condition-lapsed"; readonly key: Key }
  // what is sent; fire and forget
  | {
      readonly type: "message-published";
      readonly key: Key;
      readonly element: ElementId;
      readonly name: string;
      readonly correlationKey: string | null;
      readonly ttlMs: number;
      readonly payload: JsonObject;
      readonly at: number;
    }
  | {
      readonly type: "signal-broadcast";
      readonly key: Key;
      readonly element: ElementId;
      readonly name: string;
      readonly payload: JsonObject;
      readonly at: number;
    }
  /** `caughtBy`: the event that caught it; null when none did: then it goes to the caller, or without one nowhere. */
  | {
      readonly type: "escalation-thrown";
      readonly key: Key;
      readonly element: ElementId;
      readonly code: string;
      readonly payload: JsonObject;
      readonly caughtBy: ElementId | null;
      readonly at: number;
      /** Of a called instance: which of its escalations it is. */
      readonly source?: number;
    };
