import { workflowInfo } from "@temporalio/workflow";
import { type ChannelName, expiresAt, forgottenAt, type Message, recipientsOf } from "@tutti/kernel";
import type { Correlated, MessageReceiver } from "../../port.ts";
import type {
  BrokerActivities,
  ChannelView,
  Due,
  Given,
  MessageTask,
  Said,
  WaitingPlace,
} from "../message/contract.ts";
import { type BrokerQueue, HistoryFull } from "./broker-queue.ts";
import { Numbers } from "./numbers.ts";
import { recorded } from "./recorded.ts";

type GiveBack = Extract<MessageTask, { readonly type: "give-back" }>;

/** Who got a message, and which processes refused to begin with it. */
interface Outcome {
  readonly receivers: readonly MessageReceiver[];
  readonly refused: Correlated["refused"];
}

/** Parcels that are known to have come back. */
const returnedMax = 10_000;

/**
 * The messages of one channel. It keeps nothing: it reads who waits and what is kept from the log, lets the kernel's
 * rules choose, and gives what they chose until it has an answer. A choice is recorded before anything is given, so each
 * message goes on from where it was, whichever worker was lost.
 */
export class MessageBroker {
  readonly #channel: ChannelName;
  readonly #local: BrokerActivities;
  readonly #queue: Pick<BrokerQueue<MessageTask>, "isHistoryFull" | "tell">;
  readonly #numbers: Numbers = new Numbers(workflowInfo().workflowId);
  #looksAgain = false;
  /** Of messages that nobody remembers: what is said twice counts once. */
  readonly #returned: Set<string> = new Set();

  constructor(
    channel: ChannelName,
    local: BrokerActivities,
    queue: Pick<BrokerQueue<MessageTask>, "isHistoryFull" | "tell">,
  ) {
    this.#channel = channel;
    this.#local = local;
    this.#queue = queue;
  }

  async take(task: MessageTask): Promise<void> {
    switch (task.type) {
      case "publish":
        await this.publish(task.said);
        return;
      case "match":
        this.#looksAgain = false;
        await this.#settle(null);
        return;
      case "give-back":
        return this.#takeBack(task);
    }
  }

  async publish(said: Said): Promise<Correlated> {
    // What came before is had before.
    const view = await this.#settle(said.id);
    const { known, now } = view;
    if (known !== null) {
      return { duplicate: true, keptUntil: keptUntil(known, now), instances: known.receivers, refused: [] };
    }
    const number = this.#numbers.next();
    await recorded();
    const message = { ...this.#channel, ...said, publishedAt: now };
    const { receivers, refused } = await this.#giveToAll(view, await this.#rememberAs(number, message));
    // Who has come to wait since it was read does not know of it, and is not known here: a second look finds them.
    if (said.ttlMs > 0) this.#lookAgain();
    return { duplicate: false, keptUntil: keptUntil(message, now), instances: receivers, refused };
  }

  async #rememberAs(number: number, message: Message): Promise<Given> {
    const given = { ...this.#channel, number, id: message.id };
    if (forgottenAt(message) <= message.publishedAt) return { ...given, payload: message.payload };
    return { ...given, number: await this.#local.remember({ ...message, number, kind: "message", receivers: [] }) };
  }

  /** Gives what is kept to all who may have it, the oldest first. Throws HistoryFull. */
  async #settle(id: string | null): Promise<ChannelView> {
    const unable: WaitingPlace[] = [];
    const passed: { [process: string]: number } = {};
    for (;;) {
      if (this.#queue.isHistoryFull) throw new HistoryFull();
      const view = await this.#local.readChannel({ ...this.#channel, id, unable, passed });
      if (view.due.length === 0) return view;
      await recorded();
      for (const due of view.due) {
        if (await this.#giveDue(due)) continue;
        if (due.recipient.type === "waiting") unable.push(due.recipient.waiting);
        else passed[due.recipient.process] = due.number;
      }
    }
  }

  async #giveDue({ recipient, number, id }: Due): Promise<boolean> {
    const given = { ...this.#channel, number, id };
    if (recipient.type === "waiting") return (await this.#local.giveTo(given, recipient.waiting)) !== null;
    const started = await this.#local.start({ ...given, cause: "message", process: recipient.process });
    return started !== null && "instanceId" in started;
  }

  async #giveToAll(view: ChannelView, given: Given): Promise<Outcome> {
    const had = new Set<string>();
    const unable = new Set<WaitingPlace>();
    const receivers: MessageReceiver[] = [];
    const refused: { process: string; reason: string }[] = [];
    for (;;) {
      const waiting = view.waiting.filter((place) => !unable.has(place));
      const channel = { waiting, starts: view.starts, held: new Set(view.held) };
      const [next] = recipientsOf(channel, given, had);
      if (next === undefined) return { receivers, refused };
      const { process } = next;
      if (next.type === "start") {
        had.add(process);
        const started = await this.#local.start({ ...given, cause: "message", process });
        if (started === null) continue;
        if ("refused" in started) refused.push({ process, reason: started.refused });
        else receivers.push({ process, instanceId: started.instanceId, started: true });
        continue;
      }
      const receiver = await this.#local.giveTo(given, next.waiting);
      if (receiver === null) unable.add(next.waiting);
      else {
        had.add(process);
        receivers.push(receiver);
      }
    }
  }

  /** The next of the same process gets it; without one it waits for one as long as it counts. */
  async #takeBack({ number, messageId, payload, instanceId, process }: GiveBack): Promise<void> {
    const receiver = { instanceId, process };
    const found = await this.#local.findReceiver(number, receiver);
    if (found === "another" || (found === "unknown" && this.#isReturned(`${number} ${instanceId}`))) return;
    const view = await this.#local.readChannel({ ...this.#channel, id: null, unable: [], passed: {} });
    await recorded();
    const isRemembered = found === "this-one";
    if (isRemembered) await this.#local.takeBack(number, receiver);
    const waiting = view.waiting.filter((place) => place.process === process);
    const given = { ...this.#channel, number, id: messageId, ...(isRemembered ? {} : { payload }) };
    await this.#giveToAll({ ...view, waiting, starts: [] }, given);
    this.#lookAgain();
  }

  #isReturned(parcel: string): boolean {
    if (this.#returned.has(parcel)) return true;
    if (this.#returned.size >= returnedMax) this.#returned.clear();
    this.#returned.add(parcel);
    return false;
  }

  #lookAgain(): void {
    if (this.#looksAgain) return;
    this.#looksAgain = true;
    this.#queue.tell({ type: "match" });
  }
}

function keptUntil(message: Parameters<typeof expiresAt>[0], now: number): number | null {
  return expiresAt(message) > now ? expiresAt(message) : null;
}
