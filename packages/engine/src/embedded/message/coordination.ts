import {
  type ChannelName,
  expiresAt,
  type JsonObject,
  type Key,
  type Message,
  type Rollout,
  type Schedule,
  type Waiting,
} from "@tutti/kernel";
import type { MessageReceiver, MessageRow, RefusalRow, SubscriptionRow } from "../../port.ts";
import type { InstanceNumber } from "../store.ts";

/** What the store keeps of what happens between instances: who waits, what is kept, who was started by what, and when. */

export interface OpenSubscription extends ChannelName {
  readonly instance: InstanceNumber;
  readonly key: Key;
  readonly kind: "message" | "signal";
  readonly process: string;
  readonly element: string;
  /** The row of the log that opened it. */
  readonly position: number;
  /** Epoch ms. */
  readonly since: number;
  /** It stays open when something arrives. */
  readonly repeats: boolean;
  /** It was given a message that has not arrived yet. */
  readonly taken: boolean;
}

/** What is remembered of a message; of a signal, only its id. `number` grows with publication. */
export interface StoredMessage extends Message {
  readonly number: number;
  readonly kind: "message" | "signal";
  /** Who has had it, one instance of each process. */
  readonly receivers: readonly MessageReceiver[];
}

/** Everything that one publication has to know of its channel. */
export interface ChannelRows extends ChannelName {
  readonly kind: "message" | "signal";
  /** Of each process the oldest `limit` that may get something, by (taken, instance, key). */
  readonly waiting: readonly OpenSubscription[];
  /** Processes with an open instance that this channel started. */
  readonly held: readonly string[];
  /** Those of the wanted ids and numbers that are remembered. */
  readonly remembered: readonly StoredMessage[];
}

/** Put together by all items of a turn that concern the channel. */
export interface ChannelWanted extends ChannelName {
  readonly kind: "message" | "signal";
  readonly ids: string[];
  /** Of messages that are wanted by number. */
  readonly numbers: number[];
  limit: number;
}

export interface QueueWanted extends ChannelName {
  readonly process: string;
  readonly now: number;
  /** Messages after this number. */
  readonly after: number;
  readonly limit: number;
  /** Without those that the process refused to begin with. */
  readonly toStart: boolean;
}

/** A process that begins with a message; what is kept for it may be of many channels. */
export interface BeginWanted {
  readonly process: string;
  readonly name: string;
  readonly now: number;
}

/** A start that was refused. The number of the message keeps it from being tried again by the same version. */
export interface Refusal extends RefusalRow {
  readonly message: number | null;
}

export interface SignalWanted {
  readonly name: string;
  readonly openAt: number;
  readonly after: { readonly instance: InstanceNumber; readonly key: Key };
  readonly limit: number;
}

/** Somebody who waits: a subscription, or without one the start of a process. */
export interface Unmatched extends ChannelName {
  readonly process: string;
  readonly waiting?: OpenSubscription;
}

export interface MessageCounts {
  readonly kept: number;
  /** Epoch ms from which none of them counts any more; 0 without one. */
  readonly until: number;
  /** Epoch ms at which the first is forgotten; null without one. */
  readonly nextForgotten: number | null;
}

export interface StoredRollout extends Rollout {
  /** The newest instance that began before it. */
  readonly after: InstanceNumber;
}

export interface StoredSchedule extends Schedule {
  readonly process: string;
  readonly element: string;
  /** Which of the triggers of a multiple event. */
  readonly trigger?: number;
  /** The program it belongs to. */
  readonly hash: string;
}

/** Given to an instance that is paused, or in quarantine: it arrives once that is over. */
export type Kept =
  | {
      readonly type: "deliver-message";
      readonly to: Pick<OpenSubscription, "key" | "process"> & { readonly instanceId: string };
      readonly message: Message;
      /** Of what is remembered of it, if anything is. */
      readonly number: number;
      readonly messageId: string;
    }
  | {
      readonly type: "deliver-signal";
      readonly to: Pick<OpenSubscription, "key"> & { readonly instanceId: string };
      readonly name: string;
      readonly payload: JsonObject;
    };

/** A signal on its way to those who waited for it at `openAt`; all up to `after` have got it. */
export interface Broadcast extends SignalWanted {
  readonly type: "broadcast";
  readonly payload: JsonObject;
}

export type CoordinationChange =
  | { readonly type: "subscription-put"; readonly subscription: OpenSubscription }
  | {
      readonly type: "subscription-taken";
      readonly instance: InstanceNumber;
      readonly key: Key;
      readonly taken: boolean;
    }
  | { readonly type: "subscription-delete"; readonly instance: InstanceNumber; readonly key: Key }
  | { readonly type: "message-put"; readonly message: StoredMessage }
  | { readonly type: "message-received"; readonly number: number; readonly receivers: readonly MessageReceiver[] }
  /** All whose time was over at `until`. */
  | { readonly type: "messages-forget"; readonly until: number }
  /** While its holder is open, a channel with a key starts no other instance of the process. */
  | {
      readonly type: "holder-put";
      readonly channel: string;
      readonly process: string;
      readonly instance: InstanceNumber;
    }
  | { readonly type: "holder-delete"; readonly channel: string; readonly process: string }
  | { readonly type: "refusal-put"; readonly refusal: Refusal }
  /** All but the newest so many. */
  | { readonly type: "refusals-forget"; readonly keep: number }
  /** What the process refused to begin with may be tried again: it is another version now. */
  | { readonly type: "refusals-retry"; readonly process: string }
  | { readonly type: "schedule-put"; readonly schedule: StoredSchedule }
  | {
      readonly type: "schedule-delete";
      readonly process: string;
      readonly element: string;
      readonly trigger: number;
    }
  | { readonly type: "rollout-put"; readonly rollout: StoredRollout }
  | { readonly type: "rollout-delete"; readonly process: string };

/** Messages and signals of one name have nothing to do with each other. */
export function kindAndChannel(kind: "message" | "signal", channel: ChannelName): string {
  return `${kind} ${channelId(channel)}`;
}

/** One text for a channel, the same for the same. */
export function channelId({ name, correlationKey }: ChannelName): string {
  return JSON.stringify([name, correlationKey]);
}

export function channelNamed(id: string): ChannelName {
  const [name, correlationKey] = JSON.parse(id) as [string, string | null];
  return { name, correlationKey };
}

/** What the kernel's rules ask about a subscription. */
export function waitingOf(subscription: OpenSubscription): Waiting {
  const { process, instance, key, repeats, taken } = subscription;
  return { process, age: instance, key, repeats, taken };
}

export function subscriptionRow(subscription: OpenSubscription): Omit<SubscriptionRow, "instanceId" | "rootId"> {
  const { key, element, kind, name, correlationKey, since } = subscription;
  return { key, element, kind, name, correlationKey, since };
}

export function messageRow(message: StoredMessage): MessageRow {
  const { name, correlationKey, id, payload, publishedAt, receivers } = message;
  return {
    ...{ name, correlationKey, id, variables: payload, publishedAt },
    ...{ keptUntil: expiresAt(message), instances: receivers },
  };
}
