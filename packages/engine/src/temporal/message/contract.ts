import type {
  ChannelName,
  DeliverMessage,
  DeliverSignal,
  JsonObject,
  Key,
  Message,
  Recipient,
  StartTrigger,
  Waiting,
} from "@tutti/kernel";
import type { StoredMessage } from "../../embedded/message/coordination.ts";
import type { MessageReceiver } from "../../port.ts";

/*
 * What brokers, instances and the log say to each other. A broker is an execution of its own for each channel of
 * messages and each name of a signal: what happens there happens in its order. Who waits and what is kept is in the log,
 * so one that has nothing to do ends, and the next publication begins another.
 */

export type BrokerName =
  | ({ readonly kind: "message" } & ChannelName)
  | { readonly kind: "signal"; readonly name: string };

/** What a broker's execution begins with. */
export interface BrokerInput {
  readonly broker: BrokerName;
  /** What the execution before had not come to. */
  readonly tasks?: readonly BrokerTask[];
}

/** What a broker is told without waiting for it. */
export type BrokerTask = MessageTask | SignalTask;

/** What is said on a channel. */
export type Said = Pick<Message, "id" | "ttlMs" | "payload">;

export type MessageTask =
  | { readonly type: "publish"; readonly said: Said }
  /** Somebody may have come to wait for what is kept. */
  | { readonly type: "match" }
  /** An instance that was given a message cannot take it any more. */
  | {
      readonly type: "give-back";
      readonly number: number;
      readonly messageId: string;
      readonly payload: JsonObject;
      readonly instanceId: string;
      readonly process: string;
    };

export type SignalTask =
  | { readonly type: "broadcast"; readonly signal: Broadcast }
  | { readonly type: "spread"; readonly spread: Spread };

export interface Broadcast {
  readonly id: string | null;
  readonly payload: JsonObject;
  /** Absent: it comes from outside. */
  readonly sender?: Sender;
}

/** The instance that sends a signal has got it in the same step. */
export interface Sender {
  readonly instanceId: string;
  /** The row of the log in which it was sent. */
  readonly position: number;
}

/** A signal on its way to those who waited at `openAt`; all up to `after` have got it. */
export interface Spread {
  readonly payload: JsonObject;
  readonly number: number;
  readonly openAt: number;
  readonly after: Place;
  readonly sender?: Sender;
}

interface Place {
  readonly instance: number;
  readonly key: Key;
}

/** Names are what people see in Temporal's own tools. */
export const brokerNames = {
  /** Update: messages of a caller, answered with what became of each. */
  publish: "publish",
  /** Update: a signal of a caller. */
  broadcast: "broadcast",
  /** Signal: a task. */
  post: "post",
  /** Update of an instance: a parcel, answered once it is taken, kept or refused. */
  deliver: "deliver",
} as const;

/** Why a broker did not do what it was asked: another execution of it will. */
export const askAgain = "ask-again";

/** Something for a subscription of an instance. Its id names it there: however often it comes, it counts once. */
export interface Parcel {
  readonly id: string;
  readonly command: Omit<DeliverMessage, "at"> | Omit<DeliverSignal, "at">;
  /** Of a message: by what its broker knows it, and who has had it with this one, if that is remembered. */
  readonly message?: ChannelName & { readonly number: number; readonly receivers?: readonly MessageReceiver[] };
}

/** `kept`: the instance is paused, and takes it when that is over. */
export type ParcelAnswer = "had" | "kept" | "refused";

/** What a channel is to the kernel's rules; of each process only the first few who wait. */
export interface ChannelView {
  /** Epoch ms. */
  readonly now: number;
  /** What is remembered of the message that was asked for. */
  readonly known: Pick<StoredMessage, "publishedAt" | "ttlMs" | "receivers"> | null;
  readonly waiting: readonly WaitingPlace[];
  readonly starts: readonly string[];
  readonly held: readonly string[];
  /** Who gets what is kept: of each process one, its oldest. */
  readonly due: readonly Due[];
}

export type WaitingPlace = Waiting & Place;

export interface Due {
  readonly recipient: Recipient<WaitingPlace>;
  readonly number: number;
  readonly id: string | null;
}

export interface ChannelAsked extends ChannelName {
  /** Wants to know what is remembered under it. */
  readonly id: string | null;
  /** Places that turned out to be unable to take anything. */
  readonly unable: readonly Place[];
  /** Messages up to these numbers do not begin these processes. */
  readonly passed: { readonly [process: string]: number };
}

/** A message as it is given away. */
export interface Given extends ChannelName {
  readonly number: number;
  readonly id: string | null;
  /** Absent: it is in the log, and who has had it gets there with what that changes. */
  readonly payload?: JsonObject;
}

export interface StartAsked extends Given {
  readonly cause: Extract<StartTrigger["kind"], "message" | "signal">;
  readonly process: string;
}

/** Null: a new instance gets a version that does not begin so. */
export type Started = { readonly instanceId: string } | { readonly refused: string } | null;

export interface SignalView {
  readonly now: number;
  /** Its id was there before. */
  readonly isKnown: boolean;
  /** The newest row of the log. */
  readonly position: number;
  readonly starts: readonly string[];
}

export type ReceiverName = Pick<MessageReceiver, "instanceId" | "process">;

/** Whom a process has had a message from its broker by. `unknown`: nothing is remembered of it. */
export type Receiver = "this-one" | "another" | "unknown";

/** Short activities of brokers: they read and write the log, and ask instances. */
export interface BrokerActivities {
  readChannel(asked: ChannelAsked): Promise<ChannelView>;
  /** Gives the receiver, or null where nobody takes it. */
  giveTo(given: Given, to: WaitingPlace): Promise<MessageReceiver | null>;
  start(asked: StartAsked): Promise<Started>;
  /** Gives the number that it is remembered under: the same one unless another message has that. */
  remember(message: StoredMessage): Promise<number>;
  findReceiver(number: number, receiver: ReceiverName): Promise<Receiver>;
  /** Its process has not had it then. */
  takeBack(number: number, receiver: ReceiverName): Promise<void>;
  readSignal(name: string, id: string | null): Promise<SignalView>;
  /** Gives it to the next of those who waited. Null: there are no more. */
  spread(name: string, spread: Spread): Promise<Place | null>;
}

/** Of the workflows of instances. */
export interface PostActivities {
  post(broker: BrokerName, task: BrokerTask): Promise<void>;
}

export function brokerTaskQueue(taskQueue: string): string {
  return `${taskQueue}-brokers`;
}
