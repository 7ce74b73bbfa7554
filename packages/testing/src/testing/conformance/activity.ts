import type { Row } from "./row.ts";

const pair = `<startEvent id="s"/><endEvent id="e"/>`;
const loop = (content: string, attributes = ""): string =>
  `<standardLoopCharacteristics ${attributes}>${content}</standardLoopCharacteristics>`;
const many = (content: string, attributes = ""): string =>
  `<multiInstanceLoopCharacteristics ${attributes}>${content}</multiInstanceLoopCharacteristics>`;
const times = (count: number): string => `<loopCardinality>${count}</loopCardinality>`;

/** Activities: how they begin, run several times, and end. */
export const activities: readonly Row[] = [
  {
    clause: "13.3.3",
    says: "a task of no kind and a manual task complete at once, a service, user, send and business rule task when it is done",
    rules: "K175 K30 K34 K125 K176",
    drawing: `${pair}<task id="a"/><manualTask id="b"/><serviceTask id="c"/><userTask id="d"/><sendTask id="f"/><businessRuleTask id="g"/>{s>a; a>b; b>c; c>d; d>f; f>g; g>e}`,
    path: "s a b c d f g e",
  },
  {
    clause: "13.3.3",
    says: "a script task runs its script",
    rules: "K33",
    drawing: `${pair}<scriptTask id="a" scriptFormat="feel"><script>x = 1 + 2; y = x * 2</script></scriptTask>{s>a; a>e}`,
    path: "s a e",
    leaves: { x: 3, y: 6 },
  },
  {
    clause: "13.3.3",
    says: "a receive task waits for its message and takes what it brings",
    rules: "K121",
    drawing: `<process id="p" isExecutable="true">${pair}<receiveTask id="r" messageRef="m"/><task id="a"/>{s>r; r>a ? x = 7; a>e}</process><message id="m" name="m"/>`,
    publish: [{ message: "m", after: "1h", payload: { x: 7 } }],
    path: "s r a e",
  },
  {
    clause: "13.3.2",
    says: "an activity with a start quantity waits for that many tokens",
    rules: "K173",
    drawing: `${pair}<userTask id="a"/><userTask id="b"/><task id="c" startQuantity="2"/>{s>a; s>b; a>c; b>c; c>e}`,
    hours: { a: 1, b: 2 },
    path: "s a b c e",
  },
  {
    clause: "13.3.2",
    says: "an activity with a completion quantity gives that many tokens",
    rules: "K174",
    drawing: `${pair}<task id="a" completionQuantity="2"/>{s>a; a>e}`,
    path: "s a e e",
  },
  {
    clause: "13.3.2",
    says: "tokens that are too few for a start quantity wait for ever",
    rules: "K173 K43",
    choice: "an incident says so",
    drawing: `${pair}<task id="c" startQuantity="2"/>{s>c; c>e}`,
    path: "s",
    end: "incident join-stuck",
  },
  {
    clause: "13.3.6",
    says: "a loop that tests before runs not at all when the condition does not hold",
    rules: "K169",
    drawing: `${pair}<task id="a">${loop("<loopCondition>x > 1</loopCondition>", 'testBefore="true"')}</task>{s>a; a>e}`,
    vars: { x: 1 },
    path: "s a e",
  },
  {
    clause: "13.3.6",
    says: "one that tests after runs at least once",
    rules: "K169",
    drawing: `${pair}<userTask id="a">${loop("<loopCondition>x > 1</loopCondition>")}</userTask>{s>a; a>e}`,
    vars: { x: 1 },
    path: "s a a e",
  },
  {
    clause: "13.3.6",
    says: "it goes on as long as its condition holds",
    rules: "K169 K170",
    drawing: `${pair}<userTask id="a">${loop("<loopCondition>x > 1</loopCondition>")}</userTask>{s>a; a>e}`,
    answers: { a: [{ complete: { x: 3 } }, { complete: { x: 2 } }, { complete: { x: 1 } }] },
    path: "s a a a a e",
  },
  {
    clause: "13.3.6",
    says: "and at most as often as its maximum says",
    rules: "K169",
    drawing: `${pair}<task id="a">${loop("<loopCondition>true</loopCondition>", 'loopMaximum="3"')}</task>{s>a; a>e}`,
    path: "s a a a a e",
  },
  {
    clause: "13.3.6",
    says: "its condition sees loopCounter",
    rules: "K170",
    drawing: `${pair}<task id="a">${loop("<loopCondition>loopCounter &lt; 3</loopCondition>")}</task>{s>a; a>e}`,
    path: "s a a a a e",
  },
  {
    clause: "13.3.6",
    says: "a boundary event on it ends the whole loop",
    rules: "K171",
    drawing: `${pair}<userTask id="a">${loop("<loopCondition>true</loopCondition>")}</userTask><boundaryEvent id="t" attachedToRef="a"><timerEventDefinition><timeDuration>PT3H</timeDuration></timerEventDefinition></boundaryEvent>{s>a; a>e; t>e}`,
    hours: { a: 2 },
    path: "s a a a !a !a t e",
  },
  {
    clause: "13.3.7",
    says: "a parallel multi-instance runs its instances at the same time and goes on after the last",
    rules: "K65",
    drawing: `${pair}<userTask id="a">${many(times(3))}</userTask>{s>a; a>e}`,
    hours: { a: 1 },
    path: "s a a[0] a[1] a[2] e",
  },
  {
    clause: "13.3.7",
    says: "a sequential one runs them one after the other",
    rules: "K65",
    drawing: `${pair}<subProcess id="u">${many(times(2), 'isSequential="true"')}<userTask id="a"/><task id="b"/>{a>b}</subProcess>{s>u; u>e}`,
    hours: { a: 1 },
    path: "s u u[0] a[0] b[0] u[1] a[1] b[1] e",
  },
  {
    clause: "13.3.7",
    says: "a multi-instance of none completes at once",
    rules: "K65",
    drawing: `${pair}<userTask id="a">${many(times(0))}</userTask>{s>a; a>e}`,
    path: "s a e",
  },
  {
    clause: "13.3.7",
    says: "the completion condition ends what still runs",
    rules: "K78",
    drawing: `${pair}<userTask id="a">${many(`${times(3)}<completionCondition>numberOfCompletedInstances >= 2</completionCondition>`)}</userTask>{s>a; a>e}`,
    answers: {
      a: [
        { complete: {}, after: "1h" },
        { complete: {}, after: "2h" },
        { complete: {}, after: "3h" },
      ],
    },
    path: "s a a[0] a[1] a[2] !a[2] e",
  },
  {
    clause: "13.3.7",
    says: "its condition sees how many there are, are active and have completed",
    rules: "K78",
    drawing: `${pair}<userTask id="a">${many(`${times(4)}<completionCondition>numberOfInstances = 4 and numberOfActiveInstances = 1 and numberOfCompletedInstances = 3</completionCondition>`)}</userTask>{s>a; a>e}`,
    answers: {
      a: [
        { complete: {}, after: "1h" },
        { complete: {}, after: "2h" },
        { complete: {}, after: "3h" },
        { ignore: true },
      ],
    },
    path: "s a a[0] a[1] a[2] a[3] !a[3] e",
  },
  {
    clause: "13.3.7",
    says: "instances run over the entries of a list; what they yield is gathered in their order",
    rules: "K66 K67",
    drawing: `<dataObject id="in" name="list" isCollection="true"/><dataObject id="out" name="sums" isCollection="true"/>${pair}
      <scriptTask id="a" scriptFormat="feel"><ioSpecification><dataInput id="ai"/><dataOutput id="ao"/><inputSet><dataInputRefs>ai</dataInputRefs></inputSet><outputSet><dataOutputRefs>ao</dataOutputRefs></outputSet></ioSpecification>
      <dataInputAssociation id="a1"><sourceRef>in</sourceRef><targetRef>ai</targetRef></dataInputAssociation><dataOutputAssociation id="a2"><sourceRef>ao</sourceRef><targetRef>out</targetRef></dataOutputAssociation>
      <multiInstanceLoopCharacteristics><loopDataInputRef>ai</loopDataInputRef><loopDataOutputRef>ao</loopDataOutputRef><inputDataItem id="it" name="x"/><outputDataItem id="ot" name="y"/></multiInstanceLoopCharacteristics><script>y = x * 2</script></scriptTask>{s>a; a>e}`,
    vars: { list: [1, 2, 3] },
    path: "s a a[0] a[1] a[2] e",
    leaves: { sums: [2, 4, 6] },
  },
  {
    clause: "13.3.7",
    says: "behavior None throws its event as each instance completes, which boundary events can catch",
    rules: "K172",
    drawing: `<process id="p" isExecutable="true">${pair}<userTask id="a">${many(times(3), 'behavior="None" noneBehaviorEventRef="ev"')}</userTask>
      <boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><escalationEventDefinition escalationRef="x"/></boundaryEvent><task id="c"/>{s>a; a>e; b>c}</process>
      <escalation id="x" escalationCode="x"/><escalationEventDefinition id="ev" escalationRef="x"/>`,
    answers: {
      a: [
        { complete: {}, after: "1h" },
        { complete: {}, after: "2h" },
        { complete: {}, after: "3h" },
      ],
    },
    path: "s a a[0] a[1] a[2] b c b c b c e",
  },
  {
    clause: "13.3.7",
    says: "behavior One throws it as the first completes, and an interrupting boundary event ends the others",
    rules: "K172",
    drawing: `<process id="p" isExecutable="true">${pair}<userTask id="a">${many(times(3), 'behavior="One" oneBehaviorEventRef="ev"')}</userTask>
      <boundaryEvent id="b" attachedToRef="a"><signalEventDefinition signalRef="x"/></boundaryEvent><task id="c"/>{s>a; a>e; b>c}</process>
      <signal id="x" name="x"/><signalEventDefinition id="ev" signalRef="x"/>`,
    answers: {
      a: [
        { complete: {}, after: "1h" },
        { complete: {}, after: "2h" },
        { complete: {}, after: "3h" },
      ],
    },
    path: "s a a[0] a[1] a[2] !a[1] !a[2] !a b c",
  },
  {
    clause: "13.3.7",
    says: "behavior Complex throws what its conditions say",
    rules: "K172",
    drawing: `<process id="p" isExecutable="true">${pair}<userTask id="a">${many(`${times(3)}<complexBehaviorDefinition id="cb"><condition>numberOfCompletedInstances = 2</condition><event id="ce"><signalEventDefinition signalRef="x"/></event></complexBehaviorDefinition>`, 'behavior="Complex"')}</userTask>
      <boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><signalEventDefinition signalRef="x"/></boundaryEvent><task id="c"/>{s>a; a>e; b>c}</process>
      <signal id="x" name="x"/>`,
    answers: {
      a: [
        { complete: {}, after: "1h" },
        { complete: {}, after: "2h" },
        { complete: {}, after: "3h" },
      ],
    },
    path: "s a a[0] a[1] a[2] b c e",
  },
  {
    clause: "13.3.7",
    says: "behavior All throws nothing",
    rules: "K172",
    drawing: `${pair}<userTask id="a">${many(times(2), 'behavior="All"')}</userTask>{s>a; a>e}`,
    path: "s a a[0] a[1] e",
  },
  {
    clause: "13.3.7",
    says: "behavior None without an event throws a default signal that carries the counts",
    rules: "K172",
    choice: "that signal has no name by which anything could catch it, and is not sent",
    drawing: `${pair}<userTask id="a">${many(times(2), 'behavior="None"')}</userTask>{s>a; a>e}`,
    path: "s a a[0] a[1] e",
  },
  {
    clause: "13.3.7",
    says: "an error that an instance throws ends the others and leaves by the boundary",
    rules: "K73 K51",
    drawing: `${pair}<subProcess id="u">${many(times(2))}<startEvent id="us"/><userTask id="a"/><endEvent id="ue"><errorEventDefinition/></endEvent>{us>a; a>ue}</subProcess>
      <boundaryEvent id="b" attachedToRef="u"><errorEventDefinition/></boundaryEvent><task id="c"/>{s>u; u>e; b>c}`,
    answers: {
      a: [
        { complete: {}, after: "1h" },
        { complete: {}, after: "2h" },
      ],
    },
    path: "s u u[0] u[1] us[0] us[1] a[0] a[1] ue[0] !ue[0] !u[0] !a[1] !u[1] !u b c",
  },
  {
    clause: "13.3.7",
    says: "terminate in one instance of a sub-process ends that instance only",
    rules: "K14",
    drawing: `${pair}<subProcess id="u">${many(times(2))}<startEvent id="us"/><userTask id="a"/><userTask id="b"/><endEvent id="ue"><terminateEventDefinition/></endEvent>{us>a; us>b; a>ue}</subProcess>{s>u; u>e}`,
    answers: {
      a: [
        { complete: {}, after: "1h" },
        { complete: {}, after: "2h" },
      ],
      b: { complete: {}, after: "3h" },
    },
    path: "s u u[0] u[1] us[0] us[1] a[0] b[0] a[1] b[1] ue[0] !b[0] ue[1] !b[1] e",
  },
  {
    clause: "13.3.4",
    says: "a call activity runs another process and goes on when it has completed; data goes in and out",
    rules: "K60",
    drawing: `<process id="p" isExecutable="true">${pair}<callActivity id="c" calledElement="q"/>{s>c; c>e}</process>
      <process id="q" isExecutable="true"><startEvent id="t"/><scriptTask id="a" scriptFormat="feel"><script>y = x + 1</script></scriptTask>{t>a}</process>`,
    vars: { x: 1, y: 0 },
    path: "s c e / t a",
  },
  {
    clause: "13.3.4",
    says: "an error of the called process is caught at the call",
    rules: "K61",
    drawing: `<process id="p" isExecutable="true">${pair}<callActivity id="c" calledElement="q"/><boundaryEvent id="b" attachedToRef="c"><errorEventDefinition errorRef="x"/></boundaryEvent><task id="d"/>{s>c; c>e; b>d}</process>
      <process id="q" isExecutable="true"><startEvent id="t"/><endEvent id="f"><errorEventDefinition errorRef="x"/></endEvent>{t>f}</process><error id="x" errorCode="x"/>`,
    path: "s c !c b d / t f !f",
  },
  {
    clause: "13.3.4",
    says: "an escalation of the called process is caught at the call, which goes on",
    rules: "K128",
    drawing: `<process id="p" isExecutable="true">${pair}<callActivity id="c" calledElement="q"/><boundaryEvent id="b" attachedToRef="c" cancelActivity="false"><escalationEventDefinition escalationRef="x"/></boundaryEvent><task id="d"/>{s>c; c>e; b>d}</process>
      <process id="q" isExecutable="true"><startEvent id="t"/><intermediateThrowEvent id="f"><escalationEventDefinition escalationRef="x"/></intermediateThrowEvent><userTask id="g"/>{t>f; f>g}</process><escalation id="x" escalationCode="x"/>`,
    path: "s c b d e / t f g",
  },
  {
    clause: "13.3.4",
    says: "a call that is interrupted ends the called process",
    rules: "K62",
    drawing: `<process id="p" isExecutable="true">${pair}<callActivity id="c" calledElement="q"/><boundaryEvent id="b" attachedToRef="c"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent><task id="d"/>{s>c; c>e; b>d}</process>
      <process id="q" isExecutable="true"><startEvent id="t"/><userTask id="g"/>{t>g}</process>`,
    answers: { g: { ignore: true } },
    path: "s c !c b d / t g !g",
  },
  {
    clause: "13.3.5",
    says: "in an ad-hoc sub-process what is chosen runs; it completes when its condition holds, and what runs is ended",
    rules: "K177 K182",
    drawing: `${pair}<adHocSubProcess id="u"><userTask id="a"/><userTask id="b"/><task id="c"/>{a>c}<completionCondition>x = 1</completionCondition></adHocSubProcess>{s>u; u>e}`,
    answers: {
      a: { complete: { x: 1 }, after: "1h" },
      b: { complete: {}, after: "2h" },
      u: { complete: { activate: ["a", "b"] } },
    },
    path: "s u a b !b e",
  },
];
