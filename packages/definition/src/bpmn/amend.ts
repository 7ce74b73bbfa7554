import type { ProgramDocument } from "@tutti/kernel";
import { Problems } from "../problem.ts";
import { BpmnFile, child, childrenOf } from "./file.ts";
import { tuttiUri } from "./namespace.ts";
import type { Change } from "./patch.ts";
import { attributeText, node, xmlOf } from "./write.ts";
import { readXml, type XmlNode } from "./xml.ts";

/** What is to be said of a part of a process beyond what its drawing says. */
export interface Amendment {
  /** Of an element or a flow; undefined: of the process itself. */
  readonly id: string | undefined;
  readonly changes: readonly Change[];
}

/** Text that takes the place of other text. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** What a drawing shows of each element and flow, as texts to be compared. */
export function shownParts({ elements, flows }: ProgramDocument): ReadonlyMap<string, string> {
  const parts = elements.map(({ id, kind, parent, ...rest }) => {
    const attachedTo = "attachedTo" in rest ? rest.attachedTo : null;
    return [`element ${id}`, [kind, parent, attachedTo]] as const;
  });
  // Drawn as a mark at the edge of the one and an association to the other.
  const undoing = elements.flatMap((element) => {
    const handler = "compensation" in element ? element.compensation : undefined;
    return handler === undefined ? [] : [[`undo ${element.id}`, [handler]] as const];
  });
  const lines = flows.map(({ id, from, to }) => [`flow ${id}`, [from, to]] as const);
  return new Map([...parts, ...undoing, ...lines].map(([name, shown]) => [name, JSON.stringify(shown)]));
}

/** Everything that is written in a process, by what a program calls it; extensions have ids of their own. */
export function partsIn(file: BpmnFile, process: XmlNode): Map<string, XmlNode> {
  const parts = new Map<string, XmlNode>();
  const visit = (container: XmlNode): void => {
    for (const inner of container.children) {
      if (!inner.name.startsWith("bpmn:") || inner.name === "bpmn:extensionElements") continue;
      parts.set(file.idOf(inner), inner);
      visit(inner);
    }
  };
  visit(process);
  return parts;
}

/** Whether a program has the parts that another was drawn with, each in its place: then the drawing still fits. */
export function isDrawnAlike(drawn: ProgramDocument, program: ProgramDocument): boolean {
  const [before, after] = [shownParts(drawn), shownParts(program)];
  return before.size === after.size && [...before].every(([name, shown]) => after.get(name) === shown);
}

/**
 * The text of a drawing with what changed since: names in place, everything else in elements of our namespace inside of
 * the element that it is about. The rest stays as it is to the byte: shapes, comments, extensions of others.
 */
export function amendDrawing(text: string, processId: string, amendments: readonly Amendment[]): string | undefined {
  const problems = new Problems("export");
  const root = readXml(text, problems);
  if (root === undefined) return undefined;
  const file = new BpmnFile(root, problems);
  const process = childrenOf(root, "bpmn:process").find((each) => file.idOf(each) === processId);
  if (process === undefined) return undefined;
  const nodes = partsIn(file, process);
  const edits = amendments.flatMap(({ id, changes }) => {
    const at = id === undefined ? process : nodes.get(id);
    return at === undefined ? [] : editsOf(text, at, changes);
  });
  return edited(text, edits);
}

function editsOf(text: string, at: XmlNode, changes: readonly Change[]): Edit[] {
  const name = changes.find(({ path, value }) => path === "/name" && typeof value === "string");
  const others = changes.filter((change) => change !== name);
  const { start, content, close } = at.span;
  const tag = text.slice(start, content);
  const head = name === undefined ? tag : withName(tag, String(name.value));
  if (others.length === 0) return head === tag ? [] : [{ from: start, to: content, text: head }];
  const said = others.map(({ path, value }) =>
    value === undefined
      ? xmlOf(node("tutti:remove", { "xmlns:tutti": tuttiUri, path }), "")
      : xmlOf(node("tutti:set", { "xmlns:tutti": tuttiUri, path }, JSON.stringify(value)), ""),
  );
  const prefix = /^<([^\s/>:]+:)?/.exec(tag)?.[1] ?? "";
  const open = head.replace(/\s*\/>$/, ">");
  const ended = close === undefined ? `</${/^<([^\s/>]+)/.exec(tag)?.[1]}>` : "";
  const extended = child(at, "bpmn:extensionElements");
  const inside = (list: string): string => `<${prefix}extensionElements>${list}</${prefix}extensionElements>`;
  if (extended === undefined) {
    // The standard wants them behind the documentation and before everything else.
    const behind = childrenOf(at, "bpmn:documentation").at(-1);
    const added = inside(said.join(""));
    if (behind === undefined) return [{ from: start, to: content, text: `${open}${added}${ended}` }];
    const end = endOf(text, behind);
    return [
      { from: start, to: content, text: head },
      { from: end, to: end, text: added },
    ];
  }
  const { span } = extended;
  if (span.close !== undefined) {
    return [
      { from: start, to: content, text: head },
      { from: span.close, to: span.close, text: said.join("") },
    ];
  }
  return [
    { from: start, to: content, text: head },
    { from: span.start, to: span.content, text: inside(said.join("")) },
  ];
}

function endOf(text: string, { span: { content, close } }: XmlNode): number {
  return close === undefined ? content : text.indexOf(">", close) + 1;
}

function withName(tag: string, name: string): string {
  const written = `name="${attributeText(name)}"`;
  const had = /(\s)name\s*=\s*(?:"[^"]*"|'[^']*')/;
  if (had.test(tag)) return tag.replace(had, (_whole, space: string) => `${space}${written}`);
  return tag.replace(/^<[^\s/>]+/, (start) => `${start} ${written}`);
}

export function edited(text: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.from - b.from)) {
    // It lies in something that was taken out, and went with it.
    if (edit.from < at) continue;
    parts.push(text.slice(at, edit.from), edit.text);
    at = edit.to;
  }
  return [...parts, text.slice(at)].join("");
}
