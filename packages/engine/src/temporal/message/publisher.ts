import { AppError, ttlMaxMs } from "@tutti/kernel";
import { checkedPayload, checkId } from "../../caller.ts";
import type { Clock } from "../../clock.ts";
import type { EngineLimits } from "../../embedded/limits.ts";
import { channelId, type MessageCounts } from "../../embedded/message/coordination.ts";
import type { Correlated, MessageRequest, SignalRequest } from "../../port.ts";
import type { Courier } from "../courier.ts";
import type { Broadcast, BrokerName, Said } from "./contract.ts";

interface PublisherOptions {
  readonly courier: Courier;
  readonly clock: Clock;
  readonly limits: Pick<EngineLimits, "messagesKeptMax" | "messageCharsMax">;
  readonly counts: () => Promise<MessageCounts>;
}

interface Waiting {
  readonly said: Said;
  /** Characters in it. */
  readonly size: number;
  readonly resolve: (correlated: Correlated) => void;
  readonly reject: (error: unknown) => void;
}

/** Messages and characters that go to a broker together. */
const messagesAtOnceMax = 100;
const charsAtOnceMax = 500_000;
/** Messages of one channel that wait here. */
const waitingMax = 10_000;
/** How old the number of kept messages may be that a publication is measured by. */
const countedMs = 1_000;

/**
 * Brings what callers say to brokers: of one channel in the order in which they said it, what comes meanwhile together.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #waiting: Map<string, Waiting[]> = new Map();
  #kept = 0;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  async publish(request: MessageRequest): Promise<Correlated> {
    const { name, ttlMs = 0, correlationKey = null, id = null } = request;
    checkId("message name", name);
    if (correlationKey !== null) checkId("correlation key", correlationKey);
    if (id !== null) checkId("message id", id);
    if (!Number.isInteger(ttlMs) || ttlMs < 0 || ttlMs > ttlMaxMs) {
      throw new AppError("limit-invalid", `Expected ttlMs as a whole number from 0 to ${ttlMaxMs}, but got ${ttlMs}.`);
    }
    const { messagesKeptMax, messageCharsMax } = this.#options.limits;
    const payload = checkedPayload("message's variables", request.variables, messageCharsMax);
    if ((ttlMs > 0 || id !== null) && this.#keptNow() >= messagesKeptMax) {
      throw new AppError("engine-busy", `Expected at most ${messagesKeptMax} kept messages, but there are more.`);
    }
    return this.#say({ kind: "message", name, correlationKey }, { id, ttlMs, payload });
  }

  async broadcast(request: SignalRequest): Promise<void> {
    const { name, id = null, variables } = request;
    checkId("signal name", name);
    if (id !== null) checkId("signal id", id);
    const payload = checkedPayload("signal's variables", variables, this.#options.limits.messageCharsMax);
    const signal: Broadcast = { id, payload };
    await this.#options.courier.ask({ kind: "signal", name }, "broadcast", signal);
  }

  #say(channel: Extract<BrokerName, { kind: "message" }>, said: Said): Promise<Correlated> {
    return new Promise((resolve, reject) => {
      const waiting = { said, size: JSON.stringify(said).length, resolve, reject };
      const place = channelId(channel);
      const others = this.#waiting.get(place);
      if (others === undefined) {
        this.#waiting.set(place, [waiting]);
        void this.#send(channel);
      } else if (others.length < waitingMax) others.push(waiting);
      else reject(new AppError("engine-busy", `Expected at most ${waitingMax} messages on their way to one channel.`));
    });
  }

  /** Goes on until nothing waits. */
  async #send(channel: Extract<BrokerName, { kind: "message" }>): Promise<void> {
    const place = channelId(channel);
    // Those who are said in one breath go together.
    await Promise.resolve();
    for (let waiting = this.#waiting.get(place) ?? []; waiting.length > 0; ) {
      const some = waiting.splice(0, countOf(waiting));
      const said = some.map((each) => each.said);
      try {
        const answers = await this.#options.courier.ask<readonly Correlated[], readonly Said[]>(
          channel,
          "publish",
          said,
        );
        for (const [index, answer] of answers.entries()) some[index]?.resolve(answer);
        waiting.unshift(...some.slice(answers.length));
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
    this.#waiting.delete(place);
  }

  /** As of a moment ago: nobody waits for it to be counted. */
  #keptNow(): number {
    const at = this.#options.clock.now();
    if (at - this.#countedAt >= countedMs) {
      this.#countedAt = at;
      this.#options.counts().then(
        ({ kept }) => {
          this.#kept = kept;
        },
        // A log that cannot be read says so where it has to be.
        () => undefined,
      );
    }
    return this.#kept;
  }
}

/** How many of those that wait go together. */
function countOf(waiting: readonly Waiting[]): number {
  let count = 0;
  for (let size = 0; count < waiting.length && count < messagesAtOnceMax; count++) {
    size += waiting[count]?.size ?? 0;
    if (count > 0 && size > charsAtOnceMax) break;
  }
  return count;
}
