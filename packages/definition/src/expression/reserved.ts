/**
 * CEL keeps some words for other languages, among them `loop`, under which the kernel shows an item's key and number.
 * A variable of such a name is given another one on the way into the library, and its own on the way back.
 */
const words: ReadonlySet<string> = new Set(
  "as break const continue else for function if import let loop package namespace return var void while".split(" "),
);
/** Types, which are values in CEL: `type(x) == list`. Everywhere else such a word is a variable. */
const types: ReadonlySet<string> = new Set(
  "bool bytes double dyn google int list map null_type string type uint".split(" "),
);
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
  const among = typeLists(text);
  const comparesTypes = /\btype\s*\(/.test(text);
  for (const match of text.matchAll(token)) {
    const [part] = match;
    const { index } = match;
    const beside = comparesTypes && (before === "=" || among.some(([from, to]) => from < index && index < to));
    const isVariable = types.has(part) && !beside && !isType(part, text.slice(index + part.length));
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

/** Whether what follows on a type's name makes it one: it is called, or compared with a type. */
function isType(name: string, after: string): boolean {
  return name === "google" ? /^\s*\.\s*protobuf\s*\./.test(after) : /^\s*(?:\(|[=!]=\s*type\s*\()/.test(after);
}

/** From where to where there are lists that a type may be in: `type(x) in [list, map]`. */
function typeLists(text: string): readonly (readonly [from: number, to: number])[] {
  return [...text.matchAll(/\)\s*in\s*\[[\w\s,.]*\]/g)].map(({ 0: { length }, index }) => [index, index + length]);
}

/** What of the names in a text is a type and no variable: those that are were given another name. */
export function isTypeName(name: string): boolean {
  return types.has(name);
}

/** The name a variable has outside. */
export function outerName(name: string): string {
  if (!name.startsWith(prefix)) return name;
  const bare = name.slice(prefix.length);
  return words.has(bare) || types.has(bare) ? bare : name;
}
