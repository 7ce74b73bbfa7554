import { readdirSync, readFileSync } from "node:fs";
import { type Activity, type Element, type Flow, must, type ProgramDocument } from "@tutti/kernel";
import { expect, test } from "vitest";
import { hashProgram } from "../hash.ts";
import { exportBpmn } from "./export.ts";
import { compileBpmn } from "./import.ts";

const folder = new URL("../../fixtures/bpmn/", import.meta.url);
const names = readdirSync(folder);

function drawnIn(name: string): ProgramDocument {
  return must(compileBpmn(readFileSync(new URL(name, folder)), { file: name }).documents[0], `${name} compiles`);
}

function textOf(program: ProgramDocument): string {
  return program.source?.text ?? "";
}

/** What shows each element: its shape or edge, with labels, docks and whatever its tool writes, by the element's id. */
function diagramOf(text: string): ReadonlyMap<string, string> {
  const parts = text.matchAll(/<bpmndi:BPMN(Shape|Edge)\b[^>]*?\bbpmnElement="([^"]+)"[\s\S]*?<\/bpmndi:BPMN\1>/g);
  return new Map([...parts].map(([whole, , id = ""]) => [id, whole]));
}

/** Ids of all that is to be seen, without flows that have none. */
function visibleIn(text: string): readonly string[] {
  const tags =
    /<(?:\w+:)?(participant|lane|messageFlow|sequenceFlow|association|textAnnotation|task|\w+Task|\w+Event|\w+Gateway|subProcess|callActivity)\b[^>]*?\sid="([^"]+)"/g;
  return [...text.matchAll(tags)].map(([, , id = ""]) => id);
}

/** The drawing of a changed program, which must not be drawn anew and must come back as it was. */
function exported(program: ProgramDocument): string {
  const { hash: _hash, ...content } = program;
  const whole = { ...content, hash: hashProgram(content) };
  const text = exportBpmn(whole);
  expect(text).not.toContain('exporter="Tutti"');
  expect(compileBpmn(text, { file: "again.bpmn" }).documents[0]?.hash).toBe(whole.hash);
  return text;
}

/** Everything that is still there is shown as it was before; what is not, no more. */
function expectKept(program: ProgramDocument, text: string): void {
  const [before, after] = [diagramOf(textOf(program)), diagramOf(text)];
  const left = new Set(visibleIn(text));
  for (const [id, shown] of before) expect(after.get(id), id).toBe(left.has(id) ? shown : undefined);
}

test.each(names)("[D200] the fixture %s has a shape for every node and an edge for every flow", (name) => {
  const text = textOf(drawnIn(name));
  const visible = visibleIn(text);
  expect(visible.length).toBeGreaterThan(9);
  expect([...diagramOf(text).keys()].sort()).toEqual([...visible].sort());
});

test.each(names)("[D229] what %s shows stays as it was when its program changes in what is not shown", (name) => {
  const program = drawnIn(name);
  const elements = program.elements.map((element) => ({
    ...element,
    name: `Now ${element.id}`,
    documentation: "New.",
  }));
  const text = exported({ ...program, version: "7", elements });
  expect(diagramOf(text)).toEqual(diagramOf(textOf(program)));
});

test.each(names)("[D229] what %s shows stays as it was when something is added, which is shown, too", (name) => {
  const program = drawnIn(name);
  const host = must(
    program.elements.find(({ kind, parent }) => /-task$/.test(kind) && parent === null),
    "there is a task",
  );
  const added = [
    { id: "late", kind: "boundary-event", parent: null, attachedTo: host.id, interrupting: false, trigger: timer },
    { id: "later", kind: "boundary-event", parent: null, attachedTo: host.id, interrupting: false, trigger: timer },
    { id: "tell", kind: "manual-task", parent: null, name: "Tell" },
  ] as unknown as readonly Element[];
  const flows = [
    { id: "on", from: "late", to: "tell" },
    { id: "again", from: "later", to: "tell" },
  ] as readonly Flow[];
  const text = exported({
    ...program,
    elements: [...program.elements, ...added],
    flows: [...program.flows, ...flows],
  });
  expectKept(program, text);
  expect([...diagramOf(text).keys()]).toEqual(expect.arrayContaining(["late", "later", "tell", "on", "again"]));
  expect(new Set(boundsOf(text)).size).toBe(boundsOf(text).length);
});

const timer = { type: "timer", timer: { kind: "duration", value: { literal: "PT1H" } } };

function boundsOf(text: string): readonly string[] {
  const shapes = [...diagramOf(text).values()].filter((shown) => shown.startsWith("<bpmndi:BPMNShape"));
  return shapes.map((shown) =>
    ["x", "y"].map((side) => Number(new RegExp(` ${side}="([^"]+)"`).exec(shown)?.[1])).join(),
  );
}

/** The program without an element, and without what is nothing without it. */
function without(program: ProgramDocument, id: string): ProgramDocument {
  const gone = new Set([id]);
  for (const element of program.elements) {
    const on = "attachedTo" in element ? element.attachedTo : undefined;
    if (gone.has(element.parent ?? "") || gone.has(on ?? "")) gone.add(element.id);
  }
  for (const element of program.elements)
    if ("compensation" in element && gone.has(element.id)) gone.add(element.compensation ?? "");
  const flows = program.flows.filter(({ from, to }) => !gone.has(from) && !gone.has(to));
  const left = new Set([...flows.map((flow) => flow.id), ...program.elements.map((element) => element.id)]);
  for (const each of gone) left.delete(each);
  const elements = program.elements
    .filter((element) => !gone.has(element.id))
    .map((element) => {
      const { defaultFlow, compensation, ...rest } = element as { defaultFlow?: string; compensation?: string };
      const kept = {
        ...(left.has(defaultFlow ?? "") && { defaultFlow }),
        ...(left.has(compensation ?? "") && { compensation }),
      };
      return { ...rest, ...kept } as Element;
    });
  return { ...program, elements, flows };
}

test.each(names)("[D229] what %s shows of everything else stays as it was when an element is taken out", (name) => {
  const program = drawnIn(name);
  for (const { id } of program.elements) {
    const text = exported(without(program, id));
    expectKept(program, text);
    expect(visibleIn(text)).not.toContain(id);
  }
});

test.each(names)("[D229] what %s shows stays as it was when elements become others that look alike", (name) => {
  const program = drawnIn(name);
  const turned = (element: Element): Element => {
    const { id, parent } = element;
    const { defaultFlow, compensation, forCompensation } = element as Partial<Activity>;
    const kept = { ...(compensation && { compensation }), ...(forCompensation && { forCompensation }) };
    if (element.kind === "exclusive-gateway")
      return { id, parent, kind: "inclusive-gateway", ...(defaultFlow && { defaultFlow }) };
    return element.kind.endsWith("-task") ? { id, parent, kind: "manual-task", name: "By hand", ...kept } : element;
  };
  const text = exported({ ...program, elements: program.elements.map(turned) });
  expect(diagramOf(text)).toEqual(diagramOf(textOf(program)));
});

test("[D229] the mark of what undoes an activity comes and goes by itself, with its association", () => {
  const program = drawnIn("zeebe-order.bpmn");
  const undone = (handler: string | undefined) =>
    program.elements.map((element) => {
      const { compensation: _compensation, ...rest } = element as { compensation?: string };
      return (element.id === "ship" && handler !== undefined ? { ...rest, compensation: handler } : rest) as Element;
    });
  const moved = exported({ ...program, elements: undone("refund") });
  expectKept(program, moved);
  expect(visibleIn(moved)).not.toContain("undo_charge");
  expect(moved).toMatch(/attachedToRef="ship"[\s\S]*targetRef="refund"/);
});
