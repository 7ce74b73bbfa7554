import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { limits } from "../limits.ts";
import { around, drawing, end, line, start } from "../testing/drawing.ts";
import { checkDrawing, type Said } from "./drawing-rules.ts";

async function rulesOf(text: string, said: readonly Said[] = []): Promise<readonly string[]> {
  const findings = await checkDrawing(text, { file: "t.bpmn", said });
  return findings.map(({ position, rule }) => `${position.line} ${rule}`);
}

test("[D228] bpmnlint's rules are asked, each finding at its element with what to read about it", async () => {
  const text = drawing([start, `<task id="t" name="Look"/>`, `<task id="u"/>`, end, ...line("s", "t", "e")]);
  const findings = await checkDrawing(text, { file: "t.bpmn" });
  expect(findings).toContainEqual({
    rule: "no-disconnected",
    complaint: "Element is not connected",
    code: "drawing-rule",
    message: `Expected what bpmnlint's no-disconnected asks for, but "u": Element is not connected`,
    advice: expect.stringContaining("/docs/rules/no-disconnected.md"),
    position: { line: 4, column: 1 },
    element: "u",
  });
  expect(await rulesOf(text)).toEqual(
    [
      "2 label-required",
      "4 label-required",
      "4 no-disconnected",
      "4 no-implicit-start",
      "4 no-implicit-end",
      "5 label-required",
    ].sort(),
  );
});

test("[D228] flows count wherever they are written, and shapes only where something is drawn", async () => {
  const named = drawing(around(`<task id="t" name="Look"/>`)).replaceAll(/Event id="(.)"/g, `Event id="$1" name="$1"`);
  expect(await rulesOf(named)).toEqual([]);
  const shapes = `<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI"><d:BPMNPlane bpmnElement="p"/></d:BPMNDiagram></definitions>`;
  const [bare, ...others] = await checkDrawing(named.replace("</definitions>", shapes), { file: "t.bpmn" });
  expect([bare?.message, others]).toEqual([
    expect.stringContaining(`"s": Element is missing bpmndi, as are 4 others`),
    [],
  ]);
  expect(await rulesOf(named.replaceAll(/(<sequenceFlow) id="[^"]*"/g, "$1"))).toEqual([]);
});

const fixtures = new URL("../../fixtures/bpmn/", import.meta.url);
test.each(readdirSync(fixtures))("[D228] what flows connect in %s is connected, with ids or without", async (name) => {
  const findings = await checkDrawing(readFileSync(new URL(name, fixtures)), { file: name });
  const rules = findings.map(({ rule, element }) => `${rule} ${element}`).join();
  expect(rules).not.toMatch(/no-disconnected|no-implicit-(?:start|end) (?!told)/);
});

test("[D228] what was said at the same element is not said again, at the gateway of a flow neither", async () => {
  const gateway = [
    start,
    `<exclusiveGateway id="g" default="f2" name="?"/>`,
    `<task id="t" name="Look"/>`,
    `<task id="u" name="Alone"/>`,
  ];
  const flows = [...line("s", "g", "t"), `<sequenceFlow id="more" sourceRef="g" targetRef="t"/>`];
  const text = drawing([...gateway, ...flows]);
  const rules = await rulesOf(text);
  expect(rules).toEqual(expect.arrayContaining(["8 conditional-flows", "5 no-disconnected"]));
  const at = (code: string, row: number) => ({ code, position: { line: row, column: 1 } });
  const fewer = await rulesOf(text, [at("bpmn-invalid", 3), at("element-unreachable", 5)]);
  expect(fewer).toEqual(rules.filter((rule) => !/conditional-flows|5 no-(?:disconnected|implicit-start)/.test(rule)));
});

test("[D228] nothing is said of what is no drawing; a large one is not asked; strange ones do no harm", async () => {
  for (const text of ["process: p", "<definitions", "<html/>", "<!DOCTYPE x><definitions/>"])
    expect(await rulesOf(text)).toEqual([]);
  const many = Array.from({ length: limits.drawingElementsMax }, (_, index) => `<task id="t${index}"/>`);
  expect(await rulesOf(drawing(many))).toEqual(["1 all"]);
  const strange = `<sequenceFlow id="f" sourceRef="f" targetRef="nobody"/><boundaryEvent id="b"/><laneSet><lane id="l"><flowNodeRef>f</flowNodeRef></lane></laneSet><startEvent id="constructor"/>`;
  expect((await rulesOf(drawing([strange]))).length).toBeGreaterThan(0);
});
