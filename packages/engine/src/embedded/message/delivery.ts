import type { InstanceMessage, Message, OutboxEntry } from "../store.ts";
import { takeCall, wantCall } from "../turn/call.ts";
import type { Item } from "../turn/inbox.ts";
import type { InTurn, Scope, Wants } from "../turn/scope.ts";
import type { Draft } from "../turn/turn.ts";
import { takeKeptMessage, takeKeptSignal, wantKept } from "./parcels.ts";
import { isAnyThere, mustWait, prepareStarts, publish, wantPublication } from "./publish.ts";
import { broadcast, takeBroadcast, wantBroadcast } from "./signals.ts";

/** An entry of the outbox on its way. The turn in which it arrives deletes it. */
type Delivery = Extract<Item, { readonly type: "deliver" }>;

interface Of<M extends Message> extends OutboxEntry {
  readonly message: M;
}

/** `take` gives false when the entry has to be tried again in the next turn; then nothing was changed. */
interface DeliveryHandler<M extends Message> {
  readonly wants: (scope: Scope, wants: Wants, to: { readonly entry: Of<M>; readonly item: Delivery }) => void;
  readonly take: (turn: InTurn, entry: Of<M>, item: Delivery) => boolean;
}

type Handlers = { readonly [K in Message["type"]]: DeliveryHandler<Extract<Message, { readonly type: K }>> };

const call: DeliveryHandler<InstanceMessage> = {
  wants: (scope, wants, { entry }) => wantCall(scope, entry, wants),
  take: (turn, entry) => {
    takeCall(turn, entry);
    return true;
  },
};

const handlers: Handlers = {
  "start-child": call,
  "cancel-child": call,
  "pause-child": call,
  "resume-child": call,
  "answer-parent": call,
  "escalate-parent": call,
  continue: call,
  "publish-message": {
    wants: (scope, wants, { entry, item }) => {
      const { name, correlationKey, ttlMs, payload, messageId } = entry.message;
      item.publication ??= {
        said: { name, correlationKey, ttlMs, payload, id: messageId },
        starts: new Map(),
        window: 1,
      };
      wantPublication(scope, item.publication, wants);
    },
    take: (turn, { id }, { publication }) => {
      if (publication === undefined || mustWait(turn, publication)) return false;
      turn.draft.changes.push({ type: "outbox-delete", id });
      publish(turn, publication);
      return true;
    },
  },
  "broadcast-signal": {
    wants: (scope, wants, { entry, item }) => {
      const { name, payload } = entry.message;
      item.starts = prepareStarts(scope, { kind: "signal", name, routingKey: null, variables: payload }, wants);
    },
    take: (turn, { id, from, message }, { starts = new Map() }) => {
      if (isAnyThere(turn.scope, starts)) return false;
      turn.draft.changes.push({ type: "outbox-delete", id });
      broadcast(turn, from, { signal: message, starts });
      return true;
    },
  },
  broadcast: {
    wants: (scope, wants, { entry }) => wantBroadcast(scope, entry.message, wants),
    take: (turn, entry) => {
      takeBroadcast(turn, entry, entry.message);
      return true;
    },
  },
  "deliver-message": {
    wants: (scope, wants, { entry }) => wantKept(scope, entry.message, wants),
    take: (turn, entry) => takeKeptMessage(turn, entry),
  },
  "deliver-signal": {
    wants: (scope, wants, { entry }) => wantKept(scope, entry.message, wants),
    take: (turn, entry) => {
      takeKeptSignal(turn, entry);
      return true;
    },
  },
};

export function wantDelivery(scope: Scope, item: Delivery, wants: Wants): void {
  const { entry } = item;
  // Indexing by a union loses which handler belongs to which message; the type of `handlers` has proven the pairing.
  (handlers[entry.message.type] as DeliveryHandler<Message>).wants(scope, wants, { entry, item });
}

export function takeDelivery(scope: Scope, draft: Draft, item: Delivery): void {
  const { entry } = item;
  const handler = handlers[entry.message.type] as DeliveryHandler<Message>;
  if (!handler.take({ scope, draft }, entry, item)) draft.later.push(item);
}
