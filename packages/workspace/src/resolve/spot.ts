/** Where both sides changed the same lines, with the lines around. */
export interface Spot {
  readonly path: string;
  readonly base: readonly string[];
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  /** The agreed lines next to it, as many as there are. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Brackets outside of strings and comments open and close in order. Good enough to tell whole blocks from halves. */
export function isBalanced(lines: readonly string[]): boolean {
  const text = lines
    .map((line) => line.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|\/\/.*$/g, ""))
    .join("\n");
  const open: string[] = [];
  const closing: { readonly [bracket: string]: string } = { ")": "(", "]": "[", "}": "{" };
  for (const character of text) {
    if ("([{".includes(character)) open.push(character);
    else if (character in closing && open.pop() !== closing[character]) return false;
  }
  return open.length === 0;
}
