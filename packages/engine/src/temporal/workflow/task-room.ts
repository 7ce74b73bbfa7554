import { sleep, workflowInfo } from "@temporalio/workflow";

/** What one workflow task may bring to the server, which takes 4 MB, and of one payload 2 MB. */
const taskCharsMax = 1_000_000;

/** How much the workflow task that is under way has asked for already. */
export class TaskRoom {
  #given = { historyLength: 0, chars: 0 };
  #next: Promise<void> | undefined;

  /** Then no more is to be asked for before `next`. */
  get isFull(): boolean {
    return this.#now().chars >= taskCharsMax;
  }

  /** Counts what is asked for. */
  take(chars: number): void {
    this.#now().chars += chars;
  }

  /** Resolves in another task, once this one has ended. */
  next(): Promise<void> {
    this.#next ??= sleep(1).finally(() => {
      this.#next = undefined;
    });
    return this.#next;
  }

  #now(): { historyLength: number; chars: number } {
    const { historyLength } = workflowInfo();
    // Each task adds to the history.
    if (this.#given.historyLength !== historyLength) this.#given = { historyLength, chars: 0 };
    return this.#given;
  }
}
