import type { Output } from "./output.ts";
import { terminalSafe } from "./safe.ts";

/** Lines at the bottom of the terminal that are drawn over themselves. */
export class LiveLines {
  readonly #out: Output;
  #drawn = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  draw(lines: readonly string[]): void {
    const up = this.#drawn === 0 ? "" : `\u001b[${this.#drawn}A\r`;
    this.#out.draw(`${up}\u001b[0J${lines.map((line) => `${terminalSafe(line)}\n`).join("")}`);
    this.#drawn = lines.length;
  }

  /** Puts a line above, where it stays. */
  above(line: string): void {
    const up = this.#drawn === 0 ? "" : `\u001b[${this.#drawn}A\r`;
    this.#out.draw(`${up}\u001b[0J${terminalSafe(line)}\n`);
    this.#drawn = 0;
  }

  /** Leaves the lines where they are. */
  end(): void {
    this.#drawn = 0;
  }
}
