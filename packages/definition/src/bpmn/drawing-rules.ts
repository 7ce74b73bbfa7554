import { createRequire } from "node:module";
import type { SourcePosition } from "@tutti/kernel";
import type { ModelElement } from "bpmn-moddle";
import type { Finding } from "../check/finding.ts";
import { limits } from "../limits.ts";
import { Problems } from "../problem.ts";
import { decodeXml } from "./encoding.ts";
import { attribute, BpmnFile } from "./file.ts";
import { readXml } from "./xml.ts";

/** A rule of bpmnlint that an element does not keep. */
export interface DrawingFinding extends Finding {
  readonly rule: string;
  /** In the rule's own words, without saying of which element. */
  readonly complaint: string;
}

/** Something that was said of the file before. */
export interface Said {
  readonly code: string;
  readonly position: SourcePosition;
}

/**
 * What bpmnlint's recommended rules say of a BPMN file, each at the line of its element: whether people can read the
 * drawing, and whether it means what it shows. Nothing of a file that is none, or whose XML is broken, nor what was said
 * already. Never rejects: a rule that fails on a strange file says nothing.
 */
export async function checkDrawing(
  content: string | Uint8Array,
  options: { readonly file: string; readonly said?: readonly Said[] },
): Promise<readonly DrawingFinding[]> {
  const { said = [] } = options;
  const problems = new Problems(options.file);
  const text = decodeXml(content, problems);
  const root = text === undefined ? undefined : readXml(text, problems);
  if (text === undefined || root?.name !== "bpmn:definitions") return [];
  const file = new BpmnFile(root, problems);
  const placeOf = (id: string | undefined): SourcePosition => file.find(id)?.position ?? root.position;
  const model = await modelOf(text);
  if (model === undefined) return [];
  const count = Object.keys(model.elementsById).length;
  if (count > limits.drawingElementsMax) {
    const complaint = `There are ${count} elements: the rules were not asked`;
    return [
      {
        rule: "all",
        complaint,
        code: "drawing-rule",
        message: `Expected at most ${limits.drawingElementsMax} elements for bpmnlint's rules, but there are ${count}: they were not asked`,
        advice: "Part the process into several that call each other.",
        position: root.position,
      },
    ];
  }
  const findings = (await reportsOf(model)).map(
    ({ rule, id, message, url }): DrawingFinding => ({
      rule,
      complaint: message,
      code: "drawing-rule",
      message: `Expected what bpmnlint's ${rule} asks for, but ${messageOf(file, id, message)}`,
      advice: `Draw it otherwise, as ${url} shows, or leave it: it runs as it is.`,
      position: placeOf(id),
      ...(id !== undefined && { element: id }),
    }),
  );
  return findings
    .filter(
      (finding) =>
        !isSaid(finding.rule, [finding.position, placeOf(attribute(file.find(finding.element), "sourceRef"))], said),
    )
    .sort(({ position: a }, { position: b }) => a.line - b.line || a.column - b.column);
}

function messageOf(file: BpmnFile, id: string | undefined, message: string): string {
  const name = attribute(file.find(id), "name") ?? id;
  return name === undefined ? message : `${JSON.stringify(name.slice(0, 80))}: ${message}`;
}

/** Which of our own findings say what a rule says, if they stand at the same element. */
const ours: Readonly<Record<string, readonly string[]>> = {
  "ad-hoc-sub-process": ["bpmn-invalid"],
  "conditional-flows": ["bpmn-invalid", "gateway-not-exhaustive"],
  "end-event-required": ["end-missing"],
  "event-based-gateway": ["bpmn-invalid"],
  "event-sub-process-typed-start-event": ["bpmn-invalid"],
  "link-event": ["bpmn-invalid", "element-unreachable"],
  "no-disconnected": ["element-unreachable", "element-dead", "undo-invalid"],
  "no-implicit-start": ["element-unreachable"],
  "start-event-required": ["start-missing"],
  "sub-process-blank-start-event": ["bpmn-invalid"],
};

function isSaid(rule: string, places: readonly SourcePosition[], said: readonly Said[]): boolean {
  const codes = ours[rule] ?? [];
  return said.some(({ code, position }) => codes.includes(code) && places.some(({ line }) => line === position.line));
}

interface Model {
  readonly root: ModelElement;
  readonly elementsById: Readonly<Record<string, ModelElement>>;
}

/** The file as modelers read it. Loaded here, as nothing else needs their reader. */
async function modelOf(text: string): Promise<Model | undefined> {
  const { BpmnModdle } = await import("bpmn-moddle");
  try {
    const { rootElement, elementsById } = await new BpmnModdle().fromXML(text);
    for (const flow of flowsIn(rootElement)) connect(flow);
    return { root: rootElement, elementsById };
  } catch {
    // What our own reader takes and theirs does not is nothing to have an opinion of.
    return undefined;
  }
}

/** Every sequence flow below an element, whether or not it has an id. */
function flowsIn(element: ModelElement): readonly ModelElement[] {
  if (element.$type === "bpmn:SequenceFlow") return [element];
  return [...(element.rootElements ?? []), ...(element.flowElements ?? [])].flatMap(flowsIn);
}

/** The rules ask elements for their flows, which many tools write at the flows alone. */
function connect(flow: ModelElement): void {
  for (const [end, list] of [
    ["sourceRef", "outgoing"],
    ["targetRef", "incoming"],
  ] as const) {
    const flows = (flow.get(end) as ModelElement | undefined)?.get(list) as ModelElement[] | undefined;
    if (flows?.includes(flow) === false) flows.push(flow);
  }
}

interface Reported {
  readonly rule: string;
  readonly id?: string | undefined;
  readonly message: string;
  readonly url: string;
}

async function reportsOf({ root }: Model): Promise<readonly Reported[]> {
  const { default: Linter } = await import("bpmnlint/lib/linter.js");
  const { default: NodeResolver } = await import("bpmnlint/lib/resolver/node-resolver.js");
  const { default: testRule } = await import("bpmnlint/lib/test-rule.js");
  // Its own rules, and not what the folder that we are started in may call bpmnlint.
  const resolver = new NodeResolver({ require: createRequire(import.meta.url) });
  const linter = new Linter({ resolver });
  const rules = await linter.resolveRules({ extends: "bpmnlint:recommended" });
  const drawn = (root.get("diagrams") as readonly unknown[]).length > 0;
  return rules.flatMap(({ name, rule }): readonly Reported[] => {
    // A file without any diagram leaves out no shape in particular.
    if (name === "no-bpmndi" && !drawn) return [];
    const url = rule.meta?.documentation?.url ?? "bpmnlint's documentation";
    try {
      const reports = testRule({ moddleRoot: root, rule });
      const [first, ...others] = reports;
      // Where a part was never drawn, that is one thing to know, and not one for every element of it.
      const once = name === "no-bpmndi" && first !== undefined && others.length > 0;
      const said = once ? [{ ...first, message: `${first.message}, as are ${others.length} others` }] : reports;
      return said.map(({ id, message }) => ({ rule: name, id, message, url }));
    } catch {
      return [];
    }
  });
}
