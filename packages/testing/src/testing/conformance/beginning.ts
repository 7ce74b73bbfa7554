import type { Row } from "./row.ts";

const messages = `<message id="m" name="m"/><message id="n" name="n"/>`;

/** How processes and sub-processes begin and end. */
export const beginning: readonly Row[] = [
  {
    clause: "13.2",
    says: "a process begins at its none start event and ends when no token is left",
    rules: "K2 K13 K142",
    drawing: `<startEvent id="s"/><task id="a"/><endEvent id="e"/>{s>a; a>e}`,
    path: "s a e",
  },
  {
    clause: "13.2",
    says: "without start events everything that nothing flows into begins at once",
    rules: "K144",
    drawing: `<task id="a"/><task id="b"/><task id="c"/>{a>c}`,
    path: "a b c",
  },
  {
    clause: "13.2",
    says: "an event sub-process, a handler, and what is attached do not begin by themselves",
    rules: "K144 K131",
    drawing: `<process id="p" isExecutable="true"><task id="a"/><task id="h" isForCompensation="true"/>
      <boundaryEvent id="u" attachedToRef="a"><compensateEventDefinition/></boundaryEvent><association id="x" sourceRef="u" targetRef="h"/>
      <subProcess id="v" triggeredByEvent="true"><startEvent id="vs"><signalEventDefinition signalRef="g"/></startEvent></subProcess></process><signal id="g" name="g"/>`,
    path: "a",
  },
  {
    clause: "10.5.2",
    says: "none start events of one process are alternatives: one of them begins an instance",
    rules: "K142",
    choice: "the first of the file, unless whoever starts the process names another one (`--start`)",
    drawing: `<startEvent id="s"/><startEvent id="t"/><task id="a"/><task id="b"/>{s>a; t>b}`,
    path: "s a",
  },
  {
    clause: "13.2",
    says: "each start event that occurs begins an instance of its own",
    rules: "K142",
    drawing: `${messages}<process id="p" isExecutable="true"><startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>
      <startEvent id="t"><messageEventDefinition messageRef="n"/></startEvent><task id="a"/><task id="b"/>{s>a; t>b; a>b}</process>`,
    publish: [{ message: "m" }, { message: "n", after: "1h" }, { message: "m", after: "2h" }],
    path: "s a b / t b / s a b",
  },
  {
    clause: "13.2",
    says: "a signal begins an instance of every process that starts with it, and is caught by those that wait for it",
    rules: "K142 K123",
    drawing: `<signal id="g" name="g"/>
      <process id="p" isExecutable="true"><startEvent id="s"/><intermediateThrowEvent id="t"><signalEventDefinition signalRef="g"/></intermediateThrowEvent>
      <task id="a"/>{s>t; t>a}</process>
      <process id="q" isExecutable="true"><startEvent id="u"><signalEventDefinition signalRef="g"/></startEvent><task id="b"/>{u>b}</process>
      <process id="r" isExecutable="true"><startEvent id="v"><signalEventDefinition signalRef="g"/></startEvent><task id="c"/>{v>c}</process>`,
    path: "s t a / u b / v c",
  },
  {
    clause: "13.2",
    says: "a message from one process begins the other; both go on by themselves",
    rules: "K142 K124",
    drawing: `${messages}<process id="p" isExecutable="true"><startEvent id="s"/><sendTask id="t" messageRef="m"/>
      <receiveTask id="w" messageRef="n"/>{s>t; t>w}</process>
      <process id="q" isExecutable="true"><startEvent id="u"><messageEventDefinition messageRef="m"/></startEvent>
      <endEvent id="v"><messageEventDefinition messageRef="n"/></endEvent>{u>v}</process>`,
    path: "s t w / u v",
  },
  {
    clause: "9.4",
    says: "what is sent along a message flow arrives at its other end, whatever each party calls message and data",
    rules: "K124 D231",
    choice: "it is sent under the name that the receiver waits for, and its data as what the receiver reads",
    drawing: `<itemDefinition id="item" structureRef="string"/><message id="m" name="ordered" itemRef="item"/><message id="n" name="order received" itemRef="item"/>
      <collaboration id="c"><participant id="pa" processRef="p"/><participant id="pb" processRef="q"/><messageFlow id="mf" sourceRef="t" targetRef="u"/>
      <messageFlow id="mg" sourceRef="v" targetRef="w"/></collaboration>
      <process id="p" isExecutable="true"><startEvent id="s"/><sendTask id="t" messageRef="m"><ioSpecification><dataInput id="ti" name="sent" itemSubjectRef="item"/></ioSpecification>
      <dataInputAssociation><sourceRef>x</sourceRef><targetRef>ti</targetRef></dataInputAssociation></sendTask><dataObject id="x" name="x"/>
      <receiveTask id="w" messageRef="m"><ioSpecification><dataOutput id="wo" name="back" itemSubjectRef="item"/></ioSpecification>
      <dataOutputAssociation><sourceRef>wo</sourceRef><targetRef>y</targetRef></dataOutputAssociation></receiveTask><dataObject id="y" name="y"/>{s>t; t>w}</process>
      <process id="q" isExecutable="true"><startEvent id="u"><dataOutput id="uo" name="received" itemSubjectRef="item"/>
      <dataOutputAssociation><sourceRef>uo</sourceRef><targetRef>z</targetRef></dataOutputAssociation><messageEventDefinition messageRef="n"/></startEvent><dataObject id="z" name="z"/>
      <endEvent id="v"><dataInput id="vi" name="answer" itemSubjectRef="item"/><dataInputAssociation><sourceRef>z</sourceRef><targetRef>vi</targetRef></dataInputAssociation>
      <messageEventDefinition messageRef="n"/></endEvent>{u>v}</process>`,
    vars: { x: "seven" },
    path: "s t w / u v",
    leaves: { x: "seven", y: "seven" },
  },
  {
    clause: "13.2",
    says: "a receive task that nothing flows into begins the process when it is marked so",
    rules: "K142",
    drawing: `${messages}<process id="p" isExecutable="true"><receiveTask id="r" messageRef="m" instantiate="true"/><task id="a"/>{r>a}</process>`,
    publish: [{ message: "m" }],
    path: "r a",
  },
  {
    clause: "13.2",
    says: "an exclusive event-based gateway that begins the process: the first event does, the others are off",
    rules: "K141",
    drawing: `${messages}<process id="p" isExecutable="true"><eventBasedGateway id="g" instantiate="true"/>
      <intermediateCatchEvent id="c"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>
      <intermediateCatchEvent id="d"><messageEventDefinition messageRef="n"/></intermediateCatchEvent>
      <task id="a"/><task id="b"/>{g>c; g>d; c>a; d>b}</process>`,
    publish: [{ message: "n" }],
    path: "g d b",
  },
  {
    clause: "13.2",
    says: "a parallel one: the first event begins it, and it does not end before all others came",
    rules: "K141",
    drawing: `${messages}<process id="p" isExecutable="true"><eventBasedGateway id="g" instantiate="true" eventGatewayType="Parallel"/>
      <intermediateCatchEvent id="c"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>
      <intermediateCatchEvent id="d"><messageEventDefinition messageRef="n"/></intermediateCatchEvent>
      <task id="a"/><task id="b"/>{g>c; g>d; c>a; d>b}</process>`,
    publish: [{ message: "n" }, { message: "m", after: "1h" }],
    path: "g d b c a",
  },
  {
    clause: "13.2",
    says: "a conditional start event begins an instance when its condition becomes true",
    rules: "K148 K142",
    choice:
      "its condition must not read the data of the process (10.5.2), and what else it would read is left open: whoever finds that it holds names the event (`--start`)",
    drawing: `<startEvent id="s"/><startEvent id="c"><conditionalEventDefinition><condition>x = 1</condition></conditionalEventDefinition></startEvent><task id="a"/><task id="b"/>{s>a; c>b}`,
    path: "s a",
  },
  {
    clause: "13.2",
    says: "a timer begins an instance when it is due",
    rules: "K142",
    drawing: `<startEvent id="s"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></startEvent><task id="a"/>{s>a}`,
    path: "s a",
  },
  {
    clause: "13.3.4",
    says: "a sub-process without start event begins at everything in it that nothing flows into, and ends after the last",
    rules: "K144 K13",
    drawing: `<startEvent id="s"/><subProcess id="u"><userTask id="a"/><userTask id="b"/><task id="c"/>{a>c}</subProcess><endEvent id="e"/>{s>u; u>e}`,
    hours: { a: 2, b: 1 },
    path: "s u a b c e",
  },
  {
    clause: "13.3.4",
    says: "an empty sub-process completes at once",
    rules: "K144",
    drawing: `<startEvent id="s"/><subProcess id="u"/><endEvent id="e"/>{s>u; u>e}`,
    path: "s u e",
  },
  {
    clause: "13.2",
    says: "gateways that nothing flows into begin by splitting",
    rules: "K144",
    drawing: `<exclusiveGateway id="x"/><inclusiveGateway id="i"/><parallelGateway id="y"/><complexGateway id="z"/>
      <task id="a"/><task id="b"/><task id="c"/><task id="d"/><task id="f"/>{x>a ? false; x>b ? true; i>c ? true; y>d; z>f}`,
    path: "x i y z b c d f",
  },
  {
    clause: "13.3.4",
    says: "so does each event that nothing flows into, which waits or throws",
    rules: "K144",
    drawing: `<process id="p" isExecutable="true"><startEvent id="s"/><subProcess id="u"><intermediateCatchEvent id="c"><signalEventDefinition signalRef="g"/></intermediateCatchEvent>
      <intermediateThrowEvent id="t"/><endEvent id="v"/><task id="a"/>{c>a}</subProcess><endEvent id="e"/>{s>u; u>e}</process><signal id="g" name="g"/>`,
    publish: [{ signal: "g", after: "1h" }],
    path: "s u c t v a e",
  },
  {
    clause: "13.3.4",
    says: "a sub-process that has only event sub-processes completes at once",
    rules: "K144 K131",
    drawing: `<process id="p" isExecutable="true"><startEvent id="s"/><subProcess id="u"><subProcess id="v" triggeredByEvent="true"><startEvent id="vs"><signalEventDefinition signalRef="g"/></startEvent></subProcess></subProcess>
      <endEvent id="e"/>{s>u; u>e}</process><signal id="g" name="g"/>`,
    path: "s u e",
  },
  {
    clause: "13.2",
    says: "so does a process in which everything stands in a circle",
    rules: "K144",
    drawing: `<task id="a"/><task id="b"/>{a>b; b>a}`,
    path: "",
  },
  {
    clause: "13.3.4",
    says: "a called process begins at its none start event; its other start events are ignored",
    rules: "K60 K142",
    drawing: `${messages}<process id="p" isExecutable="true"><startEvent id="s"/><callActivity id="c" calledElement="q"/><endEvent id="e"/>{s>c; c>e}</process>
      <process id="q" isExecutable="true"><startEvent id="m1"><messageEventDefinition messageRef="m"/></startEvent><startEvent id="t"/><task id="a"/>{t>a; m1>a}</process>`,
    path: "s c e / t a",
  },
  {
    clause: "13.2",
    says: "a token that nothing leads on ends there, whatever the element is",
    rules: "K11",
    drawing: `<startEvent id="s"/><exclusiveGateway id="x"/><task id="a"/>{s>x; x>a}`,
    path: "s x a",
  },
  {
    clause: "13.4",
    says: "that holds for gateways of every kind",
    rules: "K11",
    drawing: `<startEvent id="s"/><exclusiveGateway id="x"/><inclusiveGateway id="i"/><parallelGateway id="y"/><complexGateway id="z"/>{s>x; s>i; s>y; s>z}`,
    path: "s x i y z",
  },
  {
    clause: "13.5.6",
    says: "an end event ends only its own token",
    rules: "K13",
    drawing: `<startEvent id="s"/><userTask id="a"/><userTask id="b"/><endEvent id="e"/><endEvent id="f"/>{s>a; s>b; a>e; b>f}`,
    hours: { a: 1, b: 2 },
    path: "s a b e f",
  },
  {
    clause: "13.5.6",
    says: "terminate ends everything in the process, which then has completed",
    rules: "K14",
    drawing: `<startEvent id="s"/><userTask id="a"/><userTask id="b"/><endEvent id="e"><terminateEventDefinition/></endEvent>{s>a; s>b; a>e}`,
    hours: { a: 1, b: 2 },
    path: "s a b e !b",
  },
  {
    clause: "13.5.6",
    says: "terminate in a sub-process ends only that, and the flow behind it goes on",
    rules: "K14",
    drawing: `<startEvent id="s"/><userTask id="o"/><subProcess id="u"><userTask id="a"/><userTask id="b"/><endEvent id="e"><terminateEventDefinition/></endEvent>{a>e}</subProcess>
      <task id="c"/>{s>u; s>o; u>c}`,
    hours: { a: 1, b: 2, o: 3 },
    path: "s u o a b e !b c",
  },
  {
    clause: "13.3.4",
    says: "terminate in a called process ends that one only",
    rules: "K14 K60",
    drawing: `<process id="p" isExecutable="true"><startEvent id="s"/><callActivity id="c" calledElement="q"/><task id="d"/>{s>c; c>d}</process>
      <process id="q" isExecutable="true"><startEvent id="t"/><userTask id="a"/><endEvent id="e"><terminateEventDefinition/></endEvent>{t>a; t>e}</process>`,
    path: "s c d / t a e !a",
  },
];
