import { expect, test } from "vitest";
import { drawing, end, line, start } from "../testing/drawing.ts";
import { compileBpmn } from "./import.ts";

const extended = (inside: string) => `<extensionElements>${inside}</extensionElements>`;
const task = (inside: string, kind = "serviceTask") => `<${kind} id="odd">${inside}</${kind}>`;
const looped = (attributes: string, inside: string) =>
  task(`<multiInstanceLoopCharacteristics ${attributes}>${inside}</multiInstanceLoopCharacteristics>`);
const some = "<loopCardinality>2</loopCardinality>";
const mapped = (parameter: string) => task(extended(`<camunda:inputOutput>${parameter}</camunda:inputOutput>`));
const caught = (definition: string) => `<intermediateCatchEvent id="odd">${definition}</intermediateCatchEvent>`;
const thrown = (definition: string) => `<intermediateThrowEvent id="odd">${definition}</intermediateThrowEvent>`;
const boundary = (inside: string) => `<boundaryEvent id="odd" attachedToRef="host">${inside}</boundaryEvent>`;
const second = "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>";
const handler = (begin: string) => `<subProcess id="odd" triggeredByEvent="true">${begin}</subProcess>`;
const inner = (inside: string) => `<subProcess id="around">${inside}</subProcess>`;
const flow = (inside: string) => `<sequenceFlow id="odd" sourceRef="g" targetRef="host">${inside}</sequenceFlow>`;
const condition = (text: string, language = "") =>
  flow(`<conditionExpression${language}>${text}</conditionExpression>`);

/** What is refused, and with which words, each in one element with the id `odd`, which stands on line 7. */
const refusals: readonly (readonly [code: string, says: string, element: string])[] = [
  // Elements that Tutti does not run.
  ["element-unsupported", "the choreographyTask odd", `<choreographyTask id="odd"/>`],
  ["element-unsupported", "the callChoreography odd (Talk)", `<callChoreography id="odd" name="Talk"/>`],
  ["element-unsupported", "executionListener", task(extended("<camunda:executionListener/>"))],
  ["element-unsupported", "taskListeners", task(extended("<zeebe:taskListeners/>"), "userTask")],
  ["element-unsupported", "onEntry-script", task(extended("<drools:onEntry-script/>"))],
  ["element-unsupported", "a loop that throws terminate", looped(`behavior="None" noneBehaviorEventRef="stop"`, some)],
  [
    "element-unsupported",
    "a script as the value of",
    mapped(`<camunda:inputParameter name="x"><camunda:script/></camunda:inputParameter>`),
  ],
  // Events.
  ["bpmn-invalid", "it waits for error", caught("<errorEventDefinition/>")],
  ["bpmn-invalid", "it waits for nothing", caught("")],
  ["bpmn-invalid", "it waits for compensation", caught("<compensateEventDefinition/>")],
  ["element-unsupported", "an event that catches terminateEventDefinition", caught("<terminateEventDefinition/>")],
  ["element-unsupported", "an event that throws timerEventDefinition", thrown(second)],
  ["element-unsupported", "an event that throws timerEventDefinition", `<endEvent id="odd">${second}</endEvent>`],
  ["bpmn-invalid", "Expected an end event for terminate", thrown("<terminateEventDefinition/>")],
  ["bpmn-invalid", "Expected an end event for error", thrown("<errorEventDefinition/>")],
  ["bpmn-invalid", "Expected a condition", caught("<conditionalEventDefinition/>")],
  [
    "expression-syntax",
    "Expected an expression",
    caught("<conditionalEventDefinition><condition/></conditionalEventDefinition>"),
  ],
  ["timer-invalid", "Expected one of timeDate", caught("<timerEventDefinition/>")],
  ["timer-invalid", 'found "soon"', caught(second.replace("PT1S", "soon"))],
  ["bpmn-invalid", "it catches nothing", boundary("")],
  ["bpmn-invalid", "it catches a link", boundary(`<linkEventDefinition name="l"/>`)],
  ["bpmn-invalid", "Expected attachedToRef", boundary(second).replace(` attachedToRef="host"`, "")],
  ["bpmn-invalid", "the id gone", boundary(second).replace("host", "gone")],
  ["bpmn-invalid", "the id gone", caught(`<messageEventDefinition messageRef="gone"/>`)],
  ["bpmn-invalid", "the id gone", thrown(`<signalEventDefinition signalRef="gone"/>`)],
  ["element-unsupported", "Expected a fixed error code", boundary(`<errorEventDefinition errorRef="computed"/>`)],
  ["undo-invalid", "Expected an association", boundary("<compensateEventDefinition/>")],
  ["bpmn-invalid", "Expected a plain start", inner(`<startEvent id="odd">${second}</startEvent>`)],
  [
    "bpmn-invalid",
    "Expected a trigger at the start",
    inner(handler(`<startEvent id="begin"/>`)).replace("odd", "box").replace("begin", "odd"),
  ],
  ["bpmn-invalid", "Expected a start event in the event sub-process", handler(`<task id="in"/>`)],
  // Flows and gateways.
  ["element-unsupported", "an expression in urn:XPath", condition("a/b", ` language="urn:XPath"`)],
  ["element-unsupported", "bean.check(x)", condition("${bean.check(x)}")],
  ["bpmn-invalid", "Expected sourceRef", flow("").replace(`sourceRef="g" `, "")],
  ["bpmn-invalid", "the id gone", flow("").replace("host", "gone")],
  ["bpmn-invalid", "Expected no flow into the start-event s", flow("").replace("host", "s")],
  ["target-other-scope", "Expected a flow within one process or sub-process", flow("").replace("host", "within")],
  ["target-other-scope", "Expected a flow within one process, but", flow("").replace("host", "elsewhere")],
  ["undo-invalid", "odd is a sequence flow", flow("").replace("host", "undo")],
  ["bpmn-invalid", "Expected the default flow of odd", `<exclusiveGateway id="odd" default="f1"/>`],
  [
    "element-unsupported",
    "an expression in urn:XPath",
    `<complexGateway id="odd"><activationCondition language="urn:XPath">a/b</activationCondition></complexGateway>`,
  ],
  // Activities.
  ["bpmn-invalid", "Expected startQuantity", `<task id="odd" startQuantity="many"/>`],
  ["bpmn-invalid", "Expected a process that odd calls", `<callActivity id="odd"/>`],
  ["bpmn-invalid", "Expected a job type", task(extended("<zeebe:taskDefinition/>"))],
  [
    "bpmn-invalid",
    "Expected a header with a key",
    task(extended(`<zeebe:taskDefinition type="x"/><zeebe:taskHeaders><zeebe:header value="v"/></zeebe:taskHeaders>`)),
  ],
  ["bpmn-invalid", "found many", task(extended(`<zeebe:taskDefinition type="x" retries="many"/>`))],
  [
    "element-unsupported",
    "Expected a fixed number of retries",
    task(extended(`<zeebe:taskDefinition type="x" retries="=n"/>`)),
  ],
  [
    "element-unsupported",
    "Expected a fixed version",
    `<callActivity id="odd" calledElement="c" camunda:calledElementBinding="version" camunda:calledElementVersion="\${v}"/>`,
  ],
  ["bpmn-invalid", "Expected a variable name", mapped(`<camunda:inputParameter name="a b">1</camunda:inputParameter>`)],
  [
    "bpmn-invalid",
    "Expected a variable name",
    task(extended(`<zeebe:ioMapping><zeebe:input source="=1"/></zeebe:ioMapping>`)),
  ],
  ["loop-invalid", "Expected a loopMaximum", task(`<standardLoopCharacteristics loopMaximum="-1"/>`)],
  ["loop-invalid", "Expected a loopCondition", task("<standardLoopCharacteristics/>")],
  [
    "element-unsupported",
    "an expression in urn:XPath",
    task(
      `<standardLoopCharacteristics><loopCondition language="urn:XPath">a/b</loopCondition></standardLoopCharacteristics>`,
    ),
  ],
  ["loop-invalid", "Expected a number from 0 to 100000", looped("", "<loopCardinality>-2</loopCardinality>")],
  ["loop-invalid", "Expected a collection or a cardinality", looped("", "")],
  ["loop-invalid", "one is missing", looped(`behavior="Complex"`, `${some}<complexBehaviorDefinition/>`)],
  [
    "loop-invalid",
    "one kind of loop",
    task(
      `<standardLoopCharacteristics loopMaximum="1"/><multiInstanceLoopCharacteristics>${some}</multiInstanceLoopCharacteristics>`,
    ),
  ],
  [
    "element-unsupported",
    "bean.check(x)",
    looped("", `${some}<completionCondition>\${bean.check(x)}</completionCondition>`),
  ],
  [
    "element-unsupported",
    "bean.check(x)",
    task("<completionCondition>${bean.check(x)}</completionCondition>", "adHocSubProcess"),
  ],
  // Our own extensions.
  [
    "bpmn-invalid",
    "Expected the path of a field",
    task(extended(`<t:set xmlns:t="urn:tutti:bpmn:1" path="/id">1</t:set>`)),
  ],
  ["bpmn-invalid", "Expected JSON", task(extended(`<t:set xmlns:t="urn:tutti:bpmn:1" path="/name">x</t:set>`))],
];

test.each(refusals)("[D202] %s: %s… names its element and its line", (code, says, element) => {
  const text = drawing(
    [
      `<startEvent id="s"/><exclusiveGateway id="g" default="on"/><task id="host"/>`,
      `<subProcess id="near"><task id="within"/></subProcess><task id="undo" isForCompensation="true"/>`,
      ...line("s", "g"),
      `<sequenceFlow id="on" sourceRef="g" targetRef="e"/><sequenceFlow id="end" sourceRef="host" targetRef="e"/>`,
      end,
      element,
    ],
    [
      `<process id="q"><task id="elsewhere"/></process>`,
      `<error id="computed" errorCode="=why"/><terminateEventDefinition id="stop"/>`,
    ],
  ).replace("<definitions ", `<definitions xmlns:drools="http://www.jboss.org/drools" `);
  const { problems } = compileBpmn(text, { file: "t.bpmn" });
  const errors = problems.filter(({ severity }) => severity === "error");
  expect(errors.map((problem) => [problem.code, problem.element, problem.position.line])).toEqual([[code, "odd", 7]]);
  expect(errors[0]?.message).toContain(says);
  expect(errors[0]?.message).toMatch(/\bodd\b/);
});

test("[D202] a condition that was refused is not said to be missing", () => {
  const refused = condition("${bean.check(x)}").replace('targetRef="host"', 'targetRef="e"');
  const text = drawing([
    start,
    `<exclusiveGateway id="g"/>`,
    end,
    ...line("s", "g"),
    refused,
    refused.replace("odd", "f2"),
  ]);
  const { problems } = compileBpmn(text, { file: "t.bpmn" });
  expect(problems.map(({ code, element }) => [code, element])).toEqual([
    ["element-unsupported", "odd"],
    ["element-unsupported", "f2"],
  ]);
});

test("[D202] what is wrong outside of every process names what it is in, or the file alone", () => {
  const text = drawing(
    [
      start,
      `<intermediateCatchEvent id="c"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>`,
      ...line("s", "c"),
    ],
    [`<message id="m" name="x"/>`, `<message id="m" name="y"/>`],
  );
  const { problems } = compileBpmn(text, { file: "t.bpmn" });
  expect(problems.filter(({ code }) => code === "element-duplicate").map(({ element }) => element)).toEqual(["m"]);
  expect(compileBpmn("<definitions/>", { file: "t.bpmn" }).problems.map(({ element }) => element)).toEqual([undefined]);
});
