const escapeSequence = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// Bidirectional overrides are among them: they reorder what is read.
const controlCharacter = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * The end of what a program printed, without what would paint on a terminal (tab and newline stay), at most
 * `bytesMax` of UTF-8.
 */
export function plainTail(text: string, bytesMax: number): string {
  const clean = text.replace(escapeSequence, "").replace(/\r\n/g, "\n").replace(controlCharacter, "");
  const bytes = Buffer.from(clean);
  if (bytes.length <= bytesMax) return clean;
  // A cut through a character leaves replacement characters at the start; they say nothing.
  return bytes
    .subarray(bytes.length - bytesMax)
    .toString("utf8")
    .replace(/^\ufffd+/, "");
}

/** The last `count` lines that are not empty. */
export function lastLines(text: string, count: number): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .slice(-count);
}

/** One line for a person: blanks folded, cut at `charactersMax`. */
export function oneLine(text: string, charactersMax = 200): string {
  const folded = text.replace(/\s+/g, " ").trim();
  return folded.length <= charactersMax ? folded : `${folded.slice(0, charactersMax - 1)}…`;
}

/** A name as one part of a path: readable, never `.` or `..`, and two names never meet. */
export function fileName(name: string): string {
  return encodeURIComponent(name).replace(/^\./, "%2E");
}
