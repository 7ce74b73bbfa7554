import { expect, test } from "vitest";
import { drawing, end, line, problemsOf, programOf, said, start } from "../testing/drawing.ts";

test("[D204] the start of an event sub-process for errors interrupts", () => {
  const begins = `<startEvent id="x" isInterrupting="false"><errorEventDefinition/></startEvent>`;
  const text = drawing([start, `<subProcess id="late" triggeredByEvent="true">${begins}</subProcess>`]);
  const said = "Expected an interrupting event for error, but isInterrupting is false";
  expect(problemsOf(text)).toEqual([expect.stringContaining(`error bpmn-invalid ${said}`)]);
  expect(problemsOf(text.replace(' isInterrupting="false"', ""))).toEqual([]);
});

test("[D212] an error that is declared nowhere is thrown and caught by its reference; a reference to something else is none", () => {
  const part = (reference: string) =>
    drawing([
      start,
      `<subProcess id="t"><startEvent id="i"/><endEvent id="x"><errorEventDefinition errorRef="${reference}"/></endEvent></subProcess>`,
      `<boundaryEvent id="b" attachedToRef="t"><errorEventDefinition errorRef="${reference}"/></boundaryEvent>`,
      end,
      ...line("s", "t", "e"),
      `<sequenceFlow id="ix" sourceRef="i" targetRef="x"/>`,
      `<sequenceFlow id="be" sourceRef="b" targetRef="e"/>`,
    ]);
  const program = programOf(part("broken"));
  expect([said(program, "x")["trigger"], said(program, "b")["trigger"]]).toEqual([
    { type: "error", code: "broken" },
    { type: "error", code: "broken" },
  ]);
  const undeclared = expect.stringContaining(
    `Expected error with the id "broken", but there is none: that is its code`,
  );
  expect(problemsOf(part("broken"))).toEqual([undeclared, undeclared]);
  expect(problemsOf(part("t"))[0]).toContain("Expected error with the id t, but it is a subProcess");
});
