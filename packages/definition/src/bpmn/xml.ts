import type { SourcePosition } from "@tutti/kernel";
import { limits } from "../limits.ts";
import type { Problems } from "../problem.ts";
import { bpmnUri, prefixOf } from "./namespace.ts";

/** An XML element with its place. Names carry the prefix of `namespace.ts`, whatever prefix the file gives them. */
export interface XmlNode {
  /** `bpmn:userTask`, or `{uri}local` of a namespace nobody here knows. */
  readonly name: string;
  /** Attributes without a prefix belong to their element and stand under their bare name. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  /** Text and CDATA directly inside, in order. */
  readonly text: string;
  readonly position: SourcePosition;
  readonly span: XmlSpan;
}

/** Offsets in the text: of the element, behind its start tag, and of its end tag, which an empty element has not. */
export interface XmlSpan {
  readonly start: number;
  readonly content: number;
  readonly close?: number;
}

interface OpenNode extends XmlNode {
  readonly children: XmlNode[];
  text: string;
  span: XmlSpan;
  readonly rawName: string;
  readonly prefixes: ReadonlyMap<string, string>;
}

/** What is wrong with the XML itself. The reader stops at the first: behind it nothing can be trusted. */
class XmlError extends Error {
  readonly offset: number;
  readonly code: "xml-invalid" | "xml-limit" | "xml-refused";

  constructor(offset: number, message: string, code: XmlError["code"] = "xml-invalid") {
    super(message);
    this.offset = offset;
    this.code = code;
  }
}

/**
 * Reads an XML 1.0 document into a tree with positions; undefined, and a problem, when it is none. Document types are
 * refused, and with them every entity but the five of XML itself: nothing is fetched and nothing can grow.
 */
export function readXml(text: string, problems: Problems): XmlNode | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.fileBytesMax) {
    const message = `Expected at most ${limits.fileBytesMax} bytes, but the file has ${bytes}`;
    problems.error("xml-limit", message, { line: 1, column: 1 });
    return undefined;
  }
  const reader = new XmlReader(text);
  try {
    return reader.document();
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    problems.error(error.code, error.message, reader.position(error.offset));
    return undefined;
  }
}

const namePattern = /[\p{L}_][\p{L}\p{N}\p{M}_.\-·]*(?::[\p{L}_][\p{L}\p{N}\p{M}_.\-·]*)?/uy;
const spacePattern = /[ \t\r\n]*/y;
const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

class XmlReader {
  readonly #text: string;
  readonly #lineStarts: number[] = [0];
  #at = 0;
  /** A file whose root has no namespace is read as BPMN; elsewhere what has none belongs to nobody. */
  #bareUri: string | undefined;

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
  }

  /** Lines and columns count from 1; a tab is one column. */
  position(offset: number): SourcePosition {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }

  document(): XmlNode {
    const stack: OpenNode[] = [];
    let root: XmlNode | undefined;
    while (this.#at < this.#text.length) {
      if (this.#text[this.#at] !== "<") this.#characters(stack.at(-1));
      else if (this.#skipMarkup(stack.at(-1))) continue;
      else if (this.#text.startsWith("</", this.#at)) root = this.#close(stack) ?? root;
      else {
        if (root !== undefined) throw new XmlError(this.#at, "Expected one root element, but another follows");
        root = this.#open(stack) ?? root;
      }
    }
    const open = stack.at(-1);
    if (open !== undefined) {
      throw new XmlError(
        this.#text.length,
        `Expected </${open.rawName}> of line ${open.position.line}, but the file ends`,
      );
    }
    if (root === undefined) throw new XmlError(0, "Expected an XML element, but there is none");
    return root;
  }

  /** Comments, processing instructions, CDATA and document types. */
  #skipMarkup(inside: OpenNode | undefined): boolean {
    const start = this.#at;
    const until = (opening: string, closing: string): string | undefined => {
      if (!this.#text.startsWith(opening, start)) return undefined;
      const end = this.#text.indexOf(closing, start + opening.length);
      if (end < 0) throw new XmlError(start, `Expected ${closing} after ${opening}, but the file ends`);
      this.#at = end + closing.length;
      return this.#text.slice(start + opening.length, end);
    };
    if (until("<!--", "-->") !== undefined || until("<?", "?>") !== undefined) return true;
    const data = until("<![CDATA[", "]]>");
    if (data !== undefined) {
      if (inside === undefined) throw new XmlError(start, "Expected an element, but found text outside of one");
      inside.text += normalLines(data);
      return true;
    }
    if (!this.#text.startsWith("<!", start)) return false;
    throw new XmlError(start, "Expected no document type and no entities, but found <!", "xml-refused");
  }

  #characters(inside: OpenNode | undefined): void {
    const start = this.#at;
    const end = this.#text.indexOf("<", start);
    this.#at = end < 0 ? this.#text.length : end;
    const raw = this.#text.slice(start, this.#at);
    if (inside !== undefined) inside.text += this.#decode(normalLines(raw), start);
    else if (/[^ \t\r\n\uFEFF]/.test(raw))
      throw new XmlError(start, "Expected an element, but found text outside of one");
  }

  #open(stack: OpenNode[]): XmlNode | undefined {
    const start = this.#at;
    if (stack.length >= limits.depthMax) {
      throw new XmlError(start, `Expected at most ${limits.depthMax} levels, but this is deeper`, "xml-limit");
    }
    this.#at += 1;
    const rawName = this.#name("an element name");
    const raw = this.#attributes();
    const empty = this.#text[this.#at] === "/";
    if (empty) this.#at += 1;
    if (this.#text[this.#at] !== ">")
      throw new XmlError(this.#at, `Expected > at the end of <${rawName}, but found something else`);
    this.#at += 1;
    const parent = stack.at(-1);
    const prefixes = withDeclared(parent?.prefixes ?? new Map(), raw);
    const node: OpenNode = {
      name: this.#qualified(rawName, prefixes, start),
      attributes: this.#qualifiedAttributes(raw, prefixes, start),
      children: [],
      text: "",
      position: this.position(start),
      span: { start, content: this.#at },
      rawName,
      prefixes,
    };
    parent?.children.push(node);
    if (!empty) {
      stack.push(node);
      return undefined;
    }
    return parent === undefined ? node : undefined;
  }

  #close(stack: OpenNode[]): XmlNode | undefined {
    const start = this.#at;
    this.#at += 2;
    const name = this.#name("an element name");
    this.#match(spacePattern);
    const node = stack.pop();
    if (node === undefined || node.rawName !== name || this.#text[this.#at] !== ">") {
      const wanted = node === undefined ? "no closing tag" : `</${node.rawName}> of line ${node.position.line}`;
      throw new XmlError(start, `Expected ${wanted}, but found </${name}`);
    }
    this.#at += 1;
    node.span = { ...node.span, close: start };
    return stack.length === 0 ? node : undefined;
  }

  #attributes(): Map<string, string> {
    const found = new Map<string, string>();
    for (;;) {
      const spaces = this.#match(spacePattern);
      const next = this.#text[this.#at];
      if (next === ">" || next === "/" || next === undefined) return found;
      const start = this.#at;
      const name = this.#name("an attribute");
      if (spaces === "") throw new XmlError(start, `Expected a space before ${name}, but there is none`);
      if (found.has(name)) throw new XmlError(start, `Expected every attribute once, but ${name} is there twice`);
      this.#match(spacePattern);
      if (this.#text[this.#at] !== "=") throw new XmlError(this.#at, `Expected = after ${name}, but there is none`);
      this.#at += 1;
      this.#match(spacePattern);
      found.set(name, this.#quoted(name));
    }
  }

  #quoted(name: string): string {
    const quote = this.#text[this.#at];
    const start = this.#at + 1;
    const end = quote === '"' || quote === "'" ? this.#text.indexOf(quote, start) : -1;
    const raw = this.#text.slice(start, end);
    if (end < 0 || raw.includes("<"))
      throw new XmlError(this.#at, `Expected a value of ${name} in quotes, but found none`);
    this.#at = end + 1;
    // XML's own rule: a line break in an attribute is a space, unless it was written as a reference.
    return this.#decode(raw.replaceAll(/\r\n|[\r\n\t]/g, " "), start);
  }

  #name(wanted: string): string {
    const name = this.#match(namePattern);
    if (name === "") throw new XmlError(this.#at, `Expected ${wanted}, but found something else`);
    return name;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #decode(raw: string, offset: number): string {
    if (!raw.includes("&")) return raw;
    return raw.replaceAll(/&([^;\s&]*);?/g, (whole, name: string, at: number) => {
      const known = entities[name] ?? reference(name);
      if (known !== undefined && whole.endsWith(";")) return known;
      const message = `Expected one of &lt; &gt; &amp; &quot; &apos; or a character number, but found ${whole.slice(0, 40)}`;
      throw new XmlError(offset + at, message, whole.endsWith(";") ? "xml-refused" : "xml-invalid");
    });
  }

  #qualified(rawName: string, prefixes: ReadonlyMap<string, string>, at: number): string {
    const colon = rawName.indexOf(":");
    const prefix = colon < 0 ? "" : rawName.slice(0, colon);
    const uri = prefixes.get(prefix);
    if (uri === undefined && prefix !== "") throw new XmlError(at, `Expected xmlns:${prefix}, but nothing declares it`);
    this.#bareUri ??= uri === undefined || uri === "" ? bpmnUri : "";
    return prefixOf(uri === undefined || uri === "" ? this.#bareUri : uri, rawName.slice(colon + 1));
  }

  #qualifiedAttributes(
    raw: ReadonlyMap<string, string>,
    prefixes: ReadonlyMap<string, string>,
    at: number,
  ): Map<string, string> {
    const found = new Map<string, string>();
    for (const [name, value] of raw) {
      if (name === "xmlns" || name.startsWith("xmlns:")) continue;
      if (!name.includes(":") || name.startsWith("xml:")) found.set(name, value);
      else found.set(this.#qualified(name, prefixes, at), value);
    }
    return found;
  }
}

function withDeclared(
  outer: ReadonlyMap<string, string>,
  raw: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  let prefixes: Map<string, string> | undefined;
  for (const [name, value] of raw) {
    if (name !== "xmlns" && !name.startsWith("xmlns:")) continue;
    prefixes ??= new Map(outer);
    prefixes.set(name === "xmlns" ? "" : name.slice(6), value);
  }
  return prefixes ?? outer;
}

function reference(name: string): string | undefined {
  const hex = /^#x([0-9a-fA-F]{1,6})$/.exec(name)?.[1];
  const decimal = /^#([0-9]{1,7})$/.exec(name)?.[1];
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  const valid = (hex ?? decimal) !== undefined && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return valid ? String.fromCodePoint(code) : undefined;
}

function normalLines(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
}
