import { createInterface, type Interface } from "node:readline";
import type { Answer, Question } from "@tutti/testing";
import type { Style } from "../terminal/style.ts";

export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly style: Style;
  /** Nobody is there any more. */
  readonly signal: AbortSignal;
}

const help = 'a result as {"name": value}, `fail CODE`, `throw CODE`, or nothing to leave it waiting';

/** A person at a terminal, who may type ahead. Close it when nothing more is asked. */
export class Person {
  readonly #terminal: Terminal;
  readonly #reader: Interface;
  readonly #lines: AsyncIterator<string>;
  readonly #gone: Promise<undefined>;

  constructor(terminal: Terminal) {
    const { input, signal } = terminal;
    this.#terminal = terminal;
    this.#reader = createInterface({ input, terminal: false });
    this.#lines = this.#reader[Symbol.asyncIterator]();
    this.#gone = new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));
  }

  /** Asks again until the answer can be read. Undefined: it is left waiting, or nobody is there any more. */
  async ask(question: Question): Promise<Answer | undefined> {
    const { output, style } = this.#terminal;
    const item = question.item === null ? "" : `[${question.item}]`;
    output.write(
      `${style.bold(`${question.element}${item}`)}: ${nameOf(question)} ${JSON.stringify(question.input)}\n`,
    );
    for (;;) {
      output.write(`  ${help}\n> `);
      const line = (await Promise.race([this.#lines.next(), this.#gone]))?.value as string | undefined;
      if (line === undefined || line.trim() === "") return undefined;
      const answer = readAnswer(line.trim());
      if (answer !== undefined) return answer;
    }
  }

  close(): void {
    this.#reader.close();
  }
}

function nameOf({ kind, title, jobType }: Question): string {
  if (kind === "job") return `job ${jobType}`;
  if (kind === "choice") return 'what next? As {"activate": [ids]}, at last with "done": true,';
  return kind === "task" ? (title ?? "user task") : `waits for ${kind} '${title}'`;
}

/** Undefined when it is none. */
function readAnswer(line: string): Answer | undefined {
  const [, verb, code, message] = /^(fail|throw)\s+(\S+)(?:\s+(.+))?$/.exec(line) ?? [];
  if (code !== undefined) {
    const given = { code, ...(message === undefined ? {} : { message }) };
    return verb === "fail" ? { fail: given } : { throw: given };
  }
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { complete: value as NonNullable<Answer["complete"]> }
      : undefined;
  } catch {
    return undefined;
  }
}
