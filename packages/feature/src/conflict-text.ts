import type { ResolveRequest } from "@tutti/workspace";

type Versions = Pick<ResolveRequest, "base" | "ours" | "theirs">;

/**
 * A file as it stands in conflict: what all three versions share at its beginning and end once, the rest between
 * markers, with the base in the middle. A side without the file is shown as empty.
 */
export function conflictText(versions: Versions): string {
  const [base, ours, theirs] = [linesOf(versions.base), linesOf(versions.ours), linesOf(versions.theirs)];
  const all = [base, ours, theirs];
  const shortest = Math.min(...all.map(({ length }) => length));
  let head = 0;
  while (head < shortest && all.every((lines) => lines[head] === base[head])) head += 1;
  let tail = 0;
  while (tail < shortest - head && all.every((lines) => lines.at(-1 - tail) === base.at(-1 - tail))) tail += 1;
  const middle = (lines: readonly string[]): readonly string[] => lines.slice(head, lines.length - tail);
  return [
    ...base.slice(0, head),
    "<<<<<<< ours\n",
    ...middle(ours),
    "||||||| base\n",
    ...middle(base),
    "=======\n",
    ...middle(theirs),
    ">>>>>>> theirs\n",
    ...base.slice(base.length - tail),
  ].join("");
}

/** Lines with their ends; one that lacks its end gets it, so that a marker always begins a line. */
function linesOf(text: string | null): readonly string[] {
  if (text === null || text === "") return [];
  const whole = text.endsWith("\n") ? text : `${text}\n`;
  return whole.match(/[^\n]*\n/g) ?? [];
}
