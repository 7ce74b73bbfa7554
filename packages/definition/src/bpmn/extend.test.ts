import { readFileSync } from "node:fs";
import { must, type ProgramDocument } from "@tutti/kernel";
import { BpmnModdle } from "bpmn-moddle";
import { expect, test } from "vitest";
import { hashProgram } from "../hash.ts";
import { drawing, end, line, programOf, start } from "../testing/drawing.ts";
import { exportBpmn } from "./export.ts";
import { compileBpmn } from "./import.ts";

const bytes = readFileSync(new URL("../../fixtures/bpmn/zeebe-order.bpmn", import.meta.url));
const drawn = must(compileBpmn(bytes, { file: "order.bpmn" }).documents[0], "it compiles");

/** The program with another task in the middle of its first flow, which sends a message. */
function longer(program: ProgramDocument): ProgramDocument {
  const [first, ...others] = program.flows;
  const flow = must(first, "it has flows");
  const flows = [{ ...flow, to: "tell" }, ...others, { id: "told", from: "tell", to: flow.to }];
  const parent = program.elements.find(({ id }) => id === flow.from)?.parent ?? null;
  const tell = { id: "tell", parent, kind: "send-task", name: "Tell <them>", message: { name: { literal: "news" } } };
  const { hash: _hash, ...changed } = { ...program, flows, elements: [...program.elements, tell as never] };
  return { ...changed, hash: hashProgram(changed) };
}

test("[D229] parts that a drawing does not have are added to it, below what is drawn, and all else stays", async () => {
  const changed = longer(drawn);
  const text = exportBpmn(changed);
  expect(text).not.toContain('exporter="Tutti"');
  expect(compileBpmn(text, { file: "again.bpmn" }).documents[0]?.hash).toBe(changed.hash);
  const flow = drawn.flows[0]?.id ?? "";
  const before = (drawn.source?.text ?? "").split("\n").filter((row) => !row.includes(flow));
  const after = new Set(text.split("\n"));
  expect(before.filter((row) => row.includes("bpmndi:BPMNShape") && !after.has(row))).toEqual([]);
  expect(before.filter((row) => !after.has(row)).length).toBeLessThan(12);
  expect(text).toMatch(/<bpmndi:BPMNShape [^>]*bpmnElement="tell"[^>]*>\s*<dc:Bounds /);
  const { warnings } = await new BpmnModdle().fromXML(text);
  expect(warnings.map(({ message }) => message)).toEqual([]);
  // And once more: a part that was added is taken out again.
  const back = compileBpmn(exportBpmn({ ...drawn, source: { format: "bpmn", text } }), { file: "back.bpmn" });
  expect(back.documents[0]?.hash).toBe(drawn.hash);
});

test("[D229] what is taken out goes with all that it contains, and with its shapes", () => {
  const inner = `<subProcess id="box"><startEvent id="is"/><task id="it"/><sequenceFlow id="if" sourceRef="is" targetRef="it"/></subProcess>`;
  const shapes = ["s", "box", "is", "it"].map((id) => `<d:BPMNShape id="${id}_d" bpmnElement="${id}"/>`).join("");
  const diagram = `<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI"><d:BPMNPlane bpmnElement="p">${shapes}</d:BPMNPlane></d:BPMNDiagram>`;
  const whole = drawing(["<!-- kept -->", start, inner, end, ...line("s", "box", "e")], [diagram]);
  const program = programOf(whole);
  const elements = program.elements.filter(({ id }) => !["box", "is", "it"].includes(id));
  const flows = [{ id: "f1", from: "s", to: "e" }];
  const { hash: _hash, ...shorter } = { ...program, elements, flows };
  const text = exportBpmn({ ...shorter, hash: hashProgram(shorter) });
  expect(text).toContain("<!-- kept -->");
  expect(text).toContain('bpmnElement="s"');
  for (const id of ["box", "is", "it", "if"]) expect(text).not.toContain(`"${id}"`);
});

test("[D229] where there is no room for a part the program is drawn anew", () => {
  const text = (drawn.source?.text ?? "").replace(
    /<bpmn:process[\s\S]*<\/bpmn:process>/,
    `<bpmn:process id="${drawn.id}"/>`,
  );
  const changed = { ...longer(drawn), source: { format: "bpmn", text } as const };
  expect(exportBpmn(changed)).toContain('exporter="Tutti"');
});

test("[D229] parts without an id go, too, and those behind them keep the number they are called by", () => {
  const flow = (from: string, to: string) => `<sequenceFlow sourceRef="${from}" targetRef="${to}"/>`;
  const tasks = [`<task id="a"/>`, `<task id="b"/>`];
  const whole = drawing([start, ...tasks, end, flow("s", "a"), flow("s", "b"), flow("a", "e"), flow("b", "e")]);
  const program = programOf(whole);
  for (const gone of [[0], [3], [1, 2], [0, 1, 2, 3]]) {
    const flows = program.flows.filter((_flow, index) => !gone.includes(index));
    const { hash: _hash, ...fewer } = { ...program, flows };
    const text = exportBpmn({ ...fewer, hash: hashProgram(fewer) });
    expect(text).not.toContain('exporter="Tutti"');
    expect(programOf(text).flows.map(({ id }) => id)).toEqual(flows.map(({ id }) => id));
  }
});

test("[D229] an event that named its message by its own name may be renamed, whatever extensions have its id", () => {
  const extensions = `<extensionElements><camunda:formProperty id="s" name="x"/></extensionElements>`;
  const parts = [`<startEvent id="s" name="Ordered">${extensions}<messageEventDefinition/></startEvent>`, end];
  const program = programOf(drawing([...parts, ...line("s", "e")]));
  const elements = program.elements.map((element) => ({ ...element, name: `New ${element.id}` }));
  const { hash: _hash, ...renamed } = { ...program, elements };
  const text = exportBpmn({ ...renamed, hash: hashProgram(renamed) });
  expect(text).toContain('<startEvent id="s" name="New s"');
  expect(programOf(text).elements[0]).toMatchObject({ trigger: { message: { name: { literal: "Ordered" } } } });
});
