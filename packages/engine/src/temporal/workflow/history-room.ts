import { workflowInfo } from "@temporalio/workflow";

/** Of the 50 MiB that a server allows in one history. */
const bytesMax = 20_000_000;
/** Of the 2 000 that a server takes for one execution. */
const updatesMax = 1_000;
/** Of what is allowed, in parts of what is wanted: what runs then is called off. The server allows at least 2.5. */
const lastPart = 1.9;

/**
 * How full the history of an execution is. A server ends one that grows beyond its limits, and the instance with it, so
 * an execution goes on as a new one long before. That takes a moment at which nothing is under way.
 */
export class HistoryRoom {
  readonly #eventsMax: number;
  #updates = 0;

  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax;
  }

  /** Somebody waits for an answer. */
  count(): void {
    this.#updates++;
  }

  /** A good moment to go on anew may be taken. */
  get isLong(): boolean {
    return workflowInfo().continueAsNewSuggested || this.#part >= 0.5;
  }

  /** A moment to go on anew has to come: nothing more is to begin. */
  get isFull(): boolean {
    return this.#part >= 1;
  }

  /** It has to come now. */
  get isOverfull(): boolean {
    return this.#part >= lastPart;
  }

  get #part(): number {
    const { historyLength, historySize } = workflowInfo();
    return Math.max(historyLength / this.#eventsMax, historySize / bytesMax, this.#updates / updatesMax);
  }
}
