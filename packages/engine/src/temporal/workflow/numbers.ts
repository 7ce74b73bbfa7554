const perMs = 1_024;

/**
 * Numbers that grow within an execution, and from one execution to the next of the same name with the server's clock.
 * Others seldom have the same, and whoever needs it for himself alone has to look.
 */
export class Numbers {
  readonly #spread: number;
  #last = 0;

  constructor(workflowId: string) {
    let spread = 0;
    for (let index = 0; index < workflowId.length; index++)
      spread = (spread * 31 + workflowId.charCodeAt(index)) % perMs;
    this.#spread = spread;
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, Date.now() * perMs + this.#spread);
    return this.#last;
  }
}
