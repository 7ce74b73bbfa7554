import type { JsonObject, Key } from "@tutti/kernel";
import type { MessageReceiver } from "../../port.ts";
import type { Given, Parcel, ParcelAnswer, Spread, WaitingPlace } from "./contract.ts";
import type { DeskOptions } from "./desk.ts";

type DeliveriesOptions = Pick<DeskOptions, "log" | "courier">;

/** What a message says, and who has had it so far, if that is remembered. */
export interface Content {
  readonly payload: JsonObject;
  readonly receivers?: readonly MessageReceiver[];
}

/** How often, and how soon again, an instance is asked that the log has open and Temporal has not. */
const asksMax = 10;
const askAgainMs = 100;
const rowsMax = 1_000;

/** Brings messages and signals to instances, until there is an answer. */
export class Deliveries {
  readonly #options: DeliveriesOptions;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** Gives who has it; null: this one does not wait for it any more. */
  async message(given: Given, { payload, receivers }: Content, place: WaitingPlace): Promise<MessageReceiver | null> {
    const { name, correlationKey, number } = given;
    const { instance, key, process } = place;
    const instanceId = (await this.#options.log.instanceIds([instance])).get(instance);
    if (instanceId === undefined) return null;
    const messageId = messageIdOf(given);
    const receiver = { process, instanceId, started: false };
    const answer = await this.#deliver(instanceId, {
      id: `message ${number} ${key}`,
      command: { type: "deliver-message", key, messageId, name, payload, actor: "message" },
      message: { name, correlationKey, number, ...withReceiver(receivers, receiver) },
    });
    return answer === "refused" ? null : receiver;
  }

  /** Whoever does not wait for it any more has no need of it. */
  async signal(
    { name, number, payload }: Pick<Spread, "number" | "payload"> & { readonly name: string },
    { instanceId, key }: { readonly instanceId: string; readonly key: Key },
  ): Promise<void> {
    const command = { type: "deliver-signal", key, name, payload, actor: "signal" } as const;
    await this.#deliver(instanceId, { id: `signal ${number} ${key}`, command });
  }

  async #deliver(instanceId: string, parcel: Parcel): Promise<ParcelAnswer> {
    for (let asked = 1; ; asked++) {
      const answer = await this.#options.courier.deliver(instanceId, parcel);
      if (answer !== null) return answer;
      const { instances } = await this.#options.log.find({ instanceIds: [instanceId], numbers: [], requestIds: [] });
      if (instances[0]?.record.endedAt !== null) return (await this.#hadIt(instanceId, parcel)) ? "had" : "refused";
      if (asked === asksMax) throw new Error(`Expected the workflow of '${instanceId}' to be running, but it is not.`);
      // It may be going on in a new execution at this moment.
      await new Promise((resolve) => setTimeout(resolve, askAgainMs));
    }
  }

  /** It may have ended with it, before its answer arrived. */
  async #hadIt(instanceId: string, { command }: Parcel): Promise<boolean> {
    if (command.type === "deliver-signal") return false;
    for (let after = 0; ; ) {
      const rows = await this.#options.log.rows({ after, instanceId, limit: rowsMax });
      for (const { events } of rows) {
        for (const event of events) {
          if (
            "messageId" in event &&
            "key" in event &&
            event.messageId === command.messageId &&
            event.key === command.key
          ) {
            return true;
          }
        }
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < rowsMax) return false;
      after = last.position;
    }
  }
}

export function withReceiver(before: Content["receivers"], receiver: MessageReceiver): Pick<Content, "receivers"> {
  if (before === undefined) return {};
  return { receivers: [...before.filter(({ process }) => process !== receiver.process), receiver] };
}

/** What a receiver tells it from others by. */
export function messageIdOf({ id, number }: Pick<Given, "id" | "number">): string {
  return id ?? `message-${number}`;
}
