import { expect, test } from "vitest";
import { compile } from "../compile.ts";

const flow = (id: string, from: string, to: string, attributes = "", body = ""): string =>
  `<sequenceFlow id="${id}" sourceRef="${from}" targetRef="${to}" ${attributes}>${body}</sequenceFlow>`;
const line = flow("f1", "s", "a") + flow("f2", "a", "e");
const when = (text: string): string => `<conditionExpression>${text}</conditionExpression>`;
const start = `<startEvent id="s"/>`;
const process = (content: string, first = start): string =>
  `<process id="p" isExecutable="true">${first}<endEvent id="e"/>${content}</process>
  <message id="m" name="m"/><signal id="g" name="g"/><escalation id="c"/>`;
const trigger = (kind: string, body = ""): string => `<${kind}EventDefinition>${body}</${kind}EventDefinition>`;
const seconds = trigger("timer", "<timeDuration>PT1S</timeDuration>");
const signal = `<signalEventDefinition signalRef="g"/>`;
const at = (id: string, body: string, attributes = ""): string =>
  `<boundaryEvent id="${id}" attachedToRef="a" ${attributes}>${body}</boundaryEvent>`;
const catching = (id: string, body: string): string =>
  `<intermediateCatchEvent id="${id}">${body}</intermediateCatchEvent>`;
const throwing = (id: string, body: string): string =>
  `<intermediateThrowEvent id="${id}">${body}</intermediateThrowEvent>`;
const ends = (body: string): string =>
  process(`<task id="a"/><endEvent id="x">${body}</endEvent>${line}${flow("f3", "s", "x")}`);
const begins = (body: string): string => process(`<task id="a"/>${line}`, `<startEvent id="s">${body}</startEvent>`);
const beside = (first: string): string =>
  process(`<task id="a"/><subProcess id="v" triggeredByEvent="true">${first}</subProcess>${line}`);
const looped = (loop: string): string => process(`<task id="a">${loop}</task>${line}`);
const twice =
  "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>";
const link = `<linkEventDefinition name="l"/>`;
const handled = (more: string, handler = `<task id="h" isForCompensation="true"/>`): string =>
  process(
    `<task id="a"/>${at("b", trigger("compensate"))}${handler}<association id="x" sourceRef="b" targetRef="h"/>${line}${more}`,
  );
/** A gateway in front of a timer and a receive task. */
const choosing = (attributes: string, more: string, first = start): string =>
  process(
    `<eventBasedGateway id="w" ${attributes}/>${catching("a", seconds)}<receiveTask id="r" messageRef="m"/>${more}
    ${flow("f3", "w", "a")}${flow("f4", "w", "r")}${flow("f2", "a", "e")}${flow("f5", "r", "e")}`,
    first,
  );

function found(drawing: string): { readonly runs: boolean; readonly codes: readonly string[] } {
  const file = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:d">${drawing}</definitions>`;
  const { programs, problems } = compile(file, { file: "drawn.bpmn" });
  return { runs: programs.length > 0, codes: problems.map(({ code, severity }) => `${severity} ${code}`) };
}

test.each([
  ["an id that is there twice", process(`<task id="a"/><task id="a"/>${line}`), "element-duplicate"],
  ["a flow without a source", process(`<task id="a"/>${line}<sequenceFlow id="f3" targetRef="e"/>`), "bpmn-invalid"],
  ["a flow without a target", process(`<task id="a"/>${line}<sequenceFlow id="f3" sourceRef="a"/>`), "bpmn-invalid"],
  [
    "a flow into a sub-process",
    process(`<subProcess id="a"><task id="b"/></subProcess>${line}${flow("f3", "s", "b")}`),
    "target-other-scope",
  ],
  [
    "a flow into another process",
    `${process(`<task id="a"/>${line}${flow("f3", "a", "o")}`)}<process id="q" isExecutable="true"><endEvent id="o"/></process>`,
    "target-other-scope",
  ],
  ["a flow into a start event", process(`<task id="a"/>${line}${flow("f3", "a", "s")}`), "bpmn-invalid"],
  [
    "a flow into a boundary event",
    process(`<task id="a"/>${at("b", trigger("error"))}${line}${flow("f3", "b", "e")}${flow("f4", "s", "b")}`),
    "bpmn-invalid",
  ],
  ["a default flow of somewhere else", process(`<exclusiveGateway id="a" default="f1"/>${line}`), "bpmn-invalid"],
  ["a default flow of an activity that is not its own", process(`<task id="a" default="f1"/>${line}`), "bpmn-invalid"],
  [
    "a condition that is no expression",
    process(`<exclusiveGateway id="a"/>${flow("f1", "s", "a")}${flow("f2", "a", "e", "", when("1 +"))}`),
    "expression-syntax",
  ],
  ["two kinds of loop", looped(`<standardLoopCharacteristics loopMaximum="2"/>${twice}`), "loop-invalid"],
  ["a loop with nothing to go by", looped("<standardLoopCharacteristics/>"), "loop-invalid"],
  ["a loop with a negative maximum", looped(`<standardLoopCharacteristics loopMaximum="-1"/>`), "loop-invalid"],
  ["several instances of nothing", looped("<multiInstanceLoopCharacteristics/>"), "loop-invalid"],
  ["a negative number of instances", looped(twice.replace("2<", "-1<")), "loop-invalid"],
  ["no tokens to start with", process(`<task id="a" startQuantity="0"/>${line}`), "bpmn-invalid"],
  ["no tokens to go on with", process(`<task id="a" completionQuantity="0"/>${line}`), "bpmn-invalid"],
  [
    "an event sub-process with a flow in",
    beside(`<startEvent id="vs">${signal}</startEvent>`).replace(line, `${line}${flow("f3", "a", "v")}`),
    "bpmn-invalid",
  ],
  [
    "an event sub-process with a flow out",
    beside(`<startEvent id="vs">${signal}</startEvent>`).replace(line, `${line}${flow("f3", "v", "e")}`),
    "bpmn-invalid",
  ],
  ["an event sub-process that nothing starts", beside(`<task id="b"/>`), "bpmn-invalid"],
  ["an event sub-process without a trigger", beside(`<startEvent id="vs"/>`), "bpmn-invalid"],
  [
    "an event sub-process with two start events",
    beside(`<startEvent id="vs">${signal}</startEvent><startEvent id="vt">${signal}</startEvent>`),
    "bpmn-invalid",
  ],
  [
    "an event sub-process that starts with a cancel event",
    beside(`<startEvent id="vs">${trigger("cancel")}</startEvent>`),
    "bpmn-invalid",
  ],
  ["an event sub-process that starts with a link", beside(`<startEvent id="vs">${link}</startEvent>`), "bpmn-invalid"],
  [
    "an event sub-process that starts with terminate",
    beside(`<startEvent id="vs">${trigger("terminate")}</startEvent>`),
    "element-unsupported",
  ],
  [
    "an error that does not interrupt",
    beside(`<startEvent id="vs" isInterrupting="false">${trigger("error")}</startEvent>`),
    "bpmn-invalid",
  ],
  [
    "a sub-process that starts with a message",
    process(
      `<subProcess id="a"><startEvent id="b"><messageEventDefinition messageRef="m"/></startEvent></subProcess>${line}`,
    ),
    "bpmn-invalid",
  ],
  ...["error", "escalation", "compensate", "cancel"].map((kind) => [
    `a process that starts with ${kind}`,
    begins(trigger(kind)),
    "bpmn-invalid",
  ]),
  ["waiting for nothing", process(`${catching("a", "")}${line}`), "bpmn-invalid"],
  ...["error", "escalation", "compensate", "cancel"].map((kind) => [
    `waiting for ${kind} on the way`,
    process(`${catching("a", trigger(kind))}${line}`),
    "bpmn-invalid",
  ]),
  ["waiting for terminate", process(`${catching("a", trigger("terminate"))}${line}`), "element-unsupported"],
  ["throwing a timer", process(`${throwing("a", seconds)}${line}`), "element-unsupported"],
  [
    "throwing a condition",
    process(`${throwing("a", trigger("conditional", "<condition>true</condition>"))}${line}`),
    "element-unsupported",
  ],
  ...["error", "cancel", "terminate"].map((kind) => [
    `throwing ${kind} and going on`,
    process(`${throwing("a", trigger(kind))}${line}`),
    "bpmn-invalid",
  ]),
  ["ending with a timer", ends(seconds), "element-unsupported"],
  ["ending with a condition", ends(trigger("conditional", "<condition>true</condition>")), "element-unsupported"],
  ["ending with a link", ends(link), "bpmn-invalid"],
  ["ending with cancel outside of a transaction", ends(trigger("cancel")), "bpmn-invalid"],
  [
    "a cancel event in a sub-process of a transaction",
    process(
      `<transaction id="a"><subProcess id="u"><endEvent id="x">${trigger("cancel")}</endEvent></subProcess></transaction>${line}`,
    ),
    "bpmn-invalid",
  ],
  [
    "a cancel event at a task",
    process(`<task id="a"/>${at("b", trigger("cancel"))}${line}${flow("f3", "b", "e")}`),
    "bpmn-invalid",
  ],
  [
    "an error at the boundary that does not interrupt",
    process(`<task id="a"/>${at("b", trigger("error"), 'cancelActivity="false"')}${line}${flow("f3", "b", "e")}`),
    "bpmn-invalid",
  ],
  [
    "a boundary event without a trigger",
    process(`<task id="a"/>${at("b", "")}${line}${flow("f3", "b", "e")}`),
    "bpmn-invalid",
  ],
  ["a link at a boundary", process(`<task id="a"/>${at("b", link)}${line}${flow("f3", "b", "e")}`), "bpmn-invalid"],
  [
    "a boundary event at a gateway",
    process(`<exclusiveGateway id="a"/>${at("b", trigger("error"))}${line}${flow("f3", "b", "e")}`),
    "bpmn-invalid",
  ],
  [
    "a boundary event at nothing",
    process(
      `<task id="a"/>${at("b", trigger("error")).replace('attachedToRef="a"', "")}${line}${flow("f3", "b", "e")}`,
    ),
    "bpmn-invalid",
  ],
  [
    "a compensation mark that leads nowhere",
    process(`<task id="a"/>${at("b", trigger("compensate"))}${line}`),
    "undo-invalid",
  ],
  ["a compensation mark that leads to an event", handled("", `<endEvent id="h"/>`), "undo-invalid"],
  ["a handler with a flow", handled(flow("f3", "h", "e")), "undo-invalid"],
  [
    "undoing what is not there",
    process(`${throwing("a", `<compensateEventDefinition activityRef="nobody"/>`)}${line}`),
    "bpmn-invalid",
  ],
  [
    "a conditional event without a condition",
    process(`${catching("a", trigger("conditional"))}${line}`),
    "bpmn-invalid",
  ],
  ["a link that leads nowhere", process(`${throwing("a", link)}${flow("f1", "s", "a")}`), "bpmn-invalid"],
  [
    "a link that leads to two places",
    process(
      `${throwing("t", link)}${catching("a", link)}${catching("b", link)}${flow("f1", "s", "t")}${flow("f2", "a", "e")}${flow("f3", "b", "e")}`,
    ),
    "bpmn-invalid",
  ],
  [
    "a gateway that waits for a task",
    process(
      `<eventBasedGateway id="w"/><task id="a"/>${flow("f1", "s", "w")}${flow("f3", "w", "a")}${flow("f2", "a", "e")}`,
    ),
    "bpmn-invalid",
  ],
  [
    "a start event in an ad-hoc sub-process",
    process(`<adHocSubProcess id="a"><startEvent id="b"/><task id="t"/></adHocSubProcess>${line}`),
    "bpmn-invalid",
  ],
  ["a call of nothing", process(`<callActivity id="a"/>${line}`), "bpmn-invalid"],
  ...["<timeDate>tomorrow</timeDate>", "<timeDuration>5 minutes</timeDuration>", "<timeCycle>R3</timeCycle>", ""].map(
    (time) => [
      `a timer of ${time || "nothing"}`,
      process(`${catching("a", trigger("timer", time))}${line}`),
      "timer-invalid",
    ],
  ),
])("[D233] refused: %s", (_, drawing, code) => {
  const { runs, codes } = found(drawing as string);
  expect(runs).toBe(false);
  expect(codes).toContain(`error ${code}`);
});

const invalid = "warning bpmn-invalid";
test.each([
  ["a condition behind a start event", process(flow("f1", "s", "e", "", when("n > 1"))), invalid],
  [
    "a condition behind a parallel gateway",
    process(`<parallelGateway id="a"/>${flow("f1", "s", "a")}${flow("f2", "a", "e", "", when("n > 1"))}`),
    invalid,
  ],
  [
    "a condition on a default flow",
    process(
      `<exclusiveGateway id="a" default="f2"/><task id="b"/>${flow("f1", "s", "a")}${flow("f2", "a", "e", "", when("n > 1"))}${flow("f3", "a", "b", "", when("n > 2"))}`,
    ),
    invalid,
  ],
  [
    "one way out of an activity, with a condition",
    process(`<task id="a"/>${flow("f1", "s", "a")}${flow("f2", "a", "e", "", when("n > 1"))}`),
    "warning gateway-not-exhaustive",
  ],
  ["a flow out of an end event", process(`<task id="a"/>${line}${flow("f3", "e", "a")}`), invalid],
  [
    "a flow out of a throwing link",
    process(`${throwing("a", link)}${catching("b", link)}${line}${flow("f3", "b", "e")}`),
    invalid,
  ],
  [
    "a flow into a catching link",
    process(`${throwing("t", link)}${catching("a", link)}${line}${flow("f3", "s", "t")}`),
    invalid,
  ],
  ["a flow out of a compensation mark", handled(flow("f3", "b", "e")), invalid],
  ["a flow into a gateway that begins the process", choosing('instantiate="true"', flow("f1", "s", "w")), invalid],
  [
    "a flow into a receive task that begins the process",
    process(`<receiveTask id="a" messageRef="m" instantiate="true"/>${line}`),
    invalid,
  ],
  ["a parallel event-based gateway on the way", choosing('eventGatewayType="Parallel"', flow("f1", "s", "w")), invalid],
  [
    "an event that nothing leads to",
    process(`${catching("a", seconds)}${flow("f1", "s", "e")}${flow("f2", "a", "e")}`),
    "warning element-unreachable",
  ],
])("[D233] runs with a warning: %s", (_, drawing, said) => {
  const { runs, codes } = found(drawing);
  expect(runs).toBe(true);
  expect(codes).toContain(said);
});

test.each([
  [
    "a gateway that says it joins, and splits",
    process(
      `<exclusiveGateway id="a" gatewayDirection="Converging" default="f2"/><task id="b"/>${line}${flow("f3", "a", "b", "", when("n > 1"))}`,
    ),
  ],
  [
    "a gateway that says it splits, and joins",
    process(
      `<exclusiveGateway id="a" gatewayDirection="Diverging"/><task id="b"/>${line}${flow("f3", "s", "b")}${flow("f4", "b", "a")}`,
    ),
  ],
  [
    "one event behind a gateway",
    process(
      `<eventBasedGateway id="w"/>${catching("a", seconds)}${flow("f1", "s", "w")}${flow("f3", "w", "a")}${flow("f2", "a", "e")}`,
    ),
  ],
  ["another flow into an event behind a gateway", choosing("", flow("f1", "s", "w") + flow("f6", "s", "a"))],
  [
    "a message and a receive task behind a gateway",
    choosing("", flow("f1", "s", "w")).replace(seconds, `<messageEventDefinition messageRef="m"/>`),
  ],
  [
    "a receive task with a boundary event behind a gateway",
    choosing("", `${flow("f1", "s", "w")}${at("b", seconds).replace('"a"', '"r"')}${flow("f6", "b", "e")}`),
  ],
  ["a gateway that begins the process, and a timer behind it", choosing('instantiate="true"', "", "")],
  [
    "an escalation without a code",
    process(`${throwing("a", `<escalationEventDefinition escalationRef="c"/>`)}${line}`),
  ],
  ["an escalation of nothing", ends(trigger("escalation"))],
  ["an error of nothing", ends(trigger("error"))],
  ["a handler without its mark", handled("", `<task id="h"/>`)],
  [
    "a compensation that says it does not interrupt",
    beside(`<startEvent id="vs" isInterrupting="false">${trigger("compensate")}</startEvent>`),
  ],
  [
    "an end in an ad-hoc sub-process",
    process(`<adHocSubProcess id="a"><task id="t"/><endEvent id="b"/></adHocSubProcess>${line}`),
  ],
  ["an empty ad-hoc sub-process", process(`<adHocSubProcess id="a"/>${line}`)],
  ["a start without an end", process(`<task id="a"/>${flow("f1", "s", "a")}`).replace(`<endEvent id="e"/>`, "")],
  ["an end without a start", process(`<task id="a"/>${flow("f2", "a", "e")}`, "")],
  ["a boundary event without a flow", process(`<task id="a"/>${at("b", trigger("error"))}${line}`)],
  [
    "two events at an activity for the same error",
    process(
      `<task id="a"/>${at("b", trigger("error"))}${at("k", trigger("error"))}${line}${flow("f3", "b", "e")}${flow("f4", "k", "e")}`,
    ),
  ],
  ["a flow that says it is not immediate", process(flow("f1", "s", "e", 'isImmediate="false"'))],
  ["a call of what is not in the file", process(`<callActivity id="a" calledElement="elsewhere"/>${line}`)],
  ["more tokens to start with than ever come", process(`<task id="a" startQuantity="2"/>${line}`)],
])("[D233] runs: %s", (_, drawing) => {
  expect(found(drawing)).toEqual({ runs: true, codes: [] });
});
