import type { Element, ElementId, ProgramDocument } from "@tutti/kernel";
import { Problems } from "../problem.ts";
import { type Edit, edited, partsIn, shownParts } from "./amend.ts";
import { attribute, BpmnFile, child, childrenOf, textOf } from "./file.ts";
import { generate, namespaces } from "./generate.ts";
import { type Box, drawParts } from "./layout.ts";
import { Names } from "./names.ts";
import { attributeText, node, type OutNode, xmlOf } from "./write.ts";
import { readXml, type XmlNode } from "./xml.ts";

/** Between what is drawn and what is added below it. */
const gap = 60;
/** The schema wants elements before them. */
const artifacts: ReadonlySet<string> = new Set(["bpmn:association", "bpmn:group", "bpmn:textAnnotation"]);

/**
 * The text of a drawing with the parts of a program that it lacks, each where it belongs, with shapes below those that
 * are drawn. What the program has no more is taken out; everything else stays to the byte. Undefined when there is no
 * room for something: the process is not there, or a sub-process is written as an empty element.
 */
export function extendDrawing(text: string, drawn: ProgramDocument, program: ProgramDocument): string | undefined {
  const root = readXml(text, new Problems("export"));
  if (root === undefined) return undefined;
  const file = new BpmnFile(root, new Problems("export"));
  const process = file.roots("bpmn:process").find((each) => file.idOf(each) === program.id);
  if (process === undefined) return undefined;
  const [before, after] = [shownParts(drawn), shownParts(program)];
  const differs = (name: string): boolean => before.get(name) !== after.get(name);
  const drawing = new Drawing(text, { file, root, process });
  const exchanged = exchangedIn(drawn, program);
  for (const name of before.keys()) {
    if (!differs(name) || exchanged.has(name)) continue;
    const id = name.slice(name.indexOf(" ") + 1);
    if (name.startsWith("undo ")) drawing.removeMark(id);
    else drawing.remove(id);
  }
  const generated = generate(
    program,
    drawing.names(program, (name) => differs(name) && !exchanged.has(name)),
  );
  const parents = new Map(program.elements.map(({ id, parent }) => [id, parent]));
  const added = [
    ...program.elements.map(({ id, parent }) => ({ name: `element ${id}`, parent })),
    ...program.flows.map(({ id, from }) => ({ name: `flow ${id}`, parent: parents.get(from) ?? null })),
    ...program.elements.map(({ id, parent }) => ({ name: `undo ${id}`, parent })),
  ].filter(({ name }) => differs(name));
  const made: OutNode[] = [];
  for (const { name, parent } of added) {
    // What stands in a container that is new comes with it.
    if (parent !== null && differs(`element ${parent}`)) continue;
    for (const part of generated.nodes.get(name) ?? []) {
      const isRoom = exchanged.has(name) ? drawing.exchange(name, part) : drawing.insert(parent, part);
      if (!isRoom) return undefined;
      made.push(part);
    }
  }
  const named = new Set(made.flatMap(referencesIn));
  drawing.declare(generated.root.children.filter(({ attributes }) => named.has(attributes["id"] ?? "")));
  const kept = new Set([...exchanged].flatMap((name) => generated.nodes.get(name) ?? []));
  drawing.draw(made.filter((part) => !kept.has(part)));
  return drawing.edited();
}

/** Elements of which only the kind is another, and that look alike: a task for a task, an event for an event. */
function exchangedIn(drawn: ProgramDocument, program: ProgramDocument): ReadonlySet<string> {
  const before = new Map(drawn.elements.map((element) => [element.id, element]));
  const isExchanged = (element: Element): boolean => {
    const was = before.get(element.id);
    if (was === undefined || was.kind === element.kind || was.parent !== element.parent) return false;
    const look = lookOf(element);
    return look !== undefined && look === lookOf(was);
  };
  return new Set(program.elements.filter(isExchanged).map(({ id }) => `element ${id}`));
}

/** What a shape looks like; undefined for one that contains or hangs on others. */
function lookOf({ kind }: Element): string | undefined {
  if (kind.endsWith("sub-process") || kind === "boundary-event") return undefined;
  return /(?:gateway|event)$/.exec(kind)?.[0] ?? "activity";
}

const ends: ReadonlySet<string> = new Set(["bpmn:association", "bpmn:messageFlow"]);
const names: ReadonlySet<string> = new Set(["bpmn:incoming", "bpmn:outgoing", "bpmn:flowNodeRef"]);

/** Whether a node is only there for the part with an id: it draws it, names it, hangs on its edge or leads to it. */
function isNothingWithout(node: XmlNode, id: string): boolean {
  if (names.has(node.name)) return textOf(node) === id;
  const drawn = attribute(node, "bpmnElement") ?? attribute(node, "attachedToRef");
  return drawn === id || (ends.has(node.name) && [...node.attributes.values()].includes(id));
}

/** Everything that an element refers to, in an attribute. */
function referencesIn({ attributes, children }: OutNode): string[] {
  return [...Object.values(attributes).flatMap((value) => value ?? []), ...children.flatMap(referencesIn)];
}

class Drawing {
  readonly #text: string;
  readonly #file: BpmnFile;
  readonly #root: XmlNode;
  readonly #process: XmlNode;
  /** Elements and flows of the process, by what a program calls them. */
  readonly #parts: ReadonlyMap<string, XmlNode>;
  readonly #edits: Edit[] = [];
  readonly #numbered = new Set<XmlNode>();
  readonly #gone = new Set<XmlNode>();
  /** Every node of the file but its root, with the one around it. */
  readonly #parents = new Map<XmlNode, XmlNode>();

  constructor(text: string, at: { readonly file: BpmnFile; readonly root: XmlNode; readonly process: XmlNode }) {
    this.#text = text;
    this.#file = at.file;
    this.#root = at.root;
    this.#process = at.process;
    this.#parts = partsIn(at.file, at.process);
    const visit = (around: XmlNode): void => {
      for (const inner of around.children) {
        this.#parents.set(inner, around);
        visit(inner);
      }
    };
    visit(at.root);
  }

  /** What is drawn keeps its ids; everything else gets some that the file does not have. */
  names(program: ProgramDocument, differs: (name: string) => boolean): Names {
    const known = new Map([[Names.key("process", program.id), attribute(this.#process, "id") ?? program.id]]);
    for (const kind of ["element", "flow"] as const) {
      for (const { id } of kind === "element" ? program.elements : program.flows) {
        const own = attribute(this.#parts.get(id), "id");
        if (own !== undefined && !differs(Names.key(kind, id))) known.set(Names.key(kind, id), own);
      }
    }
    const ids = [...this.#text.matchAll(/\bid\s*=\s*["']([^"']+)["']/g)].map(([, id = ""]) => id);
    return new Names(known, ids);
  }

  /** Writes a part in the place of another of the same id. False where the other has none. */
  exchange(name: string, part: OutNode): boolean {
    const was = this.#parts.get(name.slice(name.indexOf(" ") + 1));
    if (attribute(was, "id") === undefined || was === undefined) return false;
    this.#keepNumbers(was);
    this.#cut(was, xmlOf(declared(part), ""));
    return true;
  }

  /** Takes a part out, with what it contains and what is nothing without it: its shape, where its ends name it. */
  remove(id: string): void {
    const part = this.#parts.get(id);
    if (part !== undefined) this.#takeOut(part);
  }

  /** Takes out what shows that an activity is undone by another. */
  removeMark(id: string): void {
    const own = attribute(this.#parts.get(id), "id");
    for (const part of this.#parts.values()) {
      const isMark = child(part, "bpmn:compensateEventDefinition") !== undefined;
      if (own !== undefined && isMark && attribute(part, "attachedToRef") === own) this.#takeOut(part);
    }
  }

  #takeOut(part: XmlNode): void {
    if (this.#gone.has(part)) return;
    this.#gone.add(part);
    this.#keepNumbers(part);
    this.#cut(part);
    for (const inner of part.children) this.#takeOut(inner);
    const own = attribute(part, "id");
    if (own === undefined || !part.name.startsWith("bpmn:")) return;
    for (const node of this.#parents.keys()) {
      if (attribute(node, "default") === own) this.#cutDefault(node);
      else if (isNothingWithout(node, own)) this.#takeOut(node);
    }
  }

  #cutDefault({ span: { start, content } }: XmlNode): void {
    const found = /\sdefault\s*=\s*(?:"[^"]*"|'[^']*')/.exec(this.#text.slice(start, content));
    if (found !== null)
      this.#edits.push({ from: start + found.index, to: start + found.index + found[0].length, text: "" });
  }

  /** Parts without an id are called by their number, which those behind one that is taken out have to keep. */
  #keepNumbers(removed: XmlNode): void {
    const siblings = this.#parents.get(removed)?.children ?? [];
    const behind = siblings.slice(siblings.indexOf(removed) + 1);
    for (const part of behind) {
      if (
        part.name !== removed.name ||
        !part.name.startsWith("bpmn:") ||
        attribute(part, "id") !== undefined ||
        this.#numbered.has(part)
      )
        continue;
      this.#numbered.add(part);
      const tag = /^<[^\s/>]+/.exec(this.#text.slice(part.span.start, part.span.content))?.[0] ?? "";
      const at = part.span.start + tag.length;
      this.#edits.push({ from: at, to: at, text: ` id="${attributeText(this.#file.idOf(part))}"` });
    }
  }

  #cut({ span: { start, content, close } }: XmlNode, instead = ""): void {
    const end = close === undefined ? content : this.#text.indexOf(">", close) + 1;
    this.#edits.push({ from: start, to: end, text: instead });
  }

  /** False where there is no room. */
  insert(parent: ElementId | null, part: OutNode): boolean {
    const container = parent === null ? this.#process : this.#parts.get(parent);
    const artifact = container?.children.find((each) => artifacts.has(each.name) && !this.#gone.has(each));
    const at = artifact?.span.start ?? container?.span.close;
    if (at === undefined) return false;
    this.#put(at, part);
    return true;
  }

  /** Puts messages and their like before the process. */
  declare(roots: readonly OutNode[]): void {
    for (const each of roots) this.#put(this.#process.span.start, each);
  }

  /** Draws what was added below everything else; in a file without shapes there is nothing to do. */
  draw(made: readonly OutNode[]): void {
    const plane = child(child(this.#root, "bpmndi:BPMNDiagram"), "bpmndi:BPMNPlane");
    const at = plane?.span.close;
    if (at === undefined) return;
    const known = new Map<string, Box>();
    for (const each of childrenOf(plane, "bpmndi:BPMNShape")) {
      const box = boxOf(child(each, "dc:Bounds"));
      if (box !== undefined) known.set(attribute(each, "bpmnElement") ?? "", box);
    }
    const boxes = [...known.values()];
    const corner = {
      x: Math.min(...boxes.map(({ x }) => x), Infinity),
      y: Math.max(...boxes.map(({ y, height }) => y + height), -Infinity) + gap,
    };
    if (boxes.length === 0) return;
    for (const each of drawParts(node("bpmn:process", {}, made), { corner, known })) this.#put(at, each);
  }

  #put(at: number, part: OutNode): void {
    this.#edits.push({ from: at, to: at, text: `${xmlOf(declared(part), "")}\n` });
  }

  edited(): string {
    return edited(this.#text, this.#edits);
  }
}

/** With the prefixes that it uses, whatever the file calls them. */
function declared(part: OutNode): OutNode {
  return { ...part, attributes: { ...namespaces, ...part.attributes } };
}

function boxOf(bounds: XmlNode | undefined): Box | undefined {
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(attribute(bounds, name)));
  if (x === undefined || y === undefined || width === undefined || height === undefined) return undefined;
  return [x, y, width, height].every(Number.isFinite) ? { x, y, width, height } : undefined;
}
