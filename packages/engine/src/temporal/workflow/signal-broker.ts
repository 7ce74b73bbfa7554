import { workflowInfo } from "@temporalio/workflow";
import type { Broadcast, BrokerActivities, SignalTask, Spread } from "../message/contract.ts";
import { type BrokerQueue, HistoryFull } from "./broker-queue.ts";
import { Numbers } from "./numbers.ts";
import { recorded } from "./recorded.ts";

/** The signals of one name: each starts what begins with it, and then reaches all who waited for it, page by page. */
export class SignalBroker {
  readonly #name: string;
  readonly #local: BrokerActivities;
  readonly #queue: Pick<BrokerQueue<SignalTask>, "isHistoryFull" | "tellFirst">;
  readonly #numbers: Numbers = new Numbers(workflowInfo().workflowId);

  constructor(
    name: string,
    local: BrokerActivities,
    queue: Pick<BrokerQueue<SignalTask>, "isHistoryFull" | "tellFirst">,
  ) {
    this.#name = name;
    this.#local = local;
    this.#queue = queue;
  }

  take(task: SignalTask): Promise<void> {
    return task.type === "broadcast" ? this.broadcast(task.signal) : this.#spread(task.spread);
  }

  /** Resolves once it is certain who gets it. */
  async broadcast({ id, payload, sender }: Broadcast): Promise<void> {
    if (this.#queue.isHistoryFull) throw new HistoryFull();
    const name = this.#name;
    const channel = { name, correlationKey: null };
    const { now, isKnown, position, starts } = await this.#local.readSignal(name, id);
    if (isKnown) return;
    const number = this.#numbers.next();
    await recorded();
    for (const process of starts)
      await this.#local.start({ ...channel, cause: "signal", number, id, payload, process });
    if (id !== null) {
      // Of a signal nothing is kept but that it was there.
      const message = { ...channel, id, number, payload: {}, publishedAt: now, ttlMs: 0, receivers: [] };
      await this.#local.remember({ ...message, kind: "signal" });
    }
    const openAt = sender?.position ?? position;
    const spread = { payload, number, openAt, after: { instance: 0, key: 0 } };
    this.#queue.tellFirst({ type: "spread", spread: sender === undefined ? spread : { ...spread, sender } });
  }

  async #spread(spread: Spread): Promise<void> {
    const after = await this.#local.spread(this.#name, spread);
    if (after !== null) this.#queue.tellFirst({ type: "spread", spread: { ...spread, after } });
  }
}
