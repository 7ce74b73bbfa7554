import { ApplicationFailure } from "@temporalio/common";
import { defineSignal, defineUpdate, proxyLocalActivities, setHandler } from "@temporalio/workflow";
import type { Correlated } from "../../port.ts";
import {
  askAgain,
  type Broadcast,
  type BrokerActivities,
  type BrokerInput,
  type BrokerTask,
  brokerNames,
  type MessageTask,
  type Said,
  type SignalTask,
} from "../message/contract.ts";
import { BrokerQueue } from "./broker-queue.ts";
import { MessageBroker } from "./message-broker.ts";
import { SignalBroker } from "./signal-broker.ts";

const publish = defineUpdate<readonly Correlated[], [readonly Said[]]>(brokerNames.publish);
const broadcast = defineUpdate<void, [Broadcast]>(brokerNames.broadcast);
const post = defineSignal<[BrokerTask]>(brokerNames.post);

/** An instance may be slow to answer. */
const answerTimeout = "30s";

/** Gives the tasks that are left for another execution; none: there is nothing to do any more. */
export async function runBroker(
  { broker, tasks = [] }: BrokerInput,
  historyEventsMax: number,
): Promise<readonly BrokerTask[]> {
  const local = proxyLocalActivities<BrokerActivities>({
    startToCloseTimeout: answerTimeout,
    retry: { initialInterval: "100ms", maximumInterval: "5s" },
  });
  const queue = new BrokerQueue<BrokerTask>({ historyEventsMax, take: (task) => take(task) });
  let take: (task: BrokerTask) => Promise<void>;
  if (broker.kind === "message") {
    const { name, correlationKey } = broker;
    const messages = new MessageBroker({ name, correlationKey }, local, queue);
    take = (task) => messages.take(task as MessageTask);
    setHandler(publish, (all) => publishAll(queue, messages, all));
  } else {
    const signals = new SignalBroker(broker.name, local, queue);
    take = (task) => signals.take(task as SignalTask);
    setHandler(broadcast, (signal) => queue.ask(() => signals.broadcast(signal)));
  }
  for (const task of tasks) queue.tell(task);
  setHandler(post, (task) => queue.tell(task));
  return queue.live();
}

/** What this execution does not come to has no answer: it is to be asked of the next one. */
async function publishAll(
  queue: BrokerQueue<BrokerTask>,
  messages: MessageBroker,
  all: readonly Said[],
): Promise<readonly Correlated[]> {
  const answers: Correlated[] = [];
  try {
    for (const said of all) answers.push(await queue.ask(() => messages.publish(said)));
  } catch (error) {
    if (answers.length === 0 || !(error instanceof ApplicationFailure) || error.type !== askAgain) throw error;
  }
  return answers;
}
