import type { Json } from "@tutti/kernel";
import type { Problem } from "../problem.ts";
import { jsonSafe, terminalSafe } from "./safe.ts";
import { canRedraw, plain, type Style, styleFor } from "./style.ts";

/** Where a command writes to. `isTTY`, `columns` and `rows` as Node's own streams have them. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface OutputOptions {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly environment: { readonly [name: string]: string | undefined };
  readonly json: boolean;
  readonly quiet: boolean;
  readonly noColor: boolean;
}

/** stdout is data; stderr is progress and errors. */
export class Output {
  readonly json: boolean;
  /** For stdout, and for stderr. */
  readonly style: Style;
  readonly errorStyle: Style;
  /** Whether a live screen may be drawn on stderr. */
  readonly live: boolean;
  readonly #options: OutputOptions;

  constructor(options: OutputOptions) {
    const { stdout, stderr, environment, noColor } = options;
    this.#options = options;
    this.json = options.json;
    this.style = options.json ? plain : styleFor({ isTerminal: stdout.isTTY === true, environment, noColor });
    this.errorStyle = styleFor({ isTerminal: stderr.isTTY === true, environment, noColor });
    this.live = !options.quiet && !options.json && canRedraw({ isTerminal: stderr.isTTY === true, environment });
  }

  get columns(): number {
    return this.#options.stderr.columns ?? 100;
  }

  get rows(): number {
    return this.#options.stderr.rows ?? 40;
  }

  /** Text for a person; nothing under --json. */
  text(text: string): void {
    if (!this.json) this.#options.stdout.write(`${terminalSafe(text)}\n`);
  }

  /** A file as it is, byte for byte, unless a terminal would show it; nothing under --json. */
  content(text: string): void {
    if (!this.json) this.#options.stdout.write(this.#options.stdout.isTTY === true ? terminalSafe(text) : text);
  }

  /** The one document of --json; nothing without it. */
  document(value: unknown): void {
    if (this.json) this.#options.stdout.write(`${jsonSafe(JSON.stringify(value, null, 2))}\n`);
  }

  /** One line of a stream under --json. */
  line(value: unknown): void {
    if (this.json) this.#options.stdout.write(`${jsonSafe(JSON.stringify(value))}\n`);
  }

  /** Progress. */
  note(text: string): void {
    if (!this.#options.quiet) this.#options.stderr.write(`${terminalSafe(text)}\n`);
  }

  /** Bytes for the live screen, which draws over its own lines and has made safe what is in them. */
  draw(text: string): void {
    this.#options.stderr.write(text);
  }

  problem(problem: Problem): void {
    if (this.json) {
      const { code, message, place, advice, details } = problem;
      const error: { [name: string]: Json } = { code, message, place, advice, details };
      this.#options.stdout.write(`${jsonSafe(JSON.stringify({ error }, null, 2))}\n`);
      return;
    }
    const { red, dim } = this.errorStyle;
    const place = problem.place === null ? "" : `${problem.place}: `;
    const more = problem.details["problems"];
    const lines = [
      `${place}${red(problem.code)}: ${problem.message}`,
      dim(`→ ${problem.advice}`),
      ...(Array.isArray(more) ? more.map((line) => `  ${String(line)}`) : []),
    ];
    this.#options.stderr.write(`${terminalSafe(lines.join("\n"))}\n`);
  }
}
