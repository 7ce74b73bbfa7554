import { parser, trackVariables, VariableContext } from "lezer-feel";
import type { DefinitionErrorCode } from "../errors.ts";
import { limits } from "../limits.ts";

type Tree = ReturnType<typeof parser.parse>;
type TreeCursor = ReturnType<Tree["cursor"]>;

/** A node of a FEEL expression: what kind it is, its text, where it begins, and the nodes in it. */
export interface FeelNode {
  readonly kind: string;
  readonly text: string;
  readonly from: number;
  readonly parts: readonly FeelNode[];
}

/** How many nodes it is made of, signs and words included. */
export function sizeOf(node: FeelNode): number {
  return node.parts.reduce((sum, part) => sum + sizeOf(part), 1);
}

export type FeelParse =
  | { readonly ok: true; readonly root: FeelNode }
  | { readonly ok: false; readonly code: DefinitionErrorCode; readonly message: string };

export interface FeelGrammar {
  /** `UnaryTests` is what stands in a cell of a decision table. */
  readonly top: "Expression" | "UnaryTests";
  /** Variables whose names contain signs that otherwise mean something, such as `Loan-Amount`. */
  readonly names?: readonly string[];
}

/**
 * The names the parser knows, the same everywhere in an expression. The library's own class follows what every inner
 * context declares, which takes seconds for a few kilobytes.
 */
class Names extends VariableContext {
  override get(): null {
    return null;
  }
  override set(): this {
    return this;
  }
  override merge(): this {
    return this;
  }
  static override isAtomic(): boolean {
    return true;
  }
  static override of(...contexts: unknown[]): Names {
    const known = contexts.find((context) => context instanceof Names);
    return known ?? new Names({});
  }
}

/** `get or else` has a word of the language in its name; the parser is given one word of the same length. */
export const getOrElse = "get_or_else";
const readable = /"(?:\\.|[^"\\])*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*|\bget or else(?=\s*\()/g;

function withoutElse(text: string): string {
  if (!text.includes("get or else")) return text;
  return text.replaceAll(readable, (part) => (part === "get or else" ? getOrElse : part));
}

/** Parses FEEL within limits of size and nesting, which also bound the time the parser may take. Never throws. */
export function parseFeel(source: string, grammar: FeelGrammar): FeelParse {
  const text = withoutElse(source);
  if (text.length > limits.feelCharactersMax) {
    return tooLarge(`${limits.feelCharactersMax} characters, but the expression has ${text.length}`);
  }
  if (bracketDepth(text) > limits.feelNestingMax) {
    return tooLarge(`${limits.feelNestingMax} brackets within each other, but there are more`);
  }
  const known = new Names(Object.fromEntries((grammar.names ?? []).map((name) => [name, null])));
  const configured = parser.configure({
    top: grammar.top,
    dialect: "camunda",
    strict: true,
    contextTracker: trackVariables(known, Names),
  });
  try {
    return copyTree(configured.parse(text), text);
  } catch (error) {
    const at = /at (\d+)$/.exec(error instanceof Error ? error.message : "")?.[1];
    const place = at === undefined ? "" : ` at character ${Number(at) + 1}`;
    return {
      ok: false,
      code: "expression-syntax",
      message: `Expected a FEEL expression, but found ${JSON.stringify(text.slice(Number(at ?? 0)).slice(0, 20))}${place}`,
    };
  }
}

function tooLarge(what: string): FeelParse {
  return { ok: false, code: "expression-too-large", message: `Expected at most ${what}` };
}

const skipped = /"(?:\\.|[^"\\])*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;

function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const sign of text.replaceAll(skipped, "")) {
    if (sign === "(" || sign === "[" || sign === "{") deepest = Math.max(deepest, ++depth);
    else if (sign === ")" || sign === "]" || sign === "}") depth -= 1;
  }
  return deepest;
}

const ignored: ReadonlySet<string> = new Set(["LineComment", "BlockComment"]);

/** The library's tree is a compact buffer; plain nodes are what a compiler wants to walk. */
function copyTree(tree: Tree, text: string): FeelParse {
  let nodes = 0;
  let deepest = 0;
  const copy = (cursor: TreeCursor, depth: number): FeelNode => {
    nodes += 1;
    deepest = Math.max(deepest, depth);
    const { name: kind, from, to } = cursor;
    const parts: FeelNode[] = [];
    if (depth <= limits.feelDepthMax && cursor.firstChild()) {
      do if (!ignored.has(cursor.name)) parts.push(copy(cursor, depth + 1));
      while (cursor.nextSibling());
      cursor.parent();
    }
    return { kind, text: text.slice(from, to), from, parts };
  };
  const root = copy(tree.cursor(), 0);
  if (nodes > limits.expressionNodesMax) return tooLarge(`${limits.expressionNodesMax} nodes, but there are ${nodes}`);
  if (deepest > limits.feelDepthMax) return tooLarge(`${limits.feelDepthMax} levels, but there are more`);
  return { ok: true, root };
}
