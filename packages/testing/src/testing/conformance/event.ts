import type { Row } from "./row.ts";

const pair = `<startEvent id="s"/><endEvent id="e"/>`;
const timer = (duration: string): string =>
  `<timerEventDefinition><timeDuration>${duration}</timeDuration></timerEventDefinition>`;
const signal = `<signalEventDefinition signalRef="x"/>`;
const error = `<errorEventDefinition errorRef="err"/>`;
const escalation = `<escalationEventDefinition escalationRef="esc"/>`;
const message = `<messageEventDefinition messageRef="m"/>`;
const boundary = (id: string, at: string, definition: string, interrupting = true): string =>
  `<boundaryEvent id="${id}" attachedToRef="${at}" cancelActivity="${interrupting}">${definition}</boundaryEvent>`;
const upon = (id: string, definition: string, content = "", interrupting = true): string =>
  `<subProcess id="${id}" triggeredByEvent="true"><startEvent id="${id}s" isInterrupting="${interrupting}">${definition}</startEvent>${content}</subProcess>`;
const roots = `<signal id="x" name="x"/><message id="m" name="m"/><error id="err" errorCode="err"/><error id="other" errorCode="other"/>
  <escalation id="esc" escalationCode="esc"/><escalation id="esc2" escalationCode="esc2"/>`;
const process = (content: string): string => `<process id="p" isExecutable="true">${content}</process>${roots}`;

/** Events: caught on the way, at the boundary, by event sub-processes; and thrown. */
export const events: readonly Row[] = [
  {
    clause: "13.5.2",
    says: "a token waits at a catching event until it occurs; at a timer, until its time",
    rules: "K45",
    drawing: `${pair}<intermediateCatchEvent id="t">${timer("PT1H")}</intermediateCatchEvent>{s>t; t>e}`,
    path: "s t e",
  },
  {
    clause: "13.5.2",
    says: "a signal that was sent before anybody waited is gone",
    rules: "K123",
    drawing: process(
      `${pair}<intermediateThrowEvent id="t">${signal}</intermediateThrowEvent><intermediateCatchEvent id="c">${signal}</intermediateCatchEvent>{s>t; t>c; c>e}`,
    ),
    path: "s t c",
    end: "waits at c",
  },
  {
    clause: "10.5.1",
    says: "a signal reaches everything that waits for it, in its own instance too",
    rules: "K123 K124",
    drawing:
      process(`${pair}<intermediateCatchEvent id="c">${signal}</intermediateCatchEvent><intermediateCatchEvent id="d">${signal}</intermediateCatchEvent><intermediateThrowEvent id="t">${signal}</intermediateThrowEvent>
      {s>c; s>d; s>t; c>e; d>e}`),
    path: "s c d t e e",
  },
  {
    clause: "10.5.1",
    says: "of parallel branches the one that waits hears the one that speaks, whichever was drawn first",
    rules: "K124",
    drawing: process(
      `${pair}<intermediateThrowEvent id="t">${signal}</intermediateThrowEvent><task id="a"/><intermediateCatchEvent id="c">${signal}</intermediateCatchEvent>{s>t; s>a; t>e; a>c; c>e}`,
    ),
    path: "s a c t e e",
  },
  {
    clause: "10.5.1",
    says: "a message goes to one that waits for it",
    rules: "K121",
    drawing: process(
      `${pair}<intermediateCatchEvent id="c">${message}</intermediateCatchEvent><intermediateCatchEvent id="d">${message}</intermediateCatchEvent>{s>c; s>d; c>e; d>e}`,
    ),
    publish: [{ message: "m", after: "1h" }],
    path: "s c d e",
    end: "waits at d",
  },
  {
    clause: "13.5.2",
    says: "a repeating timer between two flows lets its token pass as it is due first, and is done with",
    rules: "K45",
    choice: "some tools send one token on for each repetition; a token that waits is one token",
    drawing: `${pair}<intermediateCatchEvent id="t"><timerEventDefinition><timeCycle>R3/PT1H</timeCycle></timerEventDefinition></intermediateCatchEvent>{s>t; t>e}`,
    path: "s t e",
  },
  {
    clause: "13.5.2",
    says: "a condition that holds lets the token pass; else it waits until data changes so that it does",
    rules: "K126",
    drawing: process(
      `${pair}<intermediateCatchEvent id="c"><conditionalEventDefinition><condition>x > 1</condition></conditionalEventDefinition></intermediateCatchEvent><userTask id="a"/>{s>c; s>a; c>e}`,
    ),
    vars: { x: 0 },
    answers: { a: { complete: { x: 2 }, after: "1h" } },
    path: "s c a e",
  },
  {
    clause: "10.5.5",
    says: "a throwing link goes on at the catching one of its name; several may lead to one",
    rules: "K130",
    drawing: `${pair}<intermediateThrowEvent id="a"><linkEventDefinition name="L"/></intermediateThrowEvent><intermediateThrowEvent id="b"><linkEventDefinition name="L"/></intermediateThrowEvent>
      <intermediateCatchEvent id="c"><linkEventDefinition name="L"/></intermediateCatchEvent>{s>a; s>b; c>e}`,
    path: "s a b c c e e",
  },
  {
    clause: "13.5.2",
    says: "a multiple event goes on with any one of its triggers",
    rules: "K145",
    drawing: process(`${pair}<intermediateCatchEvent id="c">${message}${signal}</intermediateCatchEvent>{s>c; c>e}`),
    publish: [{ signal: "x", after: "1h" }],
    path: "s c e",
  },
  {
    clause: "13.5.2",
    says: "a parallel multiple event once all of its triggers were there",
    rules: "K146",
    drawing: process(
      `${pair}<intermediateCatchEvent id="c" parallelMultiple="true">${message}${signal}</intermediateCatchEvent>{s>c; c>e}`,
    ),
    publish: [
      { signal: "x", after: "1h" },
      { message: "m", after: "2h" },
    ],
    path: "s c e",
  },
  {
    clause: "13.5.2",
    says: "a multiple throwing event throws all of its results",
    rules: "K147",
    drawing: process(
      `${pair}<intermediateCatchEvent id="c">${signal}</intermediateCatchEvent><intermediateCatchEvent id="d">${message}</intermediateCatchEvent><intermediateThrowEvent id="t">${message}${signal}</intermediateThrowEvent>{s>c; s>d; s>t; t>e}`,
    ),
    path: "s c d t e",
  },
  {
    clause: "13.5.3",
    says: "an interrupting boundary event ends its activity and goes on at the event only",
    rules: "K46",
    drawing: `${pair}<userTask id="a"/>${boundary("b", "a", timer("PT1H"))}<task id="c"/>{s>a; a>e; b>c}`,
    hours: { a: 2 },
    path: "s a !a b c",
  },
  {
    clause: "13.5.3",
    says: "one that does not interrupt adds a token and leaves the activity running",
    rules: "K47",
    drawing: `${pair}<userTask id="a"/>${boundary("b", "a", timer("PT1H"), false)}<task id="c"/>{s>a; a>e; b>c}`,
    hours: { a: 2 },
    path: "s a b c e",
  },
  {
    clause: "13.5.3",
    says: "a boundary event that does not interrupt occurs as often as it is triggered",
    rules: "K123",
    drawing: process(`${pair}<userTask id="a"/>${boundary("b", "a", message, false)}<task id="c"/>{s>a; a>e; b>c}`),
    hours: { a: 5 },
    publish: [
      { message: "m", after: "1h" },
      { message: "m", after: "2h" },
    ],
    path: "s a b c b c e",
  },
  {
    clause: "13.5.3",
    says: "a cycle at a boundary occurs again and again while the activity is active",
    rules: "K47",
    drawing: `${pair}<userTask id="a"/><boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><timerEventDefinition><timeCycle>R/PT1H</timeCycle></timerEventDefinition></boundaryEvent><task id="c"/>{s>a; a>e; b>c}`,
    answers: { a: { complete: {}, after: "PT2H30M" } },
    path: "s a b c b c e",
  },
  {
    clause: "13.5.3",
    says: "a boundary event on a sub-process ends all that is in it",
    rules: "K46 K56",
    drawing: `${pair}<subProcess id="u"><userTask id="a"/><subProcess id="v"><userTask id="b"/></subProcess></subProcess>${boundary("t", "u", timer("PT1H"))}{s>u; u>e; t>e}`,
    hours: { a: 2, b: 2 },
    path: "s u a v b !a !b !v !u t e",
  },
  {
    clause: "13.5.3",
    says: "an event that occurs after its activity has ended is not caught by it",
    rules: "K123",
    drawing: process(`${pair}<task id="a"/>${boundary("b", "a", message)}<userTask id="c"/>{s>a; a>c; c>e; b>e}`),
    hours: { c: 2 },
    publish: [{ message: "m", after: "1h" }],
    path: "s a c e",
  },
  {
    clause: "10.5.6",
    says: "an error goes outwards to the nearest that catches it",
    rules: "K50",
    drawing: process(
      `${pair}<subProcess id="u"><subProcess id="v"><endEvent id="f">${error}</endEvent></subProcess>${boundary("c", "v", `<errorEventDefinition errorRef="other"/>`)}</subProcess>${boundary("b", "u", error)}<task id="d"/>{s>u; u>e; b>d}`,
    ),
    path: "s u v f !f !v !u b d",
  },
  {
    clause: "10.5.6",
    says: "an error event without an error catches all errors; one that names it goes before",
    rules: "K50",
    drawing: process(
      `${pair}<subProcess id="u"><endEvent id="f">${error}</endEvent></subProcess>${boundary("c", "u", "<errorEventDefinition/>")}${boundary("b", "u", error)}<task id="d"/><task id="g"/>{s>u; u>e; b>d; c>g}`,
    ),
    path: "s u f !f !u b d",
  },
  {
    clause: "10.5.6",
    says: "an error that nothing catches ends the process as failed",
    rules: "K53",
    drawing: process(`${pair}<userTask id="a"/><endEvent id="f">${error}</endEvent>{s>a; s>f; a>e}`),
    hours: { a: 1 },
    path: "s a f !a !f",
    end: "failed err",
  },
  {
    clause: "10.5.6",
    says: "an error that a job throws is caught at its boundary",
    rules: "K50 K51",
    drawing: process(`${pair}<serviceTask id="a"/>${boundary("b", "a", error)}<task id="d"/>{s>a; a>e; b>d}`),
    answers: { a: { throw: "err" } },
    path: "s a !a b d",
  },
  {
    clause: "10.5.6",
    says: "an escalation goes to the nearest that catches it only, and not further",
    rules: "K128",
    drawing: process(
      `${pair}<subProcess id="u"><subProcess id="v"><intermediateThrowEvent id="t">${escalation}</intermediateThrowEvent><task id="a"/>{t>a}</subProcess>${boundary("c", "v", escalation, false)}<task id="g"/>{c>g}</subProcess>${boundary("b", "u", escalation, false)}<task id="d"/>{s>u; u>e; b>d}`,
    ),
    path: "s u v t c g a e",
  },
  {
    clause: "10.5.6",
    says: "an escalation that nothing catches goes nowhere, and whoever threw it goes on",
    rules: "K129",
    drawing: process(
      `${pair}<intermediateThrowEvent id="t">${escalation}</intermediateThrowEvent><task id="a"/>{s>t; t>a; a>e}`,
    ),
    path: "s t a e",
  },
  {
    clause: "10.5.6",
    says: "an escalation end event that is caught without interruption: its sub-process goes on",
    rules: "K128",
    drawing: process(
      `${pair}<subProcess id="u"><startEvent id="us"/><userTask id="a"/><endEvent id="f">${escalation}</endEvent>{us>a; us>f}</subProcess>${boundary("b", "u", escalation, false)}<task id="d"/>{s>u; u>e; b>d}`,
    ),
    hours: { a: 1 },
    path: "s u us a f b d e",
  },
  {
    clause: "10.5.6",
    says: "an interrupting one ends the sub-process it was thrown in",
    rules: "K128",
    drawing: process(
      `${pair}<subProcess id="u"><startEvent id="us"/><userTask id="a"/><intermediateThrowEvent id="f">${escalation}</intermediateThrowEvent><task id="g"/>{us>a; us>f; f>g}</subProcess>${boundary("b", "u", escalation)}<task id="d"/>{s>u; u>e; b>d}`,
    ),
    hours: { a: 1 },
    path: "s u us a f !a !f !u b d",
  },
  {
    clause: "13.5.4",
    says: "an interrupting event sub-process ends everything else in its scope; when it has ended the scope has completed",
    rules: "K132",
    drawing: process(
      `${pair}<subProcess id="u"><userTask id="a"/>${upon("v", message, `<task id="b"/>{vs>b}`)}</subProcess>{s>u; u>e}`,
    ),
    hours: { a: 5 },
    publish: [{ message: "m", after: "1h" }],
    path: "s u a !a v vs b e",
  },
  {
    clause: "13.5.4",
    says: "one that does not interrupt runs beside the rest, as often as it is triggered, and the scope ends after the last",
    rules: "K133",
    drawing: process(
      `${pair}<subProcess id="u"><userTask id="a"/>${upon("v", message, `<userTask id="b"/>{vs>b}`, false)}</subProcess>{s>u; u>e}`,
    ),
    hours: { a: 3, b: 4 },
    publish: [
      { message: "m", after: "1h" },
      { message: "m", after: "2h" },
    ],
    path: "s u a v vs b v vs b e",
  },
  {
    clause: "13.5.4",
    says: "at process level it does the same, and the process completes normally",
    rules: "K132",
    drawing: process(`${pair}<userTask id="a"/>${upon("v", message, `<task id="b"/>{vs>b}`)}{s>a; a>e}`),
    hours: { a: 5 },
    publish: [{ message: "m", after: "1h" }],
    path: "s a !a v vs b",
  },
  {
    clause: "13.5.4",
    says: "an event sub-process catches an error before a boundary event around it, and the flow behind the scope goes on",
    rules: "K134",
    drawing: process(
      `${pair}<subProcess id="u"><endEvent id="f">${error}</endEvent>${upon("v", error, `<task id="b"/>{vs>b}`)}</subProcess>${boundary("c", "u", error)}<task id="g"/>{s>u; u>e; c>g}`,
    ),
    path: "s u f !f v vs b e",
  },
  {
    clause: "13.5.4",
    says: "an error that the event sub-process throws goes to the boundary event around",
    rules: "K134",
    drawing: process(
      `${pair}<subProcess id="u"><endEvent id="f">${error}</endEvent>${upon("v", error, `<endEvent id="b">${error}</endEvent>{vs>b}`)}</subProcess>${boundary("c", "u", error)}<task id="g"/>{s>u; u>e; c>g}`,
    ),
    path: "s u f !f v vs b !b !v !u c g",
  },
  {
    clause: "13.5.4",
    says: "an error in an event sub-process that does not interrupt is caught by another one of its scope",
    rules: "K134",
    drawing: process(
      `${pair}<subProcess id="u"><userTask id="a"/>${upon("v", message, `<endEvent id="b">${error}</endEvent>{vs>b}`, false)}${upon("w", error, `<task id="h"/>{ws>h}`)}</subProcess>${boundary("c", "u", error)}<task id="g"/>{s>u; u>e; c>g}`,
    ),
    publish: [{ message: "m", after: "1h" }],
    hours: { a: 4 },
    path: "s u a v vs b !a !b !v w ws h e",
  },
  {
    clause: "13.5.4",
    says: "an event sub-process may throw again what started it, which is then caught outside of its scope",
    rules: "K134",
    drawing: process(
      `${pair}<subProcess id="u"><intermediateThrowEvent id="t">${escalation}</intermediateThrowEvent>${upon("v", escalation, `<endEvent id="f">${escalation}</endEvent>{vs>f}`, false)}</subProcess>${boundary("b", "u", escalation, false)}<task id="d"/>{s>u; u>e; b>d}`,
    ),
    path: "s u t v vs f b d e",
  },
  {
    clause: "13.5.4",
    says: "an escalation thrown at process level is caught by its event sub-process",
    rules: "K134 K133",
    drawing: process(
      `${pair}<intermediateThrowEvent id="t">${escalation}</intermediateThrowEvent><task id="a"/>${upon("v", escalation, `<task id="b"/>{vs>b}`, false)}{s>t; t>a; a>e}`,
    ),
    path: "s t v vs b a e",
  },
  {
    clause: "13.5.4",
    says: "an event sub-process is armed only while its scope is active",
    rules: "K131",
    drawing: process(
      `${pair}<subProcess id="u"><userTask id="a"/>${upon("v", message, `<task id="b"/>{vs>b}`)}</subProcess><userTask id="c"/>{s>u; u>c; c>e}`,
    ),
    hours: { a: 1, c: 3 },
    publish: [{ message: "m", after: "2h" }],
    path: "s u a c e",
  },
  {
    clause: "13.5.4",
    says: "a timer of an event sub-process counts from the beginning of its scope",
    rules: "K131",
    drawing: process(`${pair}<userTask id="a"/>${upon("v", timer("PT1H"), `<task id="b"/>{vs>b}`, false)}{s>a; a>e}`),
    hours: { a: 3 },
    path: "s a v vs b e",
  },
  {
    clause: "13.5.4",
    says: "an event sub-process may end a process that goes round",
    rules: "K132",
    drawing: process(
      `<startEvent id="s"/><userTask id="a"/>${upon("v", timer("PT3H"), `<endEvent id="b"/>{vs>b}`)}{s>a; a>a}`,
    ),
    hours: { a: 2 },
    path: "s a a !a v vs b",
  },
  {
    clause: "13.5.6",
    says: "a message end event sends its message with data and ends its token",
    rules: "K124",
    drawing: `<process id="p" isExecutable="true"><startEvent id="s"/><endEvent id="e">${message}</endEvent>{s>e}</process><process id="q" isExecutable="true"><startEvent id="t">${message}</startEvent><task id="a"/>{t>a}</process><message id="m" name="m"/>`,
    path: "s e / t a",
  },
  {
    clause: "13.5.6",
    says: "a signal end event of a sub-process reaches the boundary of that sub-process",
    rules: "K123",
    drawing: process(
      `${pair}<subProcess id="u"><startEvent id="us"/><userTask id="a"/><endEvent id="f">${signal}</endEvent>{us>a; us>f}</subProcess>${boundary("b", "u", signal)}<task id="d"/>{s>u; u>e; b>d}`,
    ),
    hours: { a: 1 },
    path: "s u us a f !a !u b d",
  },
  {
    clause: "13.5.6",
    says: "a none end event in a sub-process with an active branch: the sub-process goes on",
    rules: "K13",
    drawing: `${pair}<subProcess id="u"><startEvent id="us"/><userTask id="a"/><endEvent id="f"/>{us>a; us>f}</subProcess>{s>u; u>e}`,
    hours: { a: 1 },
    path: "s u us a f e",
  },
];
