import type { Row } from "./row.ts";

const pair = `<startEvent id="s"/><endEvent id="e"/>`;
/** A task, and the task that undoes it. */
const undone = (id: string, kind = "task", more = ""): string =>
  `<${kind} id="${id}">${more}</${kind}><boundaryEvent id="${id}u" attachedToRef="${id}"><compensateEventDefinition/></boundaryEvent><association id="${id}x" sourceRef="${id}u" targetRef="${id}h"/><task id="${id}h" isForCompensation="true"/>`;
const compensate = (attributes = ""): string => `<compensateEventDefinition ${attributes}/>`;
const throws = (id: string, attributes = ""): string =>
  `<intermediateThrowEvent id="${id}">${compensate(attributes)}</intermediateThrowEvent>`;
const process = (content: string): string =>
  `<process id="p" isExecutable="true">${content}</process><error id="err" errorCode="err"/>`;

/** Compensation and transactions. */
export const undoing: readonly Row[] = [
  {
    clause: "13.5.5",
    says: "compensation undoes what completed in its scope, the last first, and then goes on",
    rules: "K95",
    drawing: `${pair}${undone("a")}${undone("b")}${throws("t")}{s>a; a>b; b>t; t>e}`,
    path: "s a b t bh ah e",
  },
  {
    clause: "13.5.5",
    says: "only what completed is undone",
    rules: "K95",
    drawing: `${pair}${undone("a")}${undone("b", "userTask")}${throws("t")}{s>a; s>b; a>t; t>e}`,
    hours: { b: 1 },
    path: "s a b t ah e",
  },
  {
    clause: "13.5.5",
    says: "with an activity named only that is undone",
    rules: "K100",
    drawing: `${pair}${undone("a")}${undone("b")}${throws("t", 'activityRef="a"')}{s>a; a>b; b>t; t>e}`,
    path: "s a b t ah e",
  },
  {
    clause: "13.5.5",
    says: "an activity that completed several times is undone as often",
    rules: "K95",
    drawing: `${pair}${undone("a", "userTask")}${throws("t")}<exclusiveGateway id="m"/>{s>a; a>m; m>a ? n < 1; m>t ? n >= 1; t>e}`,
    answers: { a: [{ complete: { n: 0 } }, { complete: { n: 1 } }] },
    path: "s a m a m t ah ah e",
  },
  {
    clause: "13.5.5",
    says: "what was undone is not undone again",
    rules: "K100",
    drawing: `${pair}${undone("a")}${throws("t")}${throws("v")}{s>a; a>t; t>v; v>e}`,
    path: "s a t ah v e",
  },
  {
    clause: "13.5.5",
    says: "a compensation end event undoes, too",
    rules: "K95",
    drawing: `<startEvent id="s"/>${undone("a")}<endEvent id="e">${compensate()}</endEvent>{s>a; a>e}`,
    path: "s a e ah",
  },
  {
    clause: "13.5.5",
    says: "one that does not wait goes on at once; the scope ends after the last handler",
    rules: "K95",
    drawing: `${pair}${undone("a").replace('<task id="ah"', '<userTask id="ah"')}${throws("t", 'waitForCompletion="false"')}<userTask id="c"/>{s>a; a>t; t>c; c>e}`,
    hours: { c: 1, ah: 2 },
    path: "s a t c ah e",
  },
  {
    clause: "13.5.5",
    says: "a completed sub-process without a handler of its own is undone by undoing what completed in it",
    rules: "K97",
    drawing: `${pair}<subProcess id="u">${undone("a")}${undone("b")}{a>b}</subProcess>${undone("c")}${throws("t")}{s>u; u>c; c>t; t>e}`,
    path: "s u a b c t ch bh ah e",
  },
  {
    clause: "13.5.5",
    says: "named, too",
    rules: "K97 K100",
    drawing: `${pair}<subProcess id="u">${undone("a")}</subProcess>${undone("c")}${throws("t", 'activityRef="u"')}{s>u; u>c; c>t; t>e}`,
    path: "s u a c t ah e",
  },
  {
    clause: "13.5.5",
    says: "one with a handler is undone by that",
    rules: "K97",
    drawing: `${pair}${undone("u", "subProcess", undone("a"))}${throws("t")}{s>u; u>t; t>e}`,
    path: "s u a t uh e",
  },
  {
    clause: "13.5.5",
    says: "one with a compensation event sub-process is undone by that, which sees the data as it was",
    rules: "K136 K96",
    drawing: `${pair}<subProcess id="u">${undone("a")}<subProcess id="v" triggeredByEvent="true"><startEvent id="vs">${compensate()}</startEvent><task id="b"/><endEvent id="ve">${compensate('activityRef="a"')}</endEvent>{vs>b; b>ve}</subProcess></subProcess>${throws("t")}{s>u; u>t; t>e}`,
    path: "s u a t v vs b ve ah e",
  },
  {
    clause: "13.5.5",
    says: "a compensation event sub-process of the process itself starts only when the whole process is undone",
    rules: "K136",
    choice: "only undoing a call undoes a whole process",
    drawing: `${pair}${undone("a")}<subProcess id="v" triggeredByEvent="true"><startEvent id="vs">${compensate()}</startEvent><task id="b"/>{vs>b}</subProcess>${throws("t")}{s>a; a>t; t>e}`,
    path: "s a t ah e",
  },
  {
    clause: "13.5.5",
    says: "a completed call is undone by the handler at it, also when it is named",
    rules: "K97",
    drawing: `<process id="p" isExecutable="true">${pair}${undone("c", "callActivity").replace('<callActivity id="c"', '<callActivity id="c" calledElement="q"')}${throws("t", 'activityRef="c"')}{s>c; c>t; t>e}</process><process id="q" isExecutable="true"><startEvent id="qs"/>${undone("a")}{qs>a}</process>`,
    path: "s c t ch e / qs a",
  },
  {
    clause: "13.5.5",
    says: "a completed call without one is undone by undoing what completed in the called process, the last first",
    rules: "K101",
    drawing: `<process id="p" isExecutable="true">${pair}<callActivity id="c" calledElement="q"/>${undone("x")}${throws("t")}{s>c; c>x; x>t; t>e}</process><process id="q" isExecutable="true"><startEvent id="qs"/>${undone("a")}${undone("b")}{qs>a; a>b}</process>`,
    path: "s c x t xh e / qs a b / bh ah",
  },
  {
    clause: "13.5.5",
    says: "or by the compensation event sub-process of the called process, which sees its data as they were",
    rules: "K101 K136",
    drawing: `<process id="p" isExecutable="true">${pair}<callActivity id="c" calledElement="q"/>${throws("t")}{s>c; c>t; t>e}</process><process id="q" isExecutable="true"><startEvent id="qs"/>${undone("a")}<subProcess id="v" triggeredByEvent="true"><startEvent id="vs">${compensate()}</startEvent><task id="b"/><endEvent id="ve">${compensate('activityRef="a"')}</endEvent>{vs>b; b>ve}</subProcess>{qs>a}</process>`,
    path: "s c t e / qs a / v vs b ve ah",
  },
  {
    clause: "13.5.5",
    says: "a handler sees the data as it was when its activity completed",
    rules: "K96",
    drawing:
      process(`${pair}${undone("a", "scriptTask").replace('<scriptTask id="a">', '<scriptTask id="a" scriptFormat="feel"><script>x = 1</script>').replace('<task id="ah" isForCompensation="true"/>', '<scriptTask id="ah" isForCompensation="true" scriptFormat="feel"><script>seen = x</script></scriptTask>')}
      <scriptTask id="b" scriptFormat="feel"><script>x = 2</script></scriptTask>${throws("t")}{s>a; a>b; b>t; t>e}`),
    path: "s a b t ah e",
    leaves: { x: 2, seen: 1 },
  },
  {
    clause: "13.5.5",
    says: "each instance of a multi-instance is undone, the last that completed first",
    rules: "K97",
    drawing: `${pair}<subProcess id="u"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>${undone("a")}</subProcess>${throws("t")}{s>u; u>t; t>e}`,
    path: "s u u[0] u[1] a[0] a[1] t ah ah e",
  },
  {
    clause: "13.5.5",
    says: "each round of a loop is undone, the last first",
    rules: "K171",
    drawing: `${pair}${undone("a", "task", '<standardLoopCharacteristics loopMaximum="2"><loopCondition>true</loopCondition></standardLoopCharacteristics>')}${throws("t")}{s>a; a>t; t>e}`,
    path: "s a a a t ah ah e",
  },
  {
    clause: "13.5.5",
    says: "an error event sub-process may undo what completed in its scope",
    rules: "K95",
    drawing:
      process(`${pair}<subProcess id="u">${undone("a")}<endEvent id="f"><errorEventDefinition errorRef="err"/></endEvent>{a>f}
      <subProcess id="v" triggeredByEvent="true"><startEvent id="vs"><errorEventDefinition errorRef="err"/></startEvent><endEvent id="ve">${compensate()}</endEvent>{vs>ve}</subProcess></subProcess>{s>u; u>e}`),
    path: "s u a f !f v vs ve ah e",
  },
  {
    clause: "13.5.5",
    says: "a thrown compensation without an activity does not reach scopes around it",
    rules: "K95",
    drawing: `${pair}${undone("a")}<subProcess id="u">${undone("b")}${throws("t")}{b>t}</subProcess>{s>a; a>u; u>e}`,
    path: "s a u b t bh e",
  },
  {
    clause: "13.5.5",
    says: "naming an activity that has not completed does nothing",
    rules: "K100",
    drawing: `${pair}${undone("a")}${throws("t", 'activityRef="a"')}{s>t; t>a; a>e}`,
    path: "s t a e",
  },
  {
    clause: "13.3.4",
    says: "a cancel end event undoes what completed in its transaction, then goes on at the cancel event",
    rules: "K137",
    drawing: `${pair}<transaction id="x"><startEvent id="xs"/>${undone("a")}${undone("b")}<userTask id="c"/><endEvent id="f"><cancelEventDefinition/></endEvent>{xs>a; a>b; b>f; xs>c}</transaction>
      <boundaryEvent id="k" attachedToRef="x"><cancelEventDefinition/></boundaryEvent><task id="d"/>{s>x; x>e; k>d}`,
    answers: { c: { ignore: true } },
    path: "s x xs a c b f !c bh ah !f !x k d",
  },
  {
    clause: "13.3.4",
    says: "cancelled in one of its instances, a multi-instance transaction is cancelled as a whole: all of them are undone",
    rules: "K137",
    drawing: `${pair}<transaction id="x"><multiInstanceLoopCharacteristics isSequential="true"><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics><startEvent id="xs"/>${undone("a")}<exclusiveGateway id="g"/><endEvent id="xe"/><endEvent id="f"><cancelEventDefinition/></endEvent>{xs>a; a>g; g>f ? loopCounter = 2; g>xe ? loopCounter != 2}</transaction>
      <boundaryEvent id="k" attachedToRef="x"><cancelEventDefinition/></boundaryEvent><task id="d"/>{s>x; x>e; k>d}`,
    path: "s x x[0] xs[0] a[0] g[0] xe[0] x[1] xs[1] a[1] g[1] f[1] ah[1] ah[1] !f[1] !x[1] !x k d",
  },
  {
    clause: "13.3.4",
    says: "in one round of a loop, too",
    rules: "K137",
    drawing: `${pair}<transaction id="x"><standardLoopCharacteristics><loopCondition>true</loopCondition></standardLoopCharacteristics><startEvent id="xs"/>${undone("a")}<exclusiveGateway id="g"/><endEvent id="xe"/><endEvent id="f"><cancelEventDefinition/></endEvent>{xs>a; a>g; g>f ? loopCounter = 2; g>xe ? loopCounter != 2}</transaction>
      <boundaryEvent id="k" attachedToRef="x"><cancelEventDefinition/></boundaryEvent><task id="d"/>{s>x; x>e; k>d}`,
    path: "s x x xs a g xe x xs a g f ah ah !f !x !x k d",
  },
  {
    clause: "13.3.4",
    says: "what completed in a call that is still open is undone, too, as that of a sub-process would be",
    rules: "K104",
    drawing: `<process id="p" isExecutable="true">${pair}<transaction id="x"><startEvent id="xs"/>${undone("a")}<callActivity id="c" calledElement="q"/><userTask id="w"/><endEvent id="f"><cancelEventDefinition/></endEvent>{xs>a; a>c; a>w; w>f}</transaction>
      <boundaryEvent id="k" attachedToRef="x"><cancelEventDefinition/></boundaryEvent><task id="d"/>{s>x; x>e; k>d}</process><process id="q" isExecutable="true"><startEvent id="qs"/>${undone("b")}<userTask id="g"/>{qs>b; b>g}</process>`,
    hours: { w: 1, g: 2 },
    path: "s x xs a c w f !c ah !f !x k d / qs b g !g bh",
  },
  {
    clause: "13.3.4",
    says: "a transaction that completes goes on normally",
    rules: "K137",
    drawing: `${pair}<transaction id="x">${undone("a")}</transaction><boundaryEvent id="k" attachedToRef="x"><cancelEventDefinition/></boundaryEvent><task id="d"/>{s>x; x>e; k>d}`,
    path: "s x a e",
  },
  {
    clause: "13.3.4",
    says: "an error that leaves a transaction is a hazard: nothing is undone",
    rules: "K139",
    drawing:
      process(`${pair}<transaction id="x">${undone("a")}<endEvent id="f"><errorEventDefinition errorRef="err"/></endEvent>{a>f}</transaction>
      <boundaryEvent id="k" attachedToRef="x"><cancelEventDefinition/></boundaryEvent><boundaryEvent id="h" attachedToRef="x"><errorEventDefinition/></boundaryEvent><task id="d"/><task id="g"/>{s>x; x>e; k>d; h>g}`),
    path: "s x a f !f !x h g",
  },
  {
    clause: "13.5.5",
    says: "a transaction that completed can be undone by a later compensation",
    rules: "K97",
    drawing: `${pair}<transaction id="x">${undone("a")}</transaction>${throws("t")}{s>x; x>t; t>e}`,
    path: "s x a t ah e",
  },
];
