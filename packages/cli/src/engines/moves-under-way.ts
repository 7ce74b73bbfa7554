/** Instances that are being moved, or given up into a file, by the owner that this is in. */
export class MovesUnderWay {
  readonly #ends: Map<string, Promise<void>> = new Map();

  /** Resolves once nobody moves it, at once for most. */
  async over(instanceId: string): Promise<void> {
    for (;;) {
      const end = this.#ends.get(instanceId);
      if (end === undefined) return;
      await end;
    }
  }

  /** Moves of one instance, one after the other. */
  async move<T>(instanceId: string, move: () => Promise<T>): Promise<T> {
    await this.over(instanceId);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends.set(instanceId, promise);
    try {
      return await move();
    } finally {
      this.#ends.delete(instanceId);
      resolve();
    }
  }
}
