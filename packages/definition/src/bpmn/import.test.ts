import { expect, test } from "vitest";
import { around, drawing, end, line, problemsOf, programOf, said, start } from "../testing/drawing.ts";
import { compileBpmn } from "./import.ts";

test("[D203] the executable processes of a file, each a program with the name of its pool", () => {
  const processes = `<process id="a" isExecutable="true"><startEvent id="s1"/></process><process id="b" isExecutable="true"><startEvent id="s2"/></process><process id="c"><startEvent id="s3"/></process><process id="d" isExecutable="true"/>`;
  const text = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><collaboration id="x"><participant id="y" name="Shop" processRef="a"/></collaboration>${processes}</definitions>`;
  expect(compileBpmn(text, { file: "t" }).documents.map(({ id, name }) => [id, name])).toEqual([
    ["a", "Shop"],
    ["b", "b"],
  ]);
  const none = text.replaceAll(` isExecutable="true"`, "");
  expect(compileBpmn(none, { file: "t" }).documents.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  expect(problemsOf(`<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>`)).toEqual([
    "1:1 error bpmn-invalid Expected a process with elements, but there is none",
  ]);
  expect(problemsOf(`<html/>`)).toEqual([
    "1:1 error form-unknown Expected definitions of BPMN 2.0, but the root is bpmn:html",
  ]);
});

test("[D203] [D224] a process that an executable one calls comes with it; the call of a global task is that task", () => {
  const called = `<process id="called"><startEvent id="s2"/></process><process id="other"><startEvent id="s3"/></process>`;
  const text = drawing(around(`<callActivity id="t" calledElement="called"/>`), [called, `<globalUserTask id="g"/>`]);
  expect(compileBpmn(text, { file: "t" }).documents.map(({ id }) => id)).toEqual(["p", "called"]);
  expect(said(programOf(text), "t")).toMatchObject({ process: "called", binding: "deployment" });
  const global = text
    .replace(`"called"`, `"tns:g" name="Look"`)
    .replace(
      `<globalUserTask id="g"/>`,
      `<globalUserTask id="g"><potentialOwner><resourceRef>r</resourceRef></potentialOwner></globalUserTask><resource id="r" name="Clerks, night"/>`,
    );
  expect(said(programOf(global), "t")).toMatchObject({ kind: "user-task", title: { literal: "Look" } });
  const scripted = text
    .replace(`"called"`, `"g"`)
    .replace(
      `<globalUserTask id="g"/>`,
      `<globalScriptTask id="g" name="Sum"><script>x = 1</script></globalScriptTask>`,
    );
  expect(said(programOf(scripted), "t")).toMatchObject({ kind: "script-task", assignments: [{ target: "x" }] });
});

test("[D202] [D204] everything that is wrong is reported at once, each at its place", () => {
  const text = drawing([
    start,
    `<choreographyTask id="c" name="Talk"/>`,
    `<serviceTask id="t"><extensionElements><zeebe:executionListeners><zeebe:executionListener type="x"/></zeebe:executionListeners></extensionElements></serviceTask>`,
    `<serviceTask id="t"/>`,
    `<boundaryEvent id="b" attachedToRef="nobody"><timerEventDefinition/></boundaryEvent>`,
    `<boundaryEvent id="b2" attachedToRef="t"><timerEventDefinition><timeDuration>soon</timeDuration></timerEventDefinition></boundaryEvent>`,
    `<endEvent id="e"><errorEventDefinition errorRef="t"/></endEvent>`,
    `<sequenceFlow id="f" sourceRef="s" targetRef="gone"/>`,
    `<sequenceFlow id="g" sourceRef="s"/>`,
    `<callActivity id="call"/>`,
    `<intermediateThrowEvent id="x"><terminateEventDefinition/></intermediateThrowEvent>`,
    `<sequenceFlow id="h" sourceRef="t" targetRef="t"><conditionExpression language="http://www.w3.org/1999/XPath">a/b</conditionExpression></sequenceFlow>`,
  ]);
  expect(problemsOf(text).map((problem) => problem.replace(/ error /, " "))).toEqual([
    "3:1 element-unsupported Expected what Tutti can run, but found the choreographyTask c (Talk)",
    "4:40 element-unsupported Expected what Tutti can run, but found executionListeners in t",
    "5:1 element-duplicate Expected every id once, but t is there twice (first in line 4)",
    "6:1 bpmn-invalid Expected an element with the id nobody, but there is none (in b)",
    '7:64 timer-invalid Expected a duration such as PT15M, but found "soon" (in b2)',
    "8:18 bpmn-invalid Expected error with the id t, but it is a serviceTask (in e)",
    "9:1 bpmn-invalid Expected an element with the id gone, but there is none (in f)",
    "10:1 bpmn-invalid Expected targetRef, but there is none (in g)",
    "11:1 bpmn-invalid Expected a process that call calls, but there is none",
    "12:1 bpmn-invalid Expected an end event for terminate, but it is an intermediate one (in x)",
    "13:50 element-unsupported Expected what Tutti can run, but found an expression in http://www.w3.org/1999/XPath; FEEL and CEL are there (in h)",
  ]);
});

test.each([
  ["= x > 1", "", "feel", "x > 1"],
  ["x > 1 and y", "", "feel", "x > 1 and y"],
  ["x == 1", "", "cel", "x == 1"],
  ['x = "&amp;&amp;"', "", "feel", 'x = "&&"'],
  ["${x eq 'and' and not(y)}", "", "cel", "x == 'and' && !(y)"],
  ["#{x ge 1}", "", "cel", "x >= 1"],
  ["return x &gt; 1;", ' language="http://www.java.com/java"', "cel", "x > 1"],
  ["x &gt; 1", ' language="https://www.omg.org/spec/DMN/20191111/FEEL/"', "feel", "x > 1"],
  ["x &gt; 1", ' language="cel"', "cel", "x > 1"],
  ["x === 'a===b'", "", "cel", "x == 'a===b'"],
  ["next(null, this.environment.variables.x !== 1);", ' language="javascript"', "cel", "x != 1"],
  ["${environment.variables.x}", "", "cel", "x"],
  ["x ? y : false", "", "cel", "x ? y : false"],
  ["${empty x}", "", "cel", '(x == null || x == "" || x == [] || x == {})'],
  ["${x mod 2 eq 1}", "", "cel", "(x - 2 * double(int(x / 2))) == 1"],
  ["${(x div 2 gt 1) ? y : !z}", "", "cel", "(x / 2 > 1) ? y : !z"],
  ["${!x.equals('a') or y.isEmpty()}", "", "cel", "!(x == 'a') || (size(y) == 0)"],
  ["${x.contains('a')}", "", "cel", "(type(x) == string ? x.contains('a') : 'a' in x)"],
  ["${execution.getVariable('x') == 1}", "", "cel", "x == 1"],
  ['${S(x).prop("n").numberValue() >= 5}', "", "cel", 'x["n"] >= 5'],
  ["${x.y[0].get('z').longValue() - -1 lt 5}", "", "cel", "x.y[0]['z'] - -1 < 5"],
  ["bpmn:getDataObject('x') > 1", "", "feel", "x > 1"],
  ['x.contains("a")', "", "cel", '(type(x) == string ? x.contains("a") : "a" in x)'],
  ['not(contains(x, "y.size()")) and y in [1..n(2)]', "", "feel", 'not(contains(x, "y.size()")) and y in [1..n(2)]'],
  ["x == None", ' language="python"', "cel", "x == null"],
  ['${x == "5"}', "", "cel", '(type(x) == string ? x == "5" : x == 5)'],
  ["${'10' &lt; x.y}", "", "cel", "(type(x.y) == string ? '10' < x.y : 10 < x.y)"],
  ["${x == 'n-' + y}", "", "cel", "x == 'n-' + string(y)"],
  ["${x == 'a' and '5' == '5'}", "", "cel", "x == 'a' && '5' == '5'"],
])("[D205] the condition %s%s is %s", (written, attribute, language, text) => {
  const flows = `<sequenceFlow id="f" sourceRef="g" targetRef="e"><conditionExpression${attribute}>${written}</conditionExpression></sequenceFlow>`;
  const elements = [start, `<exclusiveGateway id="g" default="d"/>`, end, ...line("s", "g"), flows];
  const { documents } = compileBpmn(drawing([...elements, `<sequenceFlow id="d" sourceRef="g" targetRef="e"/>`]), {
    file: "t",
  });
  const condition = documents[0]?.flows.find(({ id }) => id === "f")?.condition;
  expect(condition).toMatchObject({ language, text });
});

test.each([
  ["${approval.check(x)}", "approval.check(x)"],
  ["${check(x)}", "check(x)"],
  ["${x.y(1, 2)}", "x.y(1, 2)"],
  ["${x gt}", "an end in the middle"],
  ["${x y}", "y"],
  ["${x > #}", "#"],
  ["${x + )}", ")"],
  [`\${${"(".repeat(200)}x`.concat(")".repeat(200), "}"), "more than 100 levels"],
])("[D205] the condition %s is refused by what is foreign in it", (written, found) => {
  const flow = `<sequenceFlow id="f" sourceRef="g" targetRef="e"><conditionExpression>${written}</conditionExpression></sequenceFlow>`;
  const problems = problemsOf(drawing([start, '<exclusiveGateway id="g"/>', end, ...line("s", "g"), flow]));
  expect(problems.join()).toContain(
    `element-unsupported Expected what Tutti can run, but found ${found} in the expression`,
  );
  expect(problems.join()).toContain("let a task compute it into a variable");
});

test("[D233] a condition on a default flow, or behind an event, is not evaluated, with a warning", () => {
  const flow = (id: string, from: string) =>
    `<sequenceFlow id="${id}" sourceRef="${from}" targetRef="e"><conditionExpression>x</conditionExpression></sequenceFlow>`;
  const text = drawing([
    start,
    `<exclusiveGateway id="g" default="d"/>`,
    end,
    flow("a", "s"),
    ...line("s", "g"),
    flow("d", "g"),
  ]);
  expect(problemsOf(text)).toEqual([
    "5:50 warning bpmn-invalid Expected no condition behind start-event s, but there is one: it is not evaluated (in a)",
    "7:50 warning bpmn-invalid Expected no condition on the default flow of g, but there is one: it is not evaluated (in d)",
  ]);
  expect(programOf(text).flows.filter(({ condition }) => condition !== undefined)).toEqual([]);
});

test.each([
  ["<timeDuration>PT90M</timeDuration>", { kind: "duration", value: { literal: "PT1H30M" } }],
  ["<timeDuration> 15m </timeDuration>", { kind: "duration", value: { literal: "PT15M" } }],
  ["<timeDuration>=wait</timeDuration>", { kind: "duration", value: { variable: "wait" } }],
  ['<timeDuration>="PT5M"</timeDuration>', { kind: "duration", value: { literal: "PT5M" } }],
  [
    "<timeDuration>${wait + wait}</timeDuration>",
    { kind: "duration", value: { language: "cel", text: "wait + wait" } },
  ],
  ["<timeDate>2030-01-01T00:00:00Z</timeDate>", { kind: "date", value: { literal: "2030-01-01T00:00:00Z" } }],
  ["<timeCycle>R5/PT10S</timeCycle>", { kind: "cycle", value: { literal: "R5/PT10S" } }],
  ["<timeCycle>PT10S</timeCycle>", { kind: "cycle", value: { literal: "R/PT10S" } }],
  ["<timeCycle>0 0 9 * * MON-FRI</timeCycle>", { kind: "cron", value: { literal: "0 0 9 * * MON-FRI" } }],
])("[D206] the timer %s", (written, timer) => {
  const text = drawing(
    around(
      `<intermediateCatchEvent id="t"><timerEventDefinition>${written}</timerEventDefinition></intermediateCatchEvent>`,
    ),
  );
  expect(said(programOf(text), "t")["trigger"]).toEqual({ type: "timer", timer });
});

test.each([
  [
    "",
    "<timerEventDefinition/>",
    "Expected one of timeDate, timeDuration and timeCycle with a text, but there is none",
  ],
  [
    "two",
    "<timerEventDefinition><timeDate>x</timeDate><timeCycle>y</timeCycle></timerEventDefinition>",
    "but there are 2",
  ],
  ["date", "<timerEventDefinition><timeDate>tomorrow</timeDate></timerEventDefinition>", 'but found "tomorrow"'],
])("[D206] a timer that is none: %s", (_name, written, message) => {
  const problems = problemsOf(drawing(around(`<intermediateCatchEvent id="t">${written}</intermediateCatchEvent>`)));
  expect(problems[0]).toContain(message);
});

test.each([
  [`<serviceTask id="t" name="Send the Bill!" implementation="##WebService"/>`, "send-the-bill"],
  [`<serviceTask id="t" implementation="urn:bill"/>`, "urn:bill"],
  [`<serviceTask id="t" operationRef="tns:op"/>`, "sendBill"],
  [`<serviceTask id="t"/>`, "t"],
  [`<serviceTask id="t" camunda:type="external" camunda:topic="bill"/>`, "bill"],
  [`<serviceTask id="t" camunda:class="org.acme.Bill"/>`, "org.acme.Bill"],
  [`<serviceTask id="t" camunda:expression="\${bills.send(x)}"/>`, "bills.send(x)"],
  [`<serviceTask id="t" camunda:type="mail"/>`, "mail"],
  [
    `<serviceTask id="t"><extensionElements><camunda:connector><camunda:connectorId>http</camunda:connectorId></camunda:connector></extensionElements></serviceTask>`,
    "http",
  ],
  [
    `<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="=&quot;bill&quot;"/></extensionElements></serviceTask>`,
    "bill",
  ],
])("[D207] the job of %s is %s", (task, type) => {
  const program = programOf(
    drawing(around(task), [`<interface id="i"><operation id="op" name="sendBill"/></interface>`]),
  );
  expect(said(program, "t")).toMatchObject({ kind: "service-task", job: { type } });
});

test("[D207] [D230] a number of retries that is computed, or none, is refused, and so is a job without a type", () => {
  const task = (definition: string) =>
    `<serviceTask id="t"><extensionElements><zeebe:taskDefinition ${definition}/></extensionElements></serviceTask>`;
  expect(problemsOf(drawing(around(task(`type="x" retries="=n"`))))[0]).toBe(
    "3:40 error element-unsupported Expected a fixed number of retries, but =n is computed; write the number itself, 1 for a job that is tried once (in t)",
  );
  expect(problemsOf(drawing(around(task(`type="x" retries="many"`))))[0]).toContain(
    "Expected a number of retries from 1 to 999, but found many",
  );
  expect(problemsOf(drawing(around(task(`retries="1"`))))[0]).toContain("Expected a job type, but there is none");
});

test("[D208] candidates are names, or an expression that gives some", () => {
  const task = (groups: string) =>
    drawing(
      around(
        `<userTask id="t"><extensionElements><zeebe:assignmentDefinition candidateGroups="${groups}" candidateUsers="ann, bob"/></extensionElements></userTask>`,
      ),
    );
  expect(said(programOf(task(`=[&quot;a&quot;, &quot;b&quot;]`)), "t")["candidates"]).toEqual(["a", "b", "ann", "bob"]);
  expect(said(programOf(task("=teams")), "t")).toMatchObject({
    candidates: ["ann", "bob"],
    candidatesFrom: [{ variable: "teams" }],
  });
  expect(said(programOf(task(`=[&quot;a&quot;, lead]`)), "t")).toMatchObject({
    candidatesFrom: [{ language: "feel", text: `["a", lead]` }],
  });
});

test("[D209] what maps nothing sees every variable and writes those that its result has", () => {
  const mapping = `<extensionElements><zeebe:ioMapping><zeebe:input source="=a" target="x"/></zeebe:ioMapping></extensionElements>`;
  const loop = `<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="=list" inputElement="item"/></extensionElements></multiInstanceLoopCharacteristics>`;
  const inner = `<subProcess id="t">${loop}<startEvent id="si"/><serviceTask id="open"/><serviceTask id="half">${mapping}</serviceTask><sequenceFlow id="i1" sourceRef="si" targetRef="open"/><sequenceFlow id="i2" sourceRef="open" targetRef="half"/></subProcess>`;
  const program = programOf(drawing(around(inner)));
  expect(program.variables.map(({ name }) => name)).toEqual(["a", "list"]);
  expect(program.outputs).toEqual(["a", "list"]);
  const names = (id: string, way: string) =>
    (said(program, id)[way] as { target: string; optional?: boolean }[]).map((entry) => entry.target);
  expect([names("open", "inputs"), names("open", "outputs")]).toEqual([
    ["item", "a", "list"],
    ["a", "list"],
  ]);
  expect([names("half", "inputs"), names("half", "outputs")]).toEqual([["x"], ["a", "list"]]);
  expect(said(program, "open")["inputs"]).toContainEqual({ target: "a", source: { variable: "a" }, optional: true });
});

test("[D210] data objects are variables; associations read and write them", () => {
  const io = `<ioSpecification><dataInput id="in1" name="bill"/><dataOutput id="out1" name="paid"/></ioSpecification>`;
  const associations = `<dataInputAssociation><sourceRef>ref1</sourceRef><targetRef>in1</targetRef></dataInputAssociation><dataOutputAssociation><sourceRef>out1</sourceRef><targetRef>obj2</targetRef></dataOutputAssociation>`;
  const program = programOf(
    drawing(
      [
        `<dataObject id="obj1" itemSubjectRef="tns:item"/>`,
        `<dataObjectReference id="ref1" name="Bill [open]" dataObjectRef="obj1"/>`,
        `<dataObject id="obj2" name="is paid" isCollection="true"/>`,
        ...around(`<serviceTask id="t">${io}${associations}</serviceTask>`),
      ],
      [`<itemDefinition id="item" structureRef="xsd:boolean"/>`],
    ),
  );
  expect(program.variables).toEqual([
    { name: "Bill", type: "boolean", initial: null },
    { name: "is_paid", type: "list", initial: null },
  ]);
  expect(said(program, "t")).toMatchObject({
    inputs: [{ target: "bill", source: { variable: "Bill" } }],
    outputs: [{ target: "is_paid", source: { variable: "paid" } }],
  });
});

test("[D211] cardinality, and a loop over nothing", () => {
  const looped = (loop: string) =>
    drawing(
      around(
        `<serviceTask id="t"><multiInstanceLoopCharacteristics isSequential="true">${loop}</multiInstanceLoopCharacteristics></serviceTask>`,
      ),
    );
  expect(said(programOf(looped("<loopCardinality>3</loopCardinality>")), "t")["loop"]).toEqual({
    mode: "sequential",
    collection: { literal: [1, 2, 3] },
    item: "loopCounter",
  });
  const computed = said(programOf(looped("<loopCardinality>${n}</loopCardinality>")), "t")["loop"];
  expect(computed).toMatchObject({
    collection: { language: "feel", text: "if (n) < 1 then [] else for i in 1..(n) return i" },
  });
  expect(said(programOf(looped("<loopCardinality>count(people)</loopCardinality>")), "t")["loop"]).toMatchObject({
    collection: { language: "feel", text: "if (count(people)) < 1 then [] else for i in 1..(count(people)) return i" },
  });
  expect(problemsOf(looped("<loopCardinality>-1</loopCardinality>"))[0]).toContain(
    "Expected a number from 0 to 100000",
  );
  expect(problemsOf(looped(""))[0]).toContain("Expected a collection or a cardinality, but the loop of t has none");
});

test("[D212] errors meet by code, name or id; messages have the key that correlates them", () => {
  const roots = [
    `<error id="e1" name="Broken"/>`,
    `<message id="m1" name="paid"><extensionElements><zeebe:subscription correlationKey="=order"/></extensionElements></message>`,
    `<message id="m2" name="sent"/>`,
    `<correlationProperty id="cp"><correlationPropertyRetrievalExpression messageRef="m2"><messagePath>x</messagePath></correlationPropertyRetrievalExpression></correlationProperty>`,
    `<signal id="sig" name="alarm"/>`,
  ];
  const elements = [
    `<correlationSubscription id="cs" correlationKeyRef="k"><correlationPropertyBinding correlationPropertyRef="cp"><dataPath>=parcel</dataPath></correlationPropertyBinding></correlationSubscription>`,
    ...around(`<serviceTask id="t"/>`),
    `<boundaryEvent id="b" attachedToRef="t"><errorEventDefinition errorRef="e1"/></boundaryEvent>`,
    `<endEvent id="fail"><errorEventDefinition errorRef="e1"/></endEvent>`,
    `<sequenceFlow id="x1" sourceRef="b" targetRef="m"/>`,
    `<intermediateCatchEvent id="m"><messageEventDefinition messageRef="m1"/></intermediateCatchEvent>`,
    `<sequenceFlow id="x2" sourceRef="m" targetRef="n"/>`,
    `<intermediateCatchEvent id="n"><messageEventDefinition messageRef="m2"/></intermediateCatchEvent>`,
    `<sequenceFlow id="x3" sourceRef="n" targetRef="o"/>`,
    `<intermediateThrowEvent id="o"><signalEventDefinition signalRef="sig"/></intermediateThrowEvent>`,
    `<sequenceFlow id="x4" sourceRef="o" targetRef="q"/>`,
    `<intermediateCatchEvent id="q" name="Bell"><signalEventDefinition/></intermediateCatchEvent>`,
    `<sequenceFlow id="x5" sourceRef="q" targetRef="fail"/>`,
  ];
  const text = drawing(elements, roots);
  expect(problemsOf(text)).toEqual([
    '17:44 warning bpmn-invalid Expected a signal (signalRef), but none is named: it is called "Bell" (in q)',
  ]);
  const program = programOf(text);
  const trigger = (id: string) => said(program, id)["trigger"];
  expect([trigger("b"), trigger("fail")]).toEqual([
    { type: "error", code: "Broken" },
    { type: "error", code: "Broken" },
  ]);
  expect(trigger("m")).toEqual({
    type: "message",
    message: { name: { literal: "paid" }, correlationKey: { variable: "order" } },
  });
  expect(trigger("n")).toEqual({
    type: "message",
    message: { name: { literal: "sent" }, correlationKey: { variable: "parcel" } },
  });
  expect(trigger("o")).toEqual({ type: "signal", signal: { name: { literal: "alarm" } } });
  expect(trigger("q")).toEqual({ type: "signal", signal: { name: { literal: "Bell" } } });
  expect(said(program, "n")["outputs"]).toContainEqual({
    target: "order",
    source: { variable: "order" },
    optional: true,
  });
});

test("[D213] an activity is undone by what its compensation event is associated with", () => {
  const parts = around(`<serviceTask id="t"/>`);
  const mark = `<boundaryEvent id="b" attachedToRef="t"><compensateEventDefinition/></boundaryEvent>`;
  const handler = `<serviceTask id="undo" isForCompensation="true"/>`;
  const text = drawing([...parts, mark, handler, `<association id="a" sourceRef="b" targetRef="undo"/>`]);
  expect(said(programOf(text), "t")).toMatchObject({ compensation: "undo" });
  expect(problemsOf(drawing([...parts, mark]))).toEqual([
    "7:1 error undo-invalid Expected an association to the activity that undoes, but b has none",
  ]);
  expect(
    problemsOf(drawing([...parts, mark, handler, `<sequenceFlow id="x" sourceRef="t" targetRef="undo"/>`])).join(),
  ).toContain("Expected an association at a compensation handler, but x is a sequence flow");
});

test.each([
  [`<scriptTask id="t" scriptFormat="cel"><script>x = 1; y = x + 1</script></scriptTask>`, ["x", "y"], "cel"],
  [
    `<scriptTask id="t" scriptFormat="feel" camunda:resultVariable="x"><script>=1 + 1</script></scriptTask>`,
    ["x"],
    "feel",
  ],
  [
    `<scriptTask id="t" scriptFormat="juel" camunda:resultVariable="x"><script>\${n + 1}</script></scriptTask>`,
    ["x"],
    "cel",
  ],
  [
    `<scriptTask id="t"><extensionElements><zeebe:script expression="=1 + n" resultVariable="x"/></extensionElements></scriptTask>`,
    ["x"],
    "feel",
  ],
])("[D215] %s assigns %j", (task, targets, language) => {
  const { assignments } = said(programOf(drawing(around(task))), "t") as {
    assignments: { target: string; source: object }[];
  };
  expect(assignments.map(({ target }) => target)).toEqual(targets);
  expect(assignments[0]?.source).toMatchObject({ language });
});

test("[D215] the entries of a context in FEEL are assignments", () => {
  const scripted = (script: string) => `<scriptTask id="t" scriptFormat="feel"><script>${script}</script></scriptTask>`;
  const text = drawing(around(scripted('= {n: n + 1, // one more\n "is odd": {rest: modulo(n, 2)}}')));
  expect(said(programOf(text), "t")["assignments"]).toEqual([
    { target: "n", source: { language: "feel", text: "n + 1" } },
    { target: "is_odd", source: { language: "feel", text: "{rest: modulo(n, 2)}" } },
  ]);
  expect(problemsOf(text)).toEqual([]);
});

test.each([
  ["feel", "3:40", "(n = n + 1, or a context {n: n + 1})"],
  ["cel", "3:39", "(n = n + 1)"],
])("[D215] a script in %s that says nowhere what it sets is told what is missing", (format, place, how) => {
  const text = drawing(around(`<scriptTask id="t" scriptFormat="${format}"><script>n + 1</script></scriptTask>`));
  expect(problemsOf(text)).toEqual([
    `${place} warning element-unsupported Expected assignments ${how} or a variable for the result (camunda:resultVariable), but there is neither: t becomes a job of the type script.${format}`,
  ]);
});

test("[D215] a script that names no language is told so", () => {
  const text = drawing(around(`<scriptTask id="t"><script>n + 1</script></scriptTask>`));
  expect(problemsOf(text)).toEqual([
    expect.stringContaining("Expected a script in FEEL or CEL, but no language is named: t"),
  ]);
});

test.each(["http://www.java.com/java", "java", "text/x-java"])("[D215] a script in %s is a job", (format) => {
  const text = drawing(around(`<scriptTask id="t" scriptFormat="${format}"><script>go();</script></scriptTask>`));
  const type = format.endsWith("x-java") ? "script.x_java" : "script.java";
  expect(said(programOf(text), "t")).toMatchObject({ job: { type, headers: { script: "go();", language: format } } });
});

test.each([
  ["javascript", 'execution.setVariable("y", x + 1); console.log("y; is", y)', ["y = x + 1"]],
  ["http://www.java.com/java", '// says hello\nSystem.out.println("hello");', []],
  ["javascript", "this.environment.variables.y = x === 1;\nnext();", ["y = x == 1"]],
  ["groovy", "kcontext.setVariable('y', list.isEmpty());", ["y = (size(list) == 0)"]],
  ["python", "y = x % 2\nz = y == 1 and not x", ["y = (x - 2 * double(int(x / 2)))", "z = y == 1 && !x"]],
])("[D215] a script in %s that only sets variables or prints is run: %s", (format, text, expected) => {
  const task = `<scriptTask id="t" scriptFormat="${format}"><script><![CDATA[${text}]]></script></scriptTask>`;
  const { kind, assignments } = said(programOf(drawing(around(task))), "t") as {
    kind: string;
    assignments: { target: string; source: { text: string } }[];
  };
  expect(kind).toBe("script-task");
  expect(assignments.map(({ target, source }) => `${target} = ${source.text}`)).toEqual(expected);
});

test.each([
  ["groovy", "y = x + 1"],
  ["javascript", "var y = x; execution.setVariable('y', y)"],
  ["javascript", "execution.setVariable('y', service.ask(x))"],
  ["javascript", "execution.setVariable('y', 1 in [1.5])"],
  ["python", "if x > 1:\n  y = 2"],
])("[D215] a script in %s that does more is a job: %s", (format, text) => {
  const task = `<scriptTask id="t" scriptFormat="${format}"><script><![CDATA[${text}]]></script></scriptTask>`;
  expect(said(programOf(drawing(around(task))), "t")).toMatchObject({ job: { type: `script.${format}` } });
});

test("[D215] a service task that works out an expression is a script; one that calls code is a job", () => {
  const task = (expression: string, more = "") =>
    said(programOf(drawing(around(`<serviceTask id="t" camunda:expression="${expression}" ${more}/>`))), "t");
  const into = 'camunda:resultVariable="r"';
  expect(task("${x gt 1}", into)).toMatchObject({ kind: "script-task", assignments: [{ target: "r" }] });
  expect(task("${x}")).toMatchObject({ kind: "script-task", assignments: [] });
  expect(task("${bean.run(x)}", into)).toMatchObject({ kind: "service-task", job: { type: "bean.run(x)" } });
});

test("[D123] an ad-hoc sub-process is chosen in by Zeebe's list, by a job, or by people", () => {
  const inside = `<task id="a"/><task id="b"/><completionCondition>getActivityInstanceAttribute("numberOfActiveInstances") == 0</completionCondition>`;
  const list = `<extensionElements><zeebe:adHoc activeElementsCollection="=[&quot;a&quot;]" outputCollection="all" outputElement="=one"/></extensionElements>`;
  const adHoc = (attributes: string, content: string) =>
    said(
      programOf(drawing(around(`<adHocSubProcess id="t" ${attributes}>${content}${inside}</adHocSubProcess>`))),
      "t",
    );
  expect(adHoc(`ordering="Sequential" cancelRemainingInstances="false"`, list)).toMatchObject({
    kind: "ad-hoc-sub-process",
    ordering: "sequential",
    cancelRemaining: false,
    activate: { language: "feel", text: '["a"]' },
    completion: { language: "cel", text: "active == 0" },
    output: { target: "all", source: { variable: "one" } },
  });
  expect(adHoc("", `<extensionElements><zeebe:taskDefinition type="choose"/></extensionElements>`)).toMatchObject({
    job: { type: "choose" },
    ordering: "parallel",
    cancelRemaining: true,
  });
  const started = around(`<adHocSubProcess id="t"><startEvent id="x"/></adHocSubProcess>`);
  expect(problemsOf(drawing(started))[0]).toContain("has a start event in the ad-hoc sub-process 't'");
});
