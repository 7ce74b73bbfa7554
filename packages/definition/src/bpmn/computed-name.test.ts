import type { ProgramDocument } from "@tutti/kernel";
import { expect, test } from "vitest";
import { compileYaml } from "../compile.ts";
import { around, drawing, line, problemsOf, programOf, said, start } from "../testing/drawing.ts";
import { exportBpmn } from "./export.ts";
import { compileBpmn } from "./import.ts";

const extended = (inner: string) => `<extensionElements>${inner}</extensionElements>`;

/** The same program without its drawing, so that it is drawn from what it says. */
function redrawn({ source: _source, ...program }: ProgramDocument): ProgramDocument | undefined {
  const { documents, problems } = compileBpmn(exportBpmn(program), { file: "again.bpmn" });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return documents.find(({ id }) => id === program.id);
}

test.each([
  [
    "a job type",
    `<serviceTask id="t">${extended(`<zeebe:taskDefinition type="=kind + &quot;.x&quot;"/>`)}</serviceTask>`,
    { job: { type: `= kind + ".x"`, typeFrom: { language: "feel", text: `kind + ".x"` } } },
  ],
  [
    "a topic of Camunda 7",
    `<serviceTask id="t" camunda:type="external" camunda:topic="\${topic}"/>`,
    { job: { type: "= topic", typeFrom: { variable: "topic" } } },
  ],
  [
    "a called process",
    `<callActivity id="t">${extended(`<zeebe:calledElement processId="=which"/>`)}</callActivity>`,
    { process: "= which", processFrom: { variable: "which" }, binding: "latest" },
  ],
  [
    "a called process of the deployment",
    `<callActivity id="t">${extended(`<zeebe:calledElement processId="=which" bindingType="deployment"/>`)}</callActivity>`,
    { processFrom: { variable: "which" }, binding: "deployment" },
  ],
  [
    "a called process of Camunda 7",
    `<callActivity id="t" calledElement="\${region}-order"/>`,
    { processFrom: { language: "cel", text: `string(region) + "-order"` } },
  ],
  [
    "a decision",
    `<businessRuleTask id="t">${extended(`<zeebe:calledDecision decisionId="=which" resultVariable="fee"/>`)}</businessRuleTask>`,
    { job: { typeFrom: { language: "feel", text: `"decision." + (which)` } }, outputs: [{ target: "fee" }] },
  ],
  [
    "a decision of Camunda 7",
    `<businessRuleTask id="t" camunda:decisionRef="\${which + 'x'}"/>`,
    { job: { typeFrom: { language: "cel", text: `"decision." + (string(which) + 'x')` } } },
  ],
  [
    "candidates and an assignee",
    `<userTask id="t">${extended(`<zeebe:assignmentDefinition assignee="=boss" candidateGroups="=groups" candidateUsers="=users"/>`)}</userTask>`,
    { assignee: { variable: "boss" }, candidatesFrom: [{ variable: "groups" }, { variable: "users" }] },
  ],
  [
    "an owner of Activiti's",
    `<userTask id="t"><potentialOwner><resourceAssignmentExpression><formalExpression>group(\${team})</formalExpression></resourceAssignmentExpression></potentialOwner></userTask>`,
    { candidatesFrom: [{ variable: "team" }] },
  ],
])("[D230] %s may be computed, and is the same after an export", (_what, task, expected) => {
  const program = programOf(drawing(around(task)));
  expect(said(program, "t")).toMatchObject(expected);
  expect(redrawn(program)?.hash).toBe(program.hash);
});

test("[D230] codes that are thrown may be computed, and are the same after an export", () => {
  const roots = [`<error id="err" errorCode="=why"/>`, `<escalation id="esc" escalationCode="=&quot;E&quot; + why"/>`];
  const raised = `<intermediateThrowEvent id="t"><escalationEventDefinition escalationRef="esc"/></intermediateThrowEvent>`;
  const failed = `<endEvent id="e"><errorEventDefinition errorRef="err"/></endEvent>`;
  const program = programOf(drawing([start, raised, failed, ...line("s", "t", "e")], roots));
  expect(said(program, "t")).toMatchObject({
    trigger: { type: "escalation", codeFrom: { language: "feel", text: `"E" + why` } },
  });
  expect(said(program, "e")).toMatchObject({
    trigger: { type: "error", code: "= why", codeFrom: { variable: "why" } },
  });
  expect(redrawn(program)?.hash).toBe(program.hash);
});

test("[D230] what is caught, and a version, are refused when they are computed, with a way out", () => {
  const caught = `<boundaryEvent id="b" attachedToRef="t"><errorEventDefinition errorRef="err"/></boundaryEvent>`;
  const text = drawing(
    [...around(`<subProcess id="t"/>`), caught, `<sequenceFlow id="f9" sourceRef="b" targetRef="e"/>`],
    [`<error id="err" errorCode="=why"/>`],
  );
  expect(problemsOf(text)[0]).toBe(
    "7:41 error element-unsupported Expected a fixed error code to catch, but =why is computed; let the event catch every error (without errorRef), and choose behind it by error.code (in b)",
  );
  const call = `<callActivity id="t">${extended(`<zeebe:calledElement processId="c" bindingType="versionTag" versionTag="=v"/>`)}</callActivity>`;
  expect(problemsOf(drawing(around(call)))[0]).toContain(
    "Expected a fixed version, but =v is computed; name it, or bind to the latest version and roll that out",
  );
});

test("[D230] what a computed name reads is checked like any other expression", () => {
  const task = `<serviceTask id="t">${extended(`<zeebe:taskDefinition type="=if kind"/>`)}</serviceTask>`;
  expect(problemsOf(drawing(around(task)))[0]).toContain("error expression-syntax");
  const free = `process: p\nsteps: { a: { job: "= kind" }, b: { call: "= which" }, c: { user: { candidates: ["= team"] } } }`;
  const { problems } = compileYaml(free, { file: "t.yaml" });
  expect(problems.map(({ code, message }) => [code, /'?(kind|which|team)'?/.exec(message)?.[1]])).toEqual([
    ["variable-undeclared", "kind"],
    ["variable-undeclared", "which"],
    ["variable-undeclared", "team"],
  ]);
});

test("[D124] names in YAML may be computed, the codes of what is caught may not", () => {
  const text = `process: p
variables: { kind: string, team: list }
steps:
  work: { job: "= kind" }
  sent: { send: { job: "\${kind}.send" } }
  child: { call: "= kind", binding: latest }
  ask: { user: { title: Ask, candidates: [ann, "= team"] } }
  asked: { user: { title: Ask, candidates: "= team" } }
  raise: { emit: { escalation: "= kind" } }
  done: { throw: { code: "= kind", message: no } }
`;
  const { programs, problems } = compileYaml(text, { file: "t.yaml" });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  const [program] = programs as [ProgramDocument];
  const kind = { variable: "kind" };
  expect(said(program, "work")).toMatchObject({ job: { type: "= kind", typeFrom: kind } });
  expect(said(program, "sent")).toMatchObject({ job: { typeFrom: { text: 'string(kind) + ".send"' } } });
  expect(said(program, "child")).toMatchObject({ process: "= kind", processFrom: kind, binding: "latest" });
  expect(said(program, "ask")).toMatchObject({ candidates: ["ann"], candidatesFrom: [{ variable: "team" }] });
  expect(said(program, "asked")["candidates"]).toBeUndefined();
  expect(said(program, "raise")).toMatchObject({ trigger: { code: "= kind", codeFrom: kind } });
  expect(said(program, "done")).toMatchObject({ trigger: { code: "= kind", codeFrom: kind } });
  expect(redrawn(program)?.hash).toBe(program.hash);
  for (const on of [`{ error: { "= kind": end } }`, `{ event: { escalation: "= kind", then: end } }`]) {
    const refused = compileYaml(`process: p\nvariables: { kind: string }\nsteps: { a: { job: x, on: ${on} } }`, {
      file: "t.yaml",
    });
    expect(refused.problems.map(({ message }) => message).join()).toContain(
      "Expected a fixed code to catch, but = kind is computed; catch every code",
    );
  }
});
