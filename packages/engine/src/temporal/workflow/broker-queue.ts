import { ApplicationFailure } from "@temporalio/common";
import { allHandlersFinished, condition, workflowInfo } from "@temporalio/workflow";
import { askAgain } from "../message/contract.ts";

/** Thrown in the middle of nothing: what was asked for was not begun, and is to be asked of the next execution. */
export class HistoryFull extends Error {}

interface Waiting<Task> {
  /** Told, and carried on to the next execution if this one does not come to it. */
  readonly task?: Task;
  readonly run: () => Promise<void>;
  readonly giveUp: () => void;
}

interface QueueOptions<Task> {
  readonly take: (task: Task) => Promise<void>;
  /** From so many events of the history on nothing more is begun. */
  readonly historyEventsMax: number;
}

/** What a broker has to do, one after the other in the order in which it came. */
export class BrokerQueue<Task> {
  readonly #options: QueueOptions<Task>;
  readonly #waiting: Waiting<Task>[] = [];
  #hasBegun = false;

  constructor(options: QueueOptions<Task>) {
    this.#options = options;
  }

  tell(task: Task): void {
    this.#waiting.push({ task, run: () => this.#options.take(task), giveUp: () => undefined });
  }

  /** Before all that waits. */
  tellFirst(task: Task): void {
    this.#waiting.unshift({ task, run: () => this.#options.take(task), giveUp: () => undefined });
  }

  /** Rejects with an ApplicationFailure `ask-again` where another execution has to do it. */
  ask<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        reject(ApplicationFailure.nonRetryable("Expected room in the history, but it is full.", askAgain));
      };
      const run = async (): Promise<void> => {
        try {
          resolve(await work());
        } catch (error) {
          if (!(error instanceof HistoryFull)) reject(error);
          else giveUp();
        }
      };
      this.#waiting.push({ run, giveUp });
    });
  }

  get isHistoryFull(): boolean {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || historyLength >= this.#options.historyEventsMax / 2;
  }

  /** Resolves once there is nothing to do, or no room for it: then with the tasks that are left. */
  async live(): Promise<readonly Task[]> {
    for (;;) {
      await condition(() => this.#waiting.length > 0 || (this.#hasBegun && allHandlersFinished()));
      if (this.#hasBegun && this.isHistoryFull) return this.#leave();
      const next = this.#waiting.shift();
      if (next === undefined) return [];
      this.#hasBegun = true;
      await this.#do(next);
    }
  }

  async #do(next: Waiting<Task>): Promise<void> {
    try {
      await next.run();
    } catch (error) {
      if (!(error instanceof HistoryFull) || next.task === undefined) throw error;
      this.tellFirst(next.task);
    }
  }

  /** What comes until all have their answers is left as well. */
  async #leave(): Promise<readonly Task[]> {
    const tasks: Task[] = [];
    for (;;) {
      for (const { task, giveUp } of this.#waiting.splice(0)) {
        if (task === undefined) giveUp();
        else tasks.push(task);
      }
      if (allHandlersFinished()) return tasks;
      await condition(() => this.#waiting.length > 0 || allHandlersFinished());
    }
  }
}
