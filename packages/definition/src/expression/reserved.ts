/**
 * CEL keeps some words for other languages, among them `loop`, under which the kernel shows an item's key and number.
 * A variable of such a name is given another one on the way into the library, and its own on the way back.
 */
const words: ReadonlySet<string> = new Set(
  "as break const continue else for function if import let loop package namespace return var void while".split(" "),
);
/** Types, which are values in CEL: `type(x) == list`. Everywhere else such a word is a variable. */
const types: ReadonlySet<string> = new Set("bool bytes double dyn int list map null_type string type uint".split(" "));
const prefix = "__";

/** Texts first, so that no word inside one is touched; then names, then anything. */
const token =
  /[bB]?[rR](?:"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n]*"|'[^'\n]*')|"""(?:\\[\s\S]|[\s\S])*?"""|'''(?:\\[\s\S]|[\s\S])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|[A-Za-z_][A-Za-z0-9_]*|[\s\S]/g;

export interface Renamed {
  readonly text: string;
  /** The place in the original text of a place in the renamed one. */
  readonly original: (offset: number) => number;
}

export function renameReserved(text: string): Renamed {
  const inserted: number[] = [];
  let renamed = "";
  let before = "";
  const comparesTypes = /\btype\s*\(/.test(text);
  for (const match of text.matchAll(token)) {
    const [part] = match;
    const isVariable = types.has(part) && !isType(text.slice(match.index + part.length), comparesTypes ? before : "");
    if ((words.has(part) || isVariable) && before !== ".") {
      inserted.push(renamed.length);
      renamed += prefix;
    }
    renamed += part;
    if (part.trim() !== "") before = part;
  }
  const original = (offset: number) => offset - inserted.filter((at) => at < offset).length * prefix.length;
  return { text: renamed, original: (offset) => Math.max(0, original(offset)) };
}

/** Whether a type's name is called, or stands beside what is compared; `before`: the sign in front of it. */
function isType(after: string, before: string): boolean {
  return /^\s*\(/.test(after) || before === "=";
}

/** The name a variable has outside. */
export function outerName(name: string): string {
  if (!name.startsWith(prefix)) return name;
  const bare = name.slice(prefix.length);
  return words.has(bare) || types.has(bare) ? bare : name;
}
