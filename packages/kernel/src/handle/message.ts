import { triggerSubscription } from "../bpmn-event/trigger.ts";
import type { DeliverMessage, DeliverSignal, Rejection } from "../command.ts";
import type { SubscriptionRecord } from "../state/state.ts";
import { refusal, type Turn } from "../turn.ts";
import type { Handlers } from "./instance.ts";

/** The subscription that a message or signal is for, if it can take it now. */
function subscriptionFor(turn: Turn, command: DeliverMessage | DeliverSignal): SubscriptionRecord | Rejection {
  const kind = command.type === "deliver-message" ? "message" : "signal";
  const subscription = turn.state.subscriptions.get(command.key);
  if (subscription?.kind !== kind || subscription.name !== command.name) {
    const expected = `Expected subscription ${command.key} to wait for the ${kind} '${command.name}'`;
    const found =
      subscription === undefined ? "there is none" : `it waits for the ${subscription.kind} '${subscription.name}'`;
    return refusal("subscription-not-found", `${expected}, but ${found}`);
  }
  if (turn.state.head.status === "paused") {
    return refusal("instance-paused", "Expected a running instance, but it is paused; it takes what is kept on resume");
  }
  return subscription;
}

export const messageHandlers: Handlers<"deliver-message" | "deliver-signal"> = {
  "deliver-message": (turn, command) => {
    const subscription = subscriptionFor(turn, command);
    if ("code" in subscription) return subscription;
    const { messageId, payload, actor } = command;
    if (subscription.messageId === messageId) {
      return refusal("message-duplicate", `Expected a new message, but '${messageId}' was delivered already`);
    }
    triggerSubscription(turn, subscription, { messageId, payload, actor });
    return undefined;
  },
  "deliver-signal": (turn, command) => {
    const subscription = subscriptionFor(turn, command);
    if ("code" in subscription) return subscription;
    triggerSubscription(turn, subscription, { payload: command.payload, actor: command.actor });
    return undefined;
  },
};
