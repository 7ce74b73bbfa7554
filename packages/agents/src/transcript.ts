import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Json } from "@tutti/kernel";

/** One line per thing that passed: `direction` as seen from us, `at` in epoch ms. */
export interface TranscriptRecord {
  readonly direction: "to-agent" | "from-agent" | "note";
  readonly data: Json;
}

/**
 * Appends what passed between an agent and us to a file. A transcript that cannot be written (disk full) does not
 * end the agent: what counts is in its workspace and its outcome.
 */
export class Transcript {
  readonly #stream: WriteStream;
  #broken = false;

  private constructor(stream: WriteStream) {
    this.#stream = stream;
    stream.on("error", () => {
      this.#broken = true;
    });
  }

  static async open(path: string): Promise<Transcript> {
    await mkdir(dirname(path), { recursive: true });
    return new Transcript(createWriteStream(path, { flags: "a", mode: 0o600 }));
  }

  write(record: TranscriptRecord): void {
    if (!this.#broken) this.#stream.write(`${JSON.stringify({ at: Date.now(), ...record })}\n`);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#broken || this.#stream.destroyed) resolve();
      else {
        this.#stream.once("error", () => resolve());
        this.#stream.end(() => resolve());
      }
    });
  }
}
