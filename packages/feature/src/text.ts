import { createHash } from "node:crypto";
import { withoutControls } from "@tutti/agents";

/**
 * The end of what a program printed, without what would paint on a terminal (tab and newline stay), at most
 * `bytesMax` of UTF-8.
 */
export function plainTail(text: string, bytesMax: number): string {
  const clean = withoutControls(text);
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

/** One line for a person: blanks folded, nothing that would paint on a terminal, cut at `charactersMax`. */
export function oneLine(text: string, charactersMax = 200): string {
  const folded = withoutControls(text.replace(/\s+/g, " ")).trim();
  return folded.length <= charactersMax ? folded : `${folded.slice(0, charactersMax - 1)}…`;
}

const nameCharactersMax = 150;

/** A name as one part of a path: readable, never `.` or `..`, not longer than a file system takes; two names never meet. */
export function fileName(name: string): string {
  const encoded = encodeURIComponent(name).replace(/^\./, "%2E");
  if (encoded.length <= nameCharactersMax) return encoded;
  const digest = createHash("sha256").update(name).digest("hex");
  return `${encoded.slice(0, nameCharactersMax - 20)}~${digest.slice(0, 16)}`;
}
