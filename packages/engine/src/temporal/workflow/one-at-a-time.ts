type Activity = (...args: readonly unknown[]) => Promise<unknown>;

/**
 * What an execution has local activities do, one after the other in the order in which it was asked for. Of several at
 * once Temporal tells the ends as they come, but to a replay as they began, and several at a time: what is asked for
 * once one of them has ended would be asked for in another order (ADR 0027).
 */
export class OneAtATime {
  readonly #isAsked: () => boolean;
  #last: Promise<unknown> | undefined;

  /** `isAsked` is called where something would have to wait; false: it does not, as in histories from before. */
  constructor(isAsked: () => boolean) {
    this.#isAsked = isAsked;
  }

  /** Begins `work` when all that was asked for before has ended, well or not; at once if nothing is under way. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#last === undefined || !this.#isAsked() ? work() : this.#last.then(work, work);
    const ended = (): void => {
      if (this.#last === running) this.#last = undefined;
    };
    this.#last = running;
    running.then(ended, ended);
    return running;
  }

  /** The same activities, each begun by `run`. */
  inTurn<Activities extends object>(activities: Activities): Activities {
    const get = (_: Activities, name: string | symbol): Activity => {
      const activity = Reflect.get(activities, name) as Activity;
      return (...args) => this.run(() => activity(...args));
    };
    return new Proxy(activities, { get });
  }
}
