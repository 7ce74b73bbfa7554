// Everything an agent prints may end on a terminal or a web page: escape sequences and other control characters
// would let it paint what it likes there, so they are taken out once, here.

const escapeSequence = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// Bidirectional overrides are among them: they reorder what is read.
const controlCharacter = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The text without what could steer a terminal or reorder what is read on it; tab and newline stay. */
export function withoutControls(text: string): string {
  return text.replace(escapeSequence, "").replace(controlCharacter, "");
}

/** The same, cut to `charactersMax`. */
export function plainText(text: string, charactersMax = 4_000): string {
  // Cut before cleaning too: a hostile line may be as long as the output limit.
  const clean = withoutControls(text.slice(0, charactersMax * 4));
  return clean.length <= charactersMax ? clean : `${clean.slice(0, charactersMax - 1)}…`;
}

/** Splits a stream into lines without rescanning what has been seen; the last line may lack its newline. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #pending: string[] = [];

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(text: string): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      this.#pending.push(text.slice(from, at));
      this.#flush();
      from = at + 1;
    }
    if (from < text.length) this.#pending.push(text.slice(from));
  }

  end(): void {
    if (this.#pending.length > 0) this.#flush();
  }

  #flush(): void {
    const line = this.#pending.join("");
    this.#pending = [];
    this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}

/** The last lines, cleaned; empty ones are not kept. */
export class LastLines {
  readonly #linesMax: number;
  #lines: string[] = [];

  constructor(linesMax = 20) {
    this.#linesMax = linesMax;
  }

  push(line: string): void {
    const clean = plainText(line, 500).trimEnd();
    if (clean === "") return;
    this.#lines.push(clean);
    if (this.#lines.length > this.#linesMax * 2) this.#lines = this.#lines.slice(-this.#linesMax);
  }

  get(): readonly string[] {
    return this.#lines.slice(-this.#linesMax);
  }
}
