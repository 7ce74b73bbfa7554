import { expect, test } from "vitest";
import { flowsOf } from "../testing/check.ts";
import { drawing, line, problemsOf, programOf } from "../testing/drawing.ts";

test("[D214] without a start event everything that nothing flows into starts at once", () => {
  const program = programOf(
    drawing([`<serviceTask id="a"/>`, `<serviceTask id="b"/>`, `<serviceTask id="c"/>`, ...line("b", "c")]),
  );
  expect(flowsOf(program)).toEqual(["b → c"]);
  expect(program.elements.map(({ kind }) => kind)).not.toContain("start-event");
  const circle = [`<serviceTask id="a"/>`, `<sequenceFlow id="f" sourceRef="a" targetRef="a"/>`];
  const message =
    "Expected a start event, or something that nothing flows into, but p has neither: it completes at once";
  expect(problemsOf(drawing(circle))[0]).toContain(`warning start-missing ${message}`);
  const late = `<subProcess id="v" triggeredByEvent="true"><startEvent id="s"><signalEventDefinition/></startEvent></subProcess>`;
  expect(problemsOf(drawing([late]))[0]).toContain("p has neither: it completes at once");
  const bare = `<subProcess id="v" triggeredByEvent="true"><task id="t"/></subProcess>`;
  const needed = "error bpmn-invalid Expected a start event in the event sub-process v, but there is none";
  expect(problemsOf(drawing([bare])).join()).toContain(needed);
});

test("[D214] starts at which nothing begins by itself are said", () => {
  const open = `<startEvent id="c"><conditionalEventDefinition><condition>x = 1</condition></conditionalEventDefinition></startEvent>`;
  expect(problemsOf(drawing([`<startEvent id="s"/>`, open])).join()).toContain(
    "looks at the condition of c, but before",
  );
  // What undoes the process as a whole starts when a call of it is undone.
  const start = `<startEvent id="vs"><compensateEventDefinition/></startEvent>`;
  const back = `<subProcess id="v" triggeredByEvent="true">${start}</subProcess>`;
  expect(problemsOf(drawing([`<startEvent id="s"/>`, back])).join()).toBe("");
});

test("[D204] a flow into a sub-process is refused by the names of what it connects", () => {
  const box = `<subProcess id="u"><startEvent id="us"/></subProcess>`;
  const parts = [`<startEvent id="s"/>`, box, `<sequenceFlow id="f" sourceRef="s" targetRef="us"/>`];
  expect(problemsOf(drawing(parts)).join()).toContain("but f leads from s in the process to us in u");
});

test("[D214] a token that comes to a gateway without a way out ends there", () => {
  const parts = [`<startEvent id="s"/>`, `<exclusiveGateway id="g"/>`, ...line("s", "g")];
  const said = problemsOf(drawing(parts)).filter((problem) => problem.includes("route-leads-nowhere"));
  expect(said.join()).toContain(
    "warning route-leads-nowhere Expected a route out of g, but there is none: its token ends there",
  );
});
