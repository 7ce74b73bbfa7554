import { expect, test } from "vitest";
import { drawing, problemsOf, start } from "../testing/drawing.ts";

test("[D204] the start of an event sub-process for errors interrupts", () => {
  const begins = `<startEvent id="x" isInterrupting="false"><errorEventDefinition/></startEvent>`;
  const text = drawing([start, `<subProcess id="late" triggeredByEvent="true">${begins}</subProcess>`]);
  const said = "Expected an interrupting event for error, but isInterrupting is false";
  expect(problemsOf(text)).toEqual([expect.stringContaining(`error bpmn-invalid ${said}`)]);
  expect(problemsOf(text.replace(' isInterrupting="false"', ""))).toEqual([]);
});
