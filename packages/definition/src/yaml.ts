import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from "yaml";
import { limits } from "./limits.ts";
import type { Place, Problems } from "./problem.ts";

/** One YAML document as plain data, and where each part of it stands. */
export interface SourceDocument {
  readonly value: unknown;
  readonly place: Place;
}

/** Reads every document of a file. Bad input is reported, never thrown; documents with errors are left out. */
export function readYaml(text: string, problems: Problems): SourceDocument[] {
  const start = { line: 1, column: 1 };
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.fileBytesMax) {
    problems.error("yaml-limit", `Expected at most ${limits.fileBytesMax} bytes, but the file has ${bytes}`, start);
    return [];
  }
  const flowDepth = bracketDepth(text);
  if (flowDepth > limits.depthMax * 4) {
    // The parser recurses on brackets: so deep a file would end it before its depth could be measured.
    problems.error(
      "yaml-limit",
      `Expected at most ${limits.depthMax} levels, but brackets nest ${flowDepth} deep`,
      start,
    );
    return [];
  }
  const lines = new LineCounter();
  const documents = parse(text, lines, problems);
  if (documents.length > limits.documentsMax) {
    const message = `Expected at most ${limits.documentsMax} documents, but the file has ${documents.length}`;
    problems.error("yaml-limit", message, start);
    return [];
  }
  return documents.flatMap((document) => readDocument(document, lines, problems) ?? []);
}

function parse(text: string, lineCounter: LineCounter, problems: Problems): Document.Parsed[] {
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter,
      version: "1.2",
      schema: "core",
      // A merge key would let one map appear at many places, and positions would lie.
      merge: false,
      // Ours is below: the parser's compares each key with every other.
      uniqueKeys: false,
      stringKeys: true,
      prettyErrors: false,
      logLevel: "silent",
    });
    return "empty" in parsed ? [] : parsed;
  } catch (error) {
    const message = error instanceof Error ? error.message.slice(0, 200) : "unreadable";
    problems.error("yaml-invalid", `Expected YAML, but the parser gave up: ${message}`, { line: 1, column: 1 });
    return [];
  }
}

function readDocument(document: Document.Parsed, lines: LineCounter, problems: Problems): SourceDocument | undefined {
  for (const error of document.errors) {
    // By far the most common slip: an expression with a colon, unquoted.
    const hint = error.message.startsWith("Nested mappings") ? ' (put a text that contains ": " in quotes)' : "";
    problems.error(
      "yaml-invalid",
      `Expected valid YAML, but ${firstLine(error.message)}${hint}`,
      at(lines, error.pos[0]),
    );
  }
  if (document.errors.length > 0 || document.contents === null) return undefined;
  if (!withinLimits(document, lines, problems)) return undefined;
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: limits.aliasesMax });
  } catch (error) {
    const message = error instanceof Error ? firstLine(error.message) : "it cannot be read";
    problems.error("yaml-limit", `Expected few aliases, but ${message}`, at(lines, document.range?.[0] ?? 0));
    return undefined;
  }
  return { value, place: placeIn(document, lines) };
}

/** Depth, tags and keys: what the schemas cannot see once the document is plain data. */
function withinLimits(document: Document.Parsed, lines: LineCounter, problems: Problems): boolean {
  let fine = true;
  const refuse = (code: "yaml-limit" | "yaml-invalid", message: string, node: Node) => {
    problems.error(code, message, at(lines, node.range?.[0] ?? 0));
    fine = false;
  };
  const look = (node: unknown, depth: number): void => {
    if (isMap(node) || isSeq(node)) {
      if (depth >= limits.depthMax)
        return refuse("yaml-limit", `Expected at most ${limits.depthMax} levels, but this is deeper`, node);
      if (isMap(node))
        refuseDoubleKeys(node, (key) => refuse("yaml-invalid", "Expected every key once, but it is there twice", key));
      for (const item of node.items) {
        if (isPair(item)) look(item.key, depth + 1);
        look(isPair(item) ? item.value : item, depth + 1);
      }
    }
    const tag = isNode(node) && !isAlias(node) ? node.tag : undefined;
    if (tag !== undefined && !knownTag.test(tag)) {
      refuse("yaml-invalid", `Expected no custom tag, but found ${tag.slice(0, 80)}`, node as Node);
    }
    if (isScalar(node) && typeof node.value === "number" && !Number.isFinite(node.value)) {
      refuse("yaml-invalid", `Expected a finite number, but found ${node.source ?? "another"}`, node);
    }
  };
  look(document.contents, 0);
  return fine;
}

const knownTag = /^tag:yaml\.org,2002:(?:map|seq|str|int|float|bool|null)$/;

function refuseDoubleKeys(map: YAMLMap, refuse: (key: Node) => void): void {
  const seen = new Set<unknown>();
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) refuse(key);
    seen.add(key.value);
  }
}

function placeIn(document: Document.Parsed, lines: LineCounter): Place {
  return (path, key) => {
    let node: unknown = document.contents;
    let offset = document.contents?.range?.[0] ?? 0;
    path.forEach((step, index) => {
      if (isAlias(node)) node = node.resolve(document);
      if (isMap(node)) {
        const pair = pairsOf(node).get(String(step));
        if (pair === undefined) return;
        const target = key !== undefined && index === path.length - 1 ? pair.key : (pair.value ?? pair.key);
        offset = rangeStart(target) ?? rangeStart(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        offset = rangeStart(node) ?? offset;
      }
    });
    return at(lines, offset);
  };
}

const pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

/** The entries of a map by key: a search for each of ten thousand would take a hundred million steps. */
function pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
  const known = pairs.get(map);
  if (known !== undefined) return known;
  const found = new Map(map.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : "", pair]));
  pairs.set(map, found);
  return found;
}

function rangeStart(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function at(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function firstLine(message: string): string {
  return (message.split("\n")[0] ?? message).slice(0, 300);
}

/** A bound from above: brackets inside texts count too. */
function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
  }
  return deepest;
}
