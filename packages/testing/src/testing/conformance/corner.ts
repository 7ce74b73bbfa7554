import type { Row } from "./row.ts";

const pair = `<startEvent id="s"/><endEvent id="e"/>`;
const timer = (duration: string): string =>
  `<timerEventDefinition><timeDuration>${duration}</timeDuration></timerEventDefinition>`;
const signal = `<signalEventDefinition signalRef="x"/>`;
const error = `<errorEventDefinition errorRef="err"/>`;
const escalation = `<escalationEventDefinition escalationRef="esc"/>`;
const message = `<messageEventDefinition messageRef="m"/>`;
const cond = (text: string): string =>
  `<conditionalEventDefinition><condition>${text}</condition></conditionalEventDefinition>`;
const boundary = (id: string, at: string, definition: string, interrupting = true): string =>
  `<boundaryEvent id="${id}" attachedToRef="${at}" cancelActivity="${interrupting}">${definition}</boundaryEvent>`;
const upon = (id: string, definition: string, content = "", interrupting = true): string =>
  `<subProcess id="${id}" triggeredByEvent="true"><startEvent id="${id}s" isInterrupting="${interrupting}">${definition}</startEvent>${content}</subProcess>`;
const roots = `<signal id="x" name="x"/><message id="m" name="m"/><message id="n" name="n"/><error id="err" errorCode="err"/><error id="other" errorCode="other"/>
  <escalation id="esc" escalationCode="esc"/><escalation id="esc2" escalationCode="esc2"/>`;
const process = (content: string): string => `<process id="p" isExecutable="true">${content}</process>${roots}`;
const undone = (id: string, kind = "task", more = ""): string =>
  `<${kind} id="${id}">${more}</${kind}><boundaryEvent id="${id}u" attachedToRef="${id}"><compensateEventDefinition/></boundaryEvent><association id="${id}x" sourceRef="${id}u" targetRef="${id}h"/><task id="${id}h" isForCompensation="true"/>`;
const throws = (id: string, attributes = ""): string =>
  `<intermediateThrowEvent id="${id}"><compensateEventDefinition ${attributes}/></intermediateThrowEvent>`;

/** Where several of these meet. */
export const corners: readonly Row[] = [
  {
    clause: "13.5.3",
    says: "a signal that a sub-process awaits inside and at its boundary reaches both",
    rules: "K123 K132",
    choice:
      "the one that began to wait first has it first: the boundary event ends the sub-process with all its handlers",
    drawing: process(
      `${pair}<subProcess id="u"><userTask id="a"/>${upon("v", signal, `<task id="b"/>{vs>b}`)}</subProcess>${boundary("c", "u", signal)}<task id="d"/>{s>u; u>e; c>d}`,
    ),
    publish: [{ signal: "x", after: "1h" }],
    hours: { a: 4 },
    path: "s u a !a !u c d",
  },
  {
    clause: "13.5.3",
    says: "a message goes to one of those that wait, inside or at the boundary",
    rules: "K121",
    choice: "the one that began to wait first: the boundary event",
    drawing: process(
      `${pair}<subProcess id="u"><userTask id="a"/>${upon("v", message, `<task id="b"/>{vs>b}`)}</subProcess>${boundary("c", "u", message)}<task id="d"/>{s>u; u>e; c>d}`,
    ),
    publish: [{ message: "m", after: "1h" }],
    hours: { a: 4 },
    path: "s u a !a !u c d",
  },
  {
    clause: "13.5.3",
    says: "a conditional boundary event that does not interrupt is triggered as its condition comes to hold",
    rules: "K126",
    drawing: process(
      `${pair}<userTask id="a"/><userTask id="w"/>${boundary("b", "a", cond("n &gt; 1"), false)}<task id="c"/>{s>a; a>e; s>w; b>c}`,
    ),
    vars: { n: 0 },
    answers: { a: { complete: {}, after: "5h" }, w: { complete: { n: 2 }, after: "1h" } },
    path: "s a w b c e",
  },
  {
    clause: "13.5.4",
    says: "a conditional event sub-process starts as its condition comes to hold",
    rules: "K126 K132",
    drawing: process(
      `${pair}<userTask id="a"/><userTask id="w"/>${upon("v", cond("n &gt; 1"), `<task id="c"/>{vs>c}`)}{s>a; a>e; s>w}`,
    ),
    vars: { n: 0 },
    answers: { a: { complete: {}, after: "5h" }, w: { complete: { n: 2 }, after: "1h" } },
    path: "s a w !a v vs c",
  },
  {
    clause: "13.5.5",
    says: "what completed in a sub-process that was interrupted is not undone afterwards",
    rules: "K95",
    drawing: process(
      `${pair}<subProcess id="u"><startEvent id="us"/>${undone("a")}<userTask id="w"/>{us>a; a>w}</subProcess>${boundary("b", "u", timer("PT1H"))}${throws("t")}{s>u; u>e; b>t; t>e}`,
    ),
    answers: { w: { ignore: true } },
    path: "s u us a w !w !u b t e",
  },
  {
    clause: "13.5.3",
    says: "a boundary event on a multi-instance ends all instances",
    rules: "K46",
    drawing: process(
      `${pair}<userTask id="a"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></userTask>${boundary("b", "a", timer("PT1H"))}{s>a; a>e; b>e}`,
    ),
    answers: { a: { ignore: true } },
    path: "s a a[0] a[1] !a[0] !a[1] !a b e",
  },
  {
    clause: "13.3.7",
    says: "the completion condition of a sequential one keeps the next from starting",
    rules: "K78",
    drawing: process(
      `${pair}<userTask id="a"><multiInstanceLoopCharacteristics isSequential="true"><loopCardinality>3</loopCardinality><completionCondition>numberOfCompletedInstances = 2</completionCondition></multiInstanceLoopCharacteristics></userTask>{s>a; a>e}`,
    ),
    path: "s a a[0] a[1] e",
  },
  {
    clause: "13.3.7",
    says: "the number of instances may be computed",
    rules: "K65",
    drawing: process(
      `${pair}<userTask id="a"><multiInstanceLoopCharacteristics isSequential="true"><loopCardinality>n + 1</loopCardinality></multiInstanceLoopCharacteristics></userTask>{s>a; a>e}`,
    ),
    vars: { n: 2 },
    path: "s a a[0] a[1] a[2] e",
  },
  {
    clause: "13.5.4",
    says: "terminate in an event sub-process ends only that",
    rules: "K14",
    drawing: process(
      `${pair}<userTask id="a"/>${upon("v", message, `<userTask id="b"/><endEvent id="f"><terminateEventDefinition/></endEvent>{vs>b; vs>f}`, false)}{s>a; a>e}`,
    ),
    publish: [{ message: "m", after: "1h" }],
    hours: { a: 4, b: 2 },
    path: "s a v vs b f !b e",
  },
  {
    clause: "13.3.4",
    says: "an error passes through a call that does not catch it, to the caller's caller",
    rules: "K61",
    drawing: `<process id="p" isExecutable="true">${pair}<callActivity id="c" calledElement="q"/>${boundary("b", "c", error)}<task id="d"/>{s>c; c>e; b>d}</process><process id="q" isExecutable="true"><startEvent id="t"/><callActivity id="k" calledElement="r"/>{t>k}</process><process id="r" isExecutable="true"><startEvent id="v"/><endEvent id="f">${error}</endEvent>{v>f}</process>${roots}`,
    path: "s c !c b d / t k !k / v f !f",
  },
  {
    clause: "13.2",
    says: "a start event with several triggers that are all needed begins with the first and waits for the others",
    rules: "K146",
    drawing: `<process id="p" isExecutable="true"><startEvent id="s" parallelMultiple="true">${message}<messageEventDefinition messageRef="n"/></startEvent><task id="a"/>{s>a}</process>${roots}`,
    publish: [{ message: "m" }, { message: "n", after: "1h" }],
    path: "s a",
  },
  {
    clause: "13.2",
    says: "a start event with several triggers begins with any of them",
    rules: "K145",
    drawing: `<process id="p" isExecutable="true"><startEvent id="s">${message}<messageEventDefinition messageRef="n"/></startEvent><task id="a"/>{s>a}</process>${roots}`,
    publish: [{ message: "n" }],
    path: "s a",
  },
  {
    clause: "13.4.1",
    says: "a parallel gateway may join and split at once",
    rules: "K42",
    drawing: process(
      `<startEvent id="s"/><task id="a"/><task id="b"/><parallelGateway id="g"/><task id="c"/><task id="d"/>{s>a; s>b; a>g; b>g; g>c; g>d}`,
    ),
    path: "s a b g c d",
  },
  {
    clause: "13.4.3",
    says: "so may an inclusive one",
    rules: "K160 K161",
    drawing: process(
      `<startEvent id="s"/><task id="a"/><userTask id="b"/><inclusiveGateway id="g"/><task id="c"/><task id="d"/>{s>a; s>b; a>g; b>g; g>c ? true; g>d ? false}`,
    ),
    hours: { b: 1 },
    path: "s a b g c",
  },
  {
    clause: "13.4.4",
    says: "an event that comes after the gateway has decided is not caught",
    rules: "K140",
    drawing: process(
      `${pair}<eventBasedGateway id="g"/><intermediateCatchEvent id="c">${message}</intermediateCatchEvent><intermediateCatchEvent id="d">${signal}</intermediateCatchEvent><task id="a"/><task id="b"/>{s>g; g>c; g>d; c>a; d>b}`,
    ),
    publish: [
      { signal: "x", after: "1h" },
      { message: "m", after: "2h" },
    ],
    path: "s g d b",
  },
  {
    clause: "13.5.4",
    says: "an escalation from a sub-process is caught by an interrupting event sub-process of the process",
    rules: "K134 K132",
    drawing: process(
      `${pair}<subProcess id="u"><endEvent id="t">${escalation}</endEvent></subProcess><userTask id="w"/>${upon("v", escalation, `<task id="b"/>{vs>b}`)}{s>u; s>w; u>e}`,
    ),
    path: "s u w t !t !u !w v vs b",
  },
  {
    clause: "13.3.3",
    says: "a task that completes at once throws nothing at its boundary",
    rules: "K175",
    drawing: process(`${pair}<task id="a"/>${boundary("b", "a", error)}<task id="d"/>{s>a; a>e; b>d}`),
    path: "s a e",
  },
  {
    clause: "13.3.3",
    says: "a person may end a user task with an error, which the event on it catches, or one around it",
    rules: "K197 K50",
    drawing: process(
      `${pair}<userTask id="a"/>${boundary("b", "a", error)}<subProcess id="u"><userTask id="c"/></subProcess>${boundary("d", "u", error)}<task id="f"/>{s>a; a>e; b>u; u>e; d>f}`,
    ),
    answers: { a: { throw: "err" }, c: { throw: "err" } },
    path: "s a !a b u c !c !u d f",
  },
  {
    clause: "13.5.4",
    says: "an event sub-process within an event sub-process catches its errors",
    rules: "K134",
    drawing: process(
      `${pair}<userTask id="a"/>${upon("v", message, `<userTask id="b"/>{vs>b}${upon("w", error, `<task id="h"/>{ws>h}`)}<endEvent id="f">${error}</endEvent>{b>f}`, false)}{s>a; a>e}`,
    ),
    publish: [{ message: "m", after: "1h" }],
    hours: { a: 4, b: 1 },
    path: "s a v vs b f !f w ws h e",
  },
  {
    clause: "13.5.4",
    says: "an event sub-process that interrupts ends one that does not, and runs already",
    rules: "K132",
    drawing: process(
      `${pair}<userTask id="a"/>${upon("v", message, `<userTask id="b"/>{vs>b}`, false)}${upon("w", signal, `<task id="h"/>{ws>h}`)}{s>a; a>e}`,
    ),
    publish: [
      { message: "m", after: "1h" },
      { signal: "x", after: "2h" },
    ],
    hours: { a: 4, b: 4 },
    path: "s a v vs b !a !b !v w ws h",
  },
  {
    clause: "10.5.6",
    says: "an error without a declaration is caught by the event that catches all",
    rules: "K50",
    drawing: process(
      `${pair}<subProcess id="u"><serviceTask id="a"/></subProcess>${boundary("b", "u", "<errorEventDefinition/>")}<task id="d"/>{s>u; u>e; b>d}`,
    ),
    answers: { a: { throw: "zzz" } },
    path: "s u a !a !u b d",
  },
  {
    clause: "13.5.5",
    says: "a sub-process may be the handler",
    rules: "K95",
    drawing: process(
      `${pair}<task id="a"/><boundaryEvent id="au" attachedToRef="a"><compensateEventDefinition/></boundaryEvent><association id="ax" sourceRef="au" targetRef="h"/><subProcess id="h" isForCompensation="true"><task id="h1"/><task id="h2"/>{h1>h2}</subProcess>${throws("t")}{s>a; a>t; t>e}`,
    ),
    path: "s a t h h1 h2 e",
  },
  {
    clause: "10.5.6",
    says: "an escalation event without a code catches every escalation",
    rules: "K128",
    drawing: process(
      `${pair}<subProcess id="u"><intermediateThrowEvent id="t">${escalation}</intermediateThrowEvent></subProcess>${boundary("b", "u", "<escalationEventDefinition/>", false)}<task id="d"/>{s>u; u>e; b>d}`,
    ),
    path: "s u t b d e",
  },
  {
    clause: "13.3.2",
    says: "three tokens for an activity that needs two: it starts once, and one is left over",
    rules: "K173 K174 K43",
    choice: "what is left over is an incident",
    drawing: process(`${pair}<task id="a" completionQuantity="3"/><task id="b" startQuantity="2"/>{s>a; a>b; b>e}`),
    end: "incident join-stuck",
    path: "s a b e",
  },
  {
    clause: "13.3.6",
    says: "a sub-process may be run in a loop",
    rules: "K169 K170",
    drawing: process(
      `${pair}<subProcess id="u"><standardLoopCharacteristics loopMaximum="2" testBefore="true"><loopCondition>true</loopCondition></standardLoopCharacteristics><task id="a"/></subProcess>{s>u; u>e}`,
    ),
    path: "s u u a u a e",
  },
  {
    clause: "13.3.5",
    says: "without cancelRemainingInstances an ad-hoc sub-process waits for what runs",
    rules: "K182",
    drawing: `${pair}<adHocSubProcess id="u" cancelRemainingInstances="false"><userTask id="a"/><userTask id="b"/><completionCondition>x = 1</completionCondition></adHocSubProcess>{s>u; u>e}`,
    answers: {
      a: { complete: { x: 1 }, after: "1h" },
      b: { complete: {}, after: "2h" },
      u: { complete: { activate: ["a", "b"] } },
    },
    path: "s u a b e",
  },
  {
    clause: "13.3.5",
    says: "with sequential ordering one activity runs at a time",
    rules: "K177",
    drawing: `${pair}<adHocSubProcess id="u" ordering="Sequential"><userTask id="a"/><userTask id="b"/></adHocSubProcess>{s>u; u>e}`,
    answers: { a: { complete: {}, after: "1h" }, u: { complete: { activate: ["a", "b"] } } },
    path: "s u a b e",
  },
];
