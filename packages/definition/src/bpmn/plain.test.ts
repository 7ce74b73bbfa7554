import { expect, test } from "vitest";
import { around, drawing, end, line, problemsOf, programOf, said, start } from "../testing/drawing.ts";

/** The same, of a process that was drawn for people. */
function plain(text: string): string {
  return text.replace(` isExecutable="true"`, "");
}

const waits = (name: string) => ({ type: "message", message: { name: { literal: name } } });

test.each([
  [
    "a timer without a time",
    `<intermediateCatchEvent id="t" name="Later"><timerEventDefinition><timeDate/></timerEventDefinition></intermediateCatchEvent>`,
    "Later",
  ],
  [
    "a condition without a text",
    `<intermediateCatchEvent id="t"><conditionalEventDefinition><condition/></conditionalEventDefinition></intermediateCatchEvent>`,
    "t",
  ],
  ["an event that does not say for what", `<intermediateCatchEvent id="t" name="Go"/>`, "Go"],
])("[D225] %s waits for a message of its own name, unless the process is executable", (_what, event, name) => {
  const text = drawing(around(event));
  expect(problemsOf(text)[0]).toContain(" error ");
  expect(said(programOf(plain(text)), "t")["trigger"]).toEqual(waits(name));
  expect(problemsOf(plain(text))).toEqual([
    expect.stringContaining(`leaves it out: here t waits for the message ${JSON.stringify(name)}`),
  ]);
});

test("[D225] boundaries, starts and event sub-processes that say nothing wait, too; what must interrupt does", () => {
  const text = drawing([
    ...around(`<task id="t"/>`),
    `<boundaryEvent id="b" attachedToRef="t" cancelActivity="false"/>`,
    `<boundaryEvent id="x" attachedToRef="t" cancelActivity="false"><errorEventDefinition/></boundaryEvent>`,
    `<startEvent id="s2"><timerEventDefinition/></startEvent>`,
    `<subProcess id="aside" triggeredByEvent="true"><startEvent id="as"/></subProcess>`,
    `<subProcess id="err" triggeredByEvent="true"><startEvent id="es" isInterrupting="false"><errorEventDefinition/></startEvent></subProcess>`,
    `<subProcess id="inner"><startEvent id="is"><messageEventDefinition/></startEvent></subProcess>`,
    `<sequenceFlow id="g" sourceRef="b" targetRef="inner"/>`,
  ]);
  expect(problemsOf(text).filter((problem) => problem.includes(" error "))).toHaveLength(6);
  const program = programOf(plain(text));
  expect(said(program, "b")).toMatchObject({ interrupting: false, trigger: waits("b") });
  expect(said(program, "x")).toMatchObject({ interrupting: true, trigger: { type: "error" } });
  expect([said(program, "s2")["trigger"], said(program, "as")["trigger"]]).toEqual([waits("s2"), waits("as")]);
  expect(said(program, "es")).not.toHaveProperty("interrupting");
  expect(said(program, "is")).toEqual({ id: "is", parent: "inner", kind: "start-event", trigger: { type: "none" } });
});

test("[D225] loops over nothing run once, a call of nothing is a worker's, loose ends are left out", () => {
  const text = drawing([
    ...around(`<userTask id="t"><multiInstanceLoopCharacteristics isSequential="true"/></userTask>`),
    `<task id="l"><standardLoopCharacteristics/></task>`,
    `<callActivity id="c" name="Book a room"/>`,
    `<boundaryEvent id="undo" attachedToRef="l"><compensateEventDefinition/></boundaryEvent>`,
    `<sequenceFlow id="f3" sourceRef="t" targetRef="l"/>`,
    `<sequenceFlow id="f4" sourceRef="l" targetRef="c"/>`,
    `<sequenceFlow id="f5" sourceRef="c"/>`,
  ]);
  expect(problemsOf(text).filter((problem) => problem.includes(" error "))).toHaveLength(5);
  const program = programOf(plain(text));
  expect([said(program, "t"), said(program, "l")].filter((element) => "loop" in element)).toEqual([]);
  expect(said(program, "c")).toMatchObject({ kind: "service-task", job: { type: "book-a-room" } });
  expect(program.elements.map(({ id }) => id)).toEqual(["s", "t", "e", "l", "c"]);
  expect(problemsOf(plain(text))).toHaveLength(5);
});

const choice = (gateway: string, names: readonly string[]) =>
  drawing([
    start,
    gateway,
    end,
    ...line("s", "g"),
    ...names.map((name, index) => `<sequenceFlow id="n${index}" name="${name}" sourceRef="g" targetRef="e"/>`),
  ]);

test("[D225] flows with names alone are chosen by a variable called like the gateway", () => {
  const text = choice(`<exclusiveGateway id="g" name="Passt es?"/>`, ["ja", "nein &amp; Schluss"]);
  const conditions = (drawn: string) => programOf(drawn).flows.flatMap(({ condition }) => condition?.text ?? []);
  expect(conditions(plain(text))).toEqual([`Passt_es = "ja"`, `Passt_es = "nein & Schluss"`]);
  expect(programOf(plain(text)).variables.map(({ name }) => name)).toEqual(["Passt_es"]);
  expect(problemsOf(plain(text))[0]).toContain(
    `n0, n1 have none: here the variable Passt_es chooses, by the name of a flow: "ja", "nein & Schluss"`,
  );
  expect(conditions(text)).toEqual([]);
  expect(problemsOf(text)[0]).toContain("warning bpmn-invalid");
  expect(problemsOf(text)[0]).toContain("n0 is taken before those behind it");
  // Nothing tells these apart.
  expect(conditions(plain(choice(`<exclusiveGateway id="g"/>`, ["x", "x"])))).toEqual([]);
});

test("[D225] one flow without a condition is the way out of the others, or merely the way on", () => {
  expect(problemsOf(plain(choice(`<exclusiveGateway id="g"/>`, ["on"])))).toEqual([]);
  const withDefault = plain(choice(`<exclusiveGateway id="g" name="审批" default="n1"/>`, ["通过", "不"]));
  expect(programOf(withDefault).flows.flatMap(({ condition }) => condition?.text ?? [])).toEqual([`审批 = "通过"`]);
});

test("[D226] flows are read wherever they are written; the association of a compensation may point either way", () => {
  const inside = `<subProcess id="t"><startEvent id="a"/><task id="b"/></subProcess>`;
  const program = programOf(drawing([...around(inside), `<sequenceFlow id="ab" sourceRef="a" targetRef="b"/>`]));
  expect(program.flows.map(({ from, to }) => `${from}>${to}`)).toEqual(["s>t", "t>e", "a>b"]);
  const crossing = drawing([...around(inside), `<sequenceFlow id="x" sourceRef="s" targetRef="b"/>`]);
  expect(problemsOf(crossing)[0]).toContain("target-other-scope");
  const undone = (ends: string) =>
    programOf(
      drawing(
        [
          ...around(`<task id="t"/>`),
          `<boundaryEvent id="m" attachedToRef="t"><eventDefinitionRef>tns:ced</eventDefinitionRef></boundaryEvent>`,
          `<task id="h"/>`,
          `<association id="as" ${ends}/>`,
        ],
        [`<compensateEventDefinition id="ced"/>`],
      ),
    );
  for (const ends of [`sourceRef="m" targetRef="h"`, `sourceRef="h" targetRef="m"`]) {
    expect(said(undone(ends), "t")).toMatchObject({ compensation: "h" });
    expect(said(undone(ends), "h")).toMatchObject({ forCompensation: true });
  }
});

test("[D210] data that is drawn to a task, and to no input of it, is there under its own name", () => {
  const text = drawing([
    `<dataObject id="o"/>`,
    `<dataObjectReference id="r" name="Invoice [paid]" dataObjectRef="o"/>`,
    `<dataObjectReference id="loose" name="金额"/>`,
    `<dataStoreReference id="store" name="Ledger"/>`,
    ...around(
      `<userTask id="t"><property id="port" name="__targetRef_placeholder"/><ioSpecification><dataInput id="in"/></ioSpecification><dataInputAssociation><sourceRef>r</sourceRef><targetRef>port</targetRef></dataInputAssociation><dataInputAssociation><sourceRef>loose</sourceRef><targetRef>in</targetRef></dataInputAssociation><dataOutputAssociation><targetRef>store</targetRef></dataOutputAssociation></userTask>`,
    ),
  ]);
  const same = (name: string) => ({ target: name, source: { variable: name }, optional: true });
  const task = said(programOf(text), "t");
  expect(task["inputs"]).toEqual([same("Invoice"), same("金额")]);
  expect(task["outputs"]).toEqual([same("Ledger")]);
  expect(problemsOf(text)).toEqual([]);
});

test("[D208] who is to do it may be a resource that a role names, by element or by type", () => {
  const roles = `<potentialOwner><resourceRef>tns:r</resourceRef></potentialOwner><resourceRole xsi:type="tHumanPerformer"><resourceRef>b</resourceRef></resourceRole>`;
  const roots = [`<resource id="r" name="Clerks"/>`, `<resource id="b" name="Boss"/>`];
  const text = drawing(around(`<userTask id="t">${roles}</userTask>`), roots).replace(
    "<definitions",
    `<definitions xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`,
  );
  expect(said(programOf(text), "t")).toMatchObject({ assignee: { literal: "Boss" }, candidates: ["Clerks"] });
});

test("[D200] the namespace of the standard's drafts is BPMN's, too", () => {
  const text = drawing([start]).replace(
    "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "http://schema.omg.org/spec/BPMN/2.0",
  );
  expect(programOf(text).id).toBe("p");
});

test("[D200] what has no namespace is BPMN only where the whole file has none", () => {
  const bare = `<definitions><process id="p"><startEvent id="s"/><geometry/></process></definitions>`;
  expect(problemsOf(bare)).toEqual([expect.stringContaining("found the geometry p.geometry1")]);
  const prefixed = bare
    .replaceAll(/<(\/?)(?!geometry)/g, "<$1q:")
    .replace("<q:definitions", `<q:definitions xmlns:q="http://www.omg.org/spec/BPMN/20100524/MODEL"`);
  expect(problemsOf(prefixed)).toEqual([]);
  expect(programOf(prefixed).elements.map(({ id }) => id)).toEqual(["s"]);
});

test("[D200] encodings by the names that Java has for them", () => {
  const text = (encoding: string) =>
    `<?xml version="1.0" encoding="${encoding}"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" name="*"><startEvent id="s"/></process></definitions>`;
  const nameOf = (encoding: string, byte: number) => {
    const bytes = Buffer.from(text(encoding), "latin1");
    bytes[bytes.indexOf("*")] = byte;
    return programOf(bytes).name;
  };
  expect([nameOf("MacRoman", 0x9f), nameOf("ISO8859_1", 0xfc), nameOf("Cp1252", 0x80)]).toEqual(["ü", "ü", "€"]);
});

test("[D212] an event sub-process for compensation may be marked as one, too", () => {
  const inside = `<startEvent id="a"/><subProcess id="c" triggeredByEvent="true" isForCompensation="true"><startEvent id="b"><compensateEventDefinition/></startEvent></subProcess>`;
  const program = programOf(drawing(around(`<subProcess id="t">${inside}</subProcess>`)));
  expect(said(program, "c")).toEqual({ id: "c", parent: "t", kind: "sub-process", triggeredByEvent: true });
});

test("[D215] a script that assigns gives what it assigns last, where there is a variable for what it gives", () => {
  const scripted = (format: string) =>
    said(
      programOf(
        drawing(
          around(
            `<scriptTask id="t" ${format} camunda:resultVariable="all"><script>x = "a"; y = x</script></scriptTask>`,
          ),
        ),
      ),
      "t",
    )["assignments"];
  expect(scripted("")).toMatchObject([{ target: "x" }, { target: "y" }, { target: "all", source: { variable: "y" } }]);
  const compared = `<scriptTask id="t" scriptFormat="feel" camunda:resultVariable="same"><script>x = y</script></scriptTask>`;
  expect(said(programOf(drawing(around(compared))), "t")["assignments"]).toEqual([
    { target: "same", source: { language: "feel", text: "x = y" } },
  ]);
});
