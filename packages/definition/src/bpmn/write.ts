/** An XML element to be written. */
export interface OutNode {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | undefined>>;
  readonly children: OutNode[];
  readonly text?: string;
}

export function node(
  name: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  content: readonly (OutNode | undefined)[] | string = [],
): OutNode {
  if (typeof content === "string") return { name, attributes, children: [], text: content };
  return { name, attributes, children: content.filter((inner) => inner !== undefined) };
}

/** Characters that XML 1.0 cannot contain, however they are written. */
const impossible = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;
const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\r": "&#13;",
  "\t": "&#9;",
};

export function attributeText(text: string): string {
  return text
    .replaceAll(impossible, "\uFFFD")
    .replaceAll(/[&<>"\n\r\t]/g, (character) => escapes[character] ?? character);
}

function elementText(text: string): string {
  return text.replaceAll(impossible, "\uFFFD").replaceAll(/[&<>\r]/g, (character) => escapes[character] ?? character);
}

/** An element as text, to be put into a document. */
export function xmlOf(root: OutNode, indent: string): string {
  const lines: string[] = [];
  writeNode(root, indent, lines);
  return lines.join("\n");
}

/** The document as text, two spaces a level. A text stands alone in its element, exactly as it is. */
export function writeXml(root: OutNode): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  writeNode(root, "", lines);
  return `${lines.join("\n")}\n`;
}

function writeNode(element: OutNode, indent: string, lines: string[]): void {
  const children = element.children.filter(
    (inner) => inner.name !== "bpmn:extensionElements" || inner.children.length > 0,
  );
  const attributes = Object.entries(element.attributes).flatMap(([name, value]) =>
    value === undefined ? [] : ` ${name}="${attributeText(value)}"`,
  );
  const open = `${indent}<${element.name}${attributes.join("")}`;
  if (element.text !== undefined) lines.push(`${open}>${elementText(element.text)}</${element.name}>`);
  else if (children.length === 0) lines.push(`${open} />`);
  else {
    lines.push(`${open}>`);
    for (const inner of children) writeNode(inner, `${indent}  `, lines);
    lines.push(`${indent}</${element.name}>`);
  }
}
