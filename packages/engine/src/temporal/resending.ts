import { setTimeout as sleep } from "node:timers/promises";
import { defaultGrpcRetryOptions, type GrpcRetryOptions, makeGrpcRetryInterceptor } from "@temporalio/client";

/** How often a request is sent to a server that does not answer: for about three seconds. */
const sendsMax = 6;
/** Timers of the system are not exact. */
const slackMs = 50;

/**
 * Sends requests again that the server did not answer. The client does that from a timer, and on a connection that was
 * closed meanwhile that throws where nobody can catch it: so the connection is to be closed once this rests.
 */
export class Resending {
  readonly interceptor: ReturnType<typeof makeGrpcRetryInterceptor>;
  /** Epoch ms: the last one that is planned. */
  #plannedAt = 0;
  #isOver = false;

  constructor() {
    const usual = defaultGrpcRetryOptions({ maxAttempts: sendsMax });
    const options: GrpcRetryOptions = {
      retryableDecider: (attempt, status) => !this.#isOver && usual.retryableDecider(attempt, status),
      delayFunction: (attempt, status) => {
        const delayMs = usual.delayFunction(attempt, status);
        this.#plannedAt = Math.max(this.#plannedAt, Date.now() + delayMs);
        return delayMs;
      },
    };
    this.interceptor = makeGrpcRetryInterceptor(options);
  }

  /** Resolves once nothing is sent again any more: after what is planned by now, some seconds at most. */
  async rest(): Promise<void> {
    this.#isOver = true;
    const leftMs = this.#plannedAt - Date.now();
    if (leftMs > -slackMs) await sleep(leftMs + slackMs);
  }
}
