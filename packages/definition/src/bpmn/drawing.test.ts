import { expect, test } from "vitest";
import { compile } from "../compile.ts";
import { around, drawing, end, line, problemsOf, programOf, said, start } from "../testing/drawing.ts";

test("[D216] lanes stand in the extension, foreign things change nothing", () => {
  const lanes = `<laneSet id="l"><lane id="l1" name="All"><flowNodeRef>s</flowNodeRef><flowNodeRef>t</flowNodeRef><childLaneSet id="l2"><lane id="l3" name="Some"><flowNodeRef>t</flowNodeRef></lane></childLaneSet></lane></laneSet>`;
  const foreign = [`<tns:thing id="t"/>`, `<textAnnotation id="n"><text>x</text></textAnnotation>`, `<group id="g"/>`];
  const parts = around(
    `<serviceTask id="t"><extensionElements><tns:own x="1"><tns:deep/></tns:own></extensionElements></serviceTask>`,
  );
  const program = programOf(drawing([lanes, ...parts, ...foreign]));
  expect([said(program, "s")["extension"], said(program, "t")["extension"]]).toEqual([
    { lane: "All" },
    { lane: "Some" },
  ]);
  expect(program.elements.map(({ id }) => id)).toEqual(["s", "t", "e"]);
});

test("[D217] a file is BPMN by its name or by its first sign", () => {
  const text = drawing([start]);
  const yaml = "process: p\nsteps: { a: { pass: true } }";
  const kinds = (source: string | Uint8Array, file: string) =>
    compile(source, { file }).programs.map((program) => program.source?.format);
  expect([kinds(text, "a.bpmn"), kinds(`\n ${text}`, "a.txt"), kinds(Buffer.from(`\uFEFF${text}`), "b")]).toEqual([
    ["bpmn"],
    ["bpmn"],
    ["bpmn"],
  ]);
  expect([kinds(yaml, "a.yaml"), kinds(Buffer.from(yaml), "a")]).toEqual([[undefined], [undefined]]);
  expect(compile(yaml, { file: "a.bpmn" }).problems.map(({ code }) => code)).toEqual(["xml-invalid"]);
});

test("[D211] [D121] [D227] loops of the standard, quantities, and the gateways that wait", () => {
  const looped = (inside: string) =>
    drawing(around(`<manualTask id="t" startQuantity="2" completionQuantity="1">${inside}</manualTask>`));
  const loop = `<standardLoopCharacteristics testBefore="true" loopMaximum="3"><loopCondition>=x &gt; 1</loopCondition></standardLoopCharacteristics>`;
  expect(said(programOf(looped(loop)), "t")).toEqual({
    id: "t",
    parent: null,
    kind: "manual-task",
    startQuantity: 2,
    loop: { mode: "standard", condition: { language: "feel", text: "x > 1" }, testBefore: true, maximum: 3 },
  });
  expect(problemsOf(looped("<standardLoopCharacteristics/>"))[0]).toContain(
    "Expected a loopCondition or a loopMaximum, but there is neither",
  );
  const gateway = (text: string) => drawing(around(text, "g"));
  const complex = `<complexGateway id="g"><activationCondition>=arrived &gt;= 1</activationCondition></complexGateway>`;
  expect(said(programOf(gateway(complex)), "g")).toMatchObject({
    kind: "complex-gateway",
    activation: { language: "feel", text: "arrived >= 1" },
  });
  const counted = complex.replace("arrived", "activationCount");
  expect(said(programOf(gateway(counted)), "g")).toMatchObject({ activation: { text: "activationCount >= 1" } });
  expect(said(programOf(gateway(`<complexGateway id="g"/>`)), "g")).toMatchObject({ activation: { text: "true" } });
  const joined = `<complexGateway id="g"><incoming>a</incoming><incoming>b</incoming><activationCondition/></complexGateway>`;
  expect(problemsOf(gateway(joined))[0]).toContain("warning bpmn-invalid Expected an activationCondition in g");
});

test("[D212] event sub-processes, transactions, links and several triggers", () => {
  const text = drawing(
    [
      ...around(
        `<transaction id="t"><startEvent id="ts"/><endEvent id="te"><cancelEventDefinition/></endEvent><sequenceFlow id="tf" sourceRef="ts" targetRef="te"/></transaction>`,
      ),
      `<boundaryEvent id="b" attachedToRef="t"><cancelEventDefinition/></boundaryEvent>`,
      `<intermediateThrowEvent id="go"><linkEventDefinition name="far"/></intermediateThrowEvent>`,
      `<sequenceFlow id="bf" sourceRef="b" targetRef="go"/>`,
      `<intermediateCatchEvent id="come"><linkEventDefinition name="far"/></intermediateCatchEvent>`,
      `<endEvent id="both"><signalEventDefinition signalRef="sig"/><escalationEventDefinition escalationRef="esc"/></endEvent>`,
      `<sequenceFlow id="cf" sourceRef="come" targetRef="both"/>`,
      `<subProcess id="aside" triggeredByEvent="true"><startEvent id="as" isInterrupting="false" parallelMultiple="true"><signalEventDefinition signalRef="sig"/><conditionalEventDefinition><extensionElements><zeebe:conditionalFilter variableNames="x, y"/></extensionElements><condition>=x &gt; y</condition></conditionalEventDefinition></startEvent></subProcess>`,
    ],
    [`<signal id="sig" name="alarm"/>`, `<escalation id="esc" escalationCode="late"/>`],
  );
  const program = programOf(text);
  expect(said(program, "t")).toMatchObject({ kind: "sub-process", transaction: true });
  expect([said(program, "te")["trigger"], said(program, "b")["trigger"]]).toEqual([
    { type: "cancel" },
    { type: "cancel" },
  ]);
  expect([said(program, "go")["trigger"], said(program, "come")["trigger"]]).toEqual([
    { type: "link", name: "far" },
    { type: "link", name: "far" },
  ]);
  expect(said(program, "both")["trigger"]).toEqual({
    type: "multiple",
    triggers: [
      { type: "signal", signal: { name: { literal: "alarm" } } },
      { type: "escalation", code: "late" },
    ],
  });
  expect(said(program, "aside")).toMatchObject({ triggeredByEvent: true });
  expect(said(program, "as")).toMatchObject({
    interrupting: false,
    trigger: {
      type: "multiple",
      parallel: true,
      triggers: [{ type: "signal" }, { type: "conditional", condition: { text: "x > y" }, variables: ["x", "y"] }],
    },
  });
});

test("[D202] a listener is refused wherever it stands", () => {
  const listening = `<extensionElements><camunda:executionListener class="x"/></extensionElements>`;
  const refused = (text: string) => problemsOf(text).map((problem) => problem.replace(/^\S+ /, ""));
  const message = (id: string) =>
    `error element-unsupported Expected what Tutti can run, but found executionListener in ${id}`;
  expect(refused(drawing([listening, start]))).toEqual([message("p")]);
  expect(refused(drawing([`<startEvent id="s">${listening}</startEvent>`]))).toEqual([message("s")]);
  expect(
    refused(drawing([start, `<exclusiveGateway id="g">${listening}</exclusiveGateway>`, end, ...line("s", "g", "e")])),
  ).toEqual([message("g")]);
});

test("[D202] a compensation that nobody waits for goes on at once", () => {
  const thrown = (waits: boolean) =>
    `<intermediateThrowEvent id="t"><compensateEventDefinition waitForCompletion="${waits}"/></intermediateThrowEvent>`;
  const trigger = (waits: boolean) => said(programOf(drawing(around(thrown(waits)))), "t")["trigger"];
  expect([trigger(false), trigger(true)]).toEqual([{ type: "compensation", waits: false }, { type: "compensation" }]);
});

test("[D211] what the items of a loop throw as they complete", () => {
  const roots = [
    `<signal id="sig" name="one more"/>`,
    `<signalEventDefinition id="sd" signalRef="sig"/>`,
    `<errorEventDefinition id="ed"/>`,
  ];
  const looped = (attributes: string, inside = "") =>
    drawing(
      around(
        `<serviceTask id="t"><multiInstanceLoopCharacteristics ${attributes}><loopCardinality>2</loopCardinality>${inside}</multiInstanceLoopCharacteristics></serviceTask>`,
      ),
      roots,
    );
  const event = { type: "signal", signal: { name: { literal: "one more" } } };
  const loop = (text: string) => said(programOf(text), "t")["loop"];
  expect(loop(looped(`behavior="None" noneBehaviorEventRef="sd"`))).toMatchObject({ behavior: "none", event });
  expect(loop(looped(`behavior="One" oneBehaviorEventRef="sd"`))).toMatchObject({ behavior: "one", event });
  expect(loop(looped(`behavior="All"`))).not.toHaveProperty("behavior");
  const complex = `<complexBehaviorDefinition><condition>=numberOfCompletedInstances = 1</condition><event><signalEventDefinition signalRef="sig"/></event></complexBehaviorDefinition>`;
  expect(loop(looped(`behavior="Complex"`, complex))).toMatchObject({
    behavior: "complex",
    events: [{ condition: { language: "feel", text: "completed = 1" }, event }],
  });
  expect(problemsOf(looped(`behavior="One" oneBehaviorEventRef="ed"`))[0]).toContain("found a loop that throws error");
  expect(problemsOf(looped(`behavior="Complex"`, "<complexBehaviorDefinition/>"))[0]).toContain("but one is missing");
});
