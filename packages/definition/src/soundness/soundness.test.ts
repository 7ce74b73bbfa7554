import { readFileSync } from "node:fs";
import type { ProgramDocument } from "@tutti/kernel";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compile, compileYaml } from "../compile.ts";
import { programOf } from "../testing/check.ts";
import { checkSoundness, type SoundnessOptions } from "./soundness.ts";

function check(steps: string, options: SoundnessOptions = {}) {
  return checkSoundness(programOf(`process: p\nsteps:\n${steps}`), options);
}

function findings(steps: string): string[] {
  const { verdict, findings: found } = check(steps);
  expect(verdict).toBe(found.length === 0 ? "sound" : "unsound");
  return found.map(({ code, path, element }) => `${code} ${path.length > 0 ? path.join(" → ") : element}`);
}

/** A gateway whose condition nobody can foresee. */
const choose = (first: string, second: string) =>
  `choose: [{ when: "1 == 2", then: ${first} }, { otherwise: ${second} }]`;

test("[D160] a process that can always finish, properly and with every element, is sound", () => {
  const sound: readonly string[] = [
    "  a: { job: x }\n  b: { job: y }\n",
    `  a: { job: x }\n  again: { ${choose("a", "end")} }\n`,
    "  both: { fork: [a, b] }\n  a: { job: x, then: t }\n  b: { user: do it, then: t }\n  t: { join: true }\n",
    "  a: { job: x, on: { error: { no: b, yes: b }, timer: [{ after: 5m, interrupting: false, then: b }] }, then: end }\n  b: { job: y }\n",
    "  a: { steps: { b: { job: x, forEach: { collection: '= [1]', mode: parallel } } }, on: { error: c }, then: end }\n  c: { call: q }\n",
    "  a: { job: x, forEach: { collection: '= [1]', mode: sequential, completion: '1 == 2' } }\n  w: { wait: 5m }\n",
    "  a: { job: x, undo: { job: y } }\n  b: { choose: [{ when: '1 == 2', then: c }, { otherwise: d }] }\n  c: { compensate: true, then: end }\n  d: { end: terminate }\n",
    "  both: { fork: [a, b] }\n  a: { job: x, then: t }\n  b: { job: y, then: end }\n  t: { end: terminate }\n",
  ];
  for (const steps of sound) expect(`${steps} ${findings(steps).join()}`).toBe(`${steps} `);
});

test.each(["order", "events"])("[D160] the example %s, which shows every construct, is sound", (name) => {
  const file = `examples/${name}.yaml`;
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
  const { programs } = compileYaml(text, { file });
  expect(programs.map((program) => checkSoundness(program).findings)).toEqual(programs.map(() => []));
});

test("[D161] a join that a token can miss is found, with the shortest way there", () => {
  expect(
    findings(`
  both: { fork: [a, check] }
  a: { job: x, then: together }
  check: { ${choose("together", "end")} }
  together: { join: true }
`),
  ).toEqual(["process-stuck start → both → a → check → end"]);
  expect(
    findings(`
  work: { steps: { either: { ${choose("a", "b")} }, a: { job: x, then: t }, b: { job: y, then: t }, t: { join: true } } }
`),
  ).toEqual(["process-stuck start → work → either → a", "process-stuck start → work → either → b"].slice(0, 1));
});

test("[D160] names that are worked out are no reason to be stuck, and a computed code may be any that is caught", () => {
  const sound: readonly string[] = [
    "  a: { job: x }\n  b: { job: '= kind' }\n",
    "  a: { job: x }\n  b: { call: '= kind' }\n",
    "  a: { job: x }\n  b: { emit: { escalation: '= kind' } }\n",
    "  a: { job: x }\n  b: { steps: { c: { throw: '= kind' } }, on: { error: { 'not found': d, other: e } }, then: end }\n  d: { job: y, then: end }\n  e: { job: z }\n",
  ];
  const check = (steps: string) =>
    checkSoundness(programOf(`process: p\nvariables: { kind: { type: string, required: true } }\nsteps:\n${steps}`));
  expect(sound.map((steps) => check(steps).findings)).toEqual(sound.map(() => []));
});

test("[D160] one signal that leads to another is no circle: each has its own name", () => {
  const pack = "  pack: { job: x, on: { event: { signal: ask, interrupting: false, then: told } }, then: end }\n";
  expect(findings(`${pack}  told: { emit: { signal: told }, then: end }\n`)).toEqual([]);
});

test("[D161] what waits for events is explored: whichever comes first, and beside everything else", () => {
  // Of two events only one comes: nothing may wait for both.
  const race =
    "  r: { race: [a, b] }\n  a: { receive: m, then: t }\n  b: { wait: { signal: s }, then: t }\n  t: { join: true }\n";
  expect(findings(race)).toEqual(["process-stuck start → r → a"]);
  expect(findings(race.replace("  t: { join: true }\n", "  t: { pass: true }\n"))).toEqual([]);
  const some = `  o: { some: [{ when: "1 == 2", then: a }, { when: "2 == 2", then: b }, { otherwise: t }] }\n  a: { job: x, then: t }\n  b: { job: y, then: t }\n`;
  expect(findings(`${some}  t: { join: some }\n`)).toEqual([]);
  expect(findings(`${some}  t: { join: true }\n`)[0]).toMatch(/^process-stuck/);
});

test("[D161] what people or a worker choose in an ad-hoc sub-process is explored", () => {
  const steps = "steps: { b: { job: y }, c: { user: z, then: d }, d: { job: w } }";
  for (const how of ["{}", "{ job: choose }", "{ activate: [b] }", "{ completion: 1 == 2 }"]) {
    expect(`${how} ${findings(`  a: { adhoc: ${how}, ${steps} }\n`).join()}`).toBe(`${how} `);
  }
});

test("[D161] what the items of a collection throw is caught", () => {
  const text =
    "process: p\nsteps:\n  a: { job: x, forEach: { collection: '= [1]', mode: parallel }, on: { event: { escalation: half, then: b, interrupting: false } }, then: end }\n  b: { job: y, then: end }\n";
  const program = programOf(text);
  expect(checkSoundness(program).findings.map(({ code, element }) => `${code} ${element}`)).toEqual([
    "element-dead b",
    "element-dead a.on-event",
  ]);
  const event = { type: "escalation" as const, code: "half" };
  const throwing = program.elements.map((element) =>
    "loop" in element && element.loop !== undefined
      ? { ...element, loop: { ...element.loop, behavior: "one", event } }
      : element,
  ) as typeof program.elements;
  expect(checkSoundness({ ...program, elements: throwing })).toMatchObject({ verdict: "sound", findings: [] });
});

test("[D161] a token that comes to a gateway without a way out ends there, and is not stuck", () => {
  const program = programOf(
    "process: p\nsteps:\n  a: { job: x }\n  g: { choose: [{ when: '1 == 2', then: b }, { otherwise: end }] }\n  b: { job: y }\n",
  );
  const cut = { ...program, flows: program.flows.filter((flow) => flow.from !== "g") };
  expect(checkSoundness(cut).findings.map(({ message }) => message)).toEqual([
    "Expected some run to reach b, but none can",
  ]);
});

test("[D162] a process that goes in circles for ever is found", () => {
  expect(
    findings(`
  check: { ${choose("a", "end")} }
  a: { job: x, then: b }
  b: { job: y, on: { error: { no: a } }, then: a }
`),
  ).toEqual(["process-endless start → check → a"]);
});

test("[D163] tokens that every round leaves behind are found", () => {
  expect(
    findings(`
  again: { pass: true }
  both: { fork: [a, b] }
  a: { job: x, then: check }
  b: { user: do it, then: end }
  check: { ${choose("again", "end")} }
`),
  ).toEqual(["process-grows start → again → both → a → b → check → again → both → a → b"]);
});

test("[D163] a command that leaves the rest of its work to the next one leaves no tokens behind", () => {
  const many = Array.from({ length: 1_200 }, (_, index) => `t${index}`);
  const steps = `  all: { fork: [${many.join(", ")}] }\n${many.map((id) => `  ${id}: { wait: 1h, then: end }\n`).join("")}`;
  expect(check(steps, { statesMax: 10 })).toMatchObject({ verdict: "unknown", findings: [] });
}, 60_000);

test("[D163] an event that does not interrupt comes again only once what it led to by a link has gone by", () => {
  const steps = `  a: { user: x, on: { timer: { after: 1h, interrupting: false, then: g } }, then: end }
  g: { goto: there }
  l: { label: there, then: b }
  b: { job: y, then: end }
`;
  expect(findings(steps)).toEqual([]);
});

test("[D163] tokens that go in circles without ever waiting are found", () => {
  // What lint refuses may still come from elsewhere.
  const redirected = (steps: string, [from, to]: readonly [string, string]) => {
    const program = programOf(`process: p\nsteps:\n${steps}`);
    const flows = program.flows.map((flow) => (flow.to === from ? { ...flow, to } : flow));
    const { findings: found } = checkSoundness({ ...program, flows });
    return found.map(({ code, path }) => `${code} ${path.join(" → ")}`);
  };
  const forks = "  a: { pass: true }\n  b: { fork: [d, c] }\n  d: { job: y, then: end }\n  c: { job: x, then: end }\n";
  expect(redirected(forks, ["d", "a"])[0]).toMatch(/^process-spins …/);
  const lost = `  a: { job: x, on: { error: e } }\n  b: { pass: true }\n  c: { pass: true }\n  d: { ${choose("b", "e")} }\n  e: { pass: true }\n`;
  expect(redirected(lost, ["e", "b"])).toEqual(["process-spins start → a"]);
  // With a way out it is a circle like any other.
  expect(findings(lost)).toEqual([]);
});

test("[D164] an element that no run reaches is found, for what stands in it only the container", () => {
  expect(
    findings(`
  a: { job: x, then: end }
  b: { job: y, then: c }
  c: { steps: { d: { job: z } } }
`),
  ).toEqual(["element-dead b", "element-dead c"]);
  expect(
    findings(`
  a: { job: x, on: { error: { no: b } }, then: end }
  b: { steps: { c: { throw: never } }, on: { error: { other: d } }, then: e }
  d: { job: y }
  e: { job: z }
`),
  ).toEqual(["element-dead d", "element-dead e", "element-dead b.on-error-other"]);
});

test("[D164] what undoes work is not dead, since a caller may have it undone", () => {
  expect(findings("  a: { job: x, undo: { job: y } }\n")).toEqual([]);
  const drawn = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true">
    <startEvent id="s"/><subProcess id="v" triggeredByEvent="true"><startEvent id="vs"><compensateEventDefinition/></startEvent>
    <manualTask id="b"/><sequenceFlow id="f" sourceRef="vs" targetRef="b"/></subProcess></process></definitions>`;
  const { programs } = compile(drawn, { file: "p.bpmn" });
  expect(programs.map((program) => checkSoundness(program).findings)).toEqual([[]]);
});

test("[D169] what undoes the work is gone through, too: by itself, as a transaction, and as a caller has it undone", () => {
  const flow = (id: string, sourceRef: string, targetRef: string) =>
    `<sequenceFlow id="${id}" sourceRef="${sourceRef}" targetRef="${targetRef}"/>`;
  const task = `<userTask id="a"/><boundaryEvent id="au" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>
    <association id="ax" sourceRef="au" targetRef="ah"/>`;
  const easy = `<userTask id="ah" isForCompensation="true"/>`;
  const stuck = `<subProcess id="ah" isForCompensation="true"><startEvent id="hs"/><exclusiveGateway id="g" default="h4"/>
    <userTask id="h1"/><userTask id="h2"/><parallelGateway id="j"/>${flow("h3", "hs", "g")}${flow("h4", "g", "h1")}
    <sequenceFlow id="h5" sourceRef="g" targetRef="h2"><conditionExpression>n > 2</conditionExpression></sequenceFlow>
    ${flow("h6", "h1", "j")}${flow("h7", "h2", "j")}</subProcess>`;
  const found = (content: string) => {
    const drawn = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true">
      <startEvent id="s"/><endEvent id="e"/>${content}</process></definitions>`;
    const { programs } = compile(drawn, { file: "p.bpmn" });
    expect(programs).toHaveLength(1);
    const { verdict, findings } = checkSoundness(programs[0] as ProgramDocument);
    expect(verdict).toBe(findings.length === 0 ? "sound" : "unsound");
    return findings.map(({ code, path }) => `${code} ${path.join(" → ")}`);
  };
  const called = (handler: string) => `${task}${handler}${flow("p1", "s", "a")}${flow("p2", "a", "e")}`;
  expect(found(called(easy))).toEqual([]);
  expect(found(called(stuck))).toEqual(["process-stuck s → a → e → ah → hs → g → h2"]);
  const failing = `${task}${stuck}<endEvent id="f"><errorEventDefinition/></endEvent>${flow("p1", "s", "a")}${flow("p2", "a", "f")}`;
  expect(found(failing)).toEqual(["element-dead "]);
  const itself = (
    handler: string,
  ) => `${task}${handler}<intermediateThrowEvent id="t"><compensateEventDefinition/></intermediateThrowEvent>
    ${flow("p1", "s", "a")}${flow("p2", "a", "t")}${flow("p3", "t", "e")}`;
  expect(found(itself(easy))).toEqual([]);
  expect(found(itself(stuck))).toEqual(["process-stuck s → a → t → ah → hs → g → h2"]);
  const deal = (handler: string) => `<transaction id="x"><startEvent id="xs"/><callActivity id="c" calledElement="q"/>
    <userTask id="w"/><endEvent id="f"><cancelEventDefinition/></endEvent>${task}${handler}${flow("x1", "xs", "a")}
    ${flow("x2", "a", "c")}${flow("x3", "a", "w")}${flow("x4", "w", "f")}</transaction>
    <boundaryEvent id="k" attachedToRef="x"><cancelEventDefinition/></boundaryEvent><endEvent id="d"/>
    ${flow("p1", "s", "x")}${flow("p2", "k", "d")}`;
  expect(found(deal(easy).replace('<endEvent id="e"/>', ""))).toEqual(["element-dead "]);
  expect(found(deal(stuck))).toEqual(["process-stuck s → x → xs → a → c → w → f → ah → hs → g → h2"]);
});

test("[D165] the path has the names of the definition, with boundary events in brackets", () => {
  const { findings: found } = check(`
  both: { fork: [review, pay] }
  review: { user: look at it, on: { timer: { after: 2h, then: end } }, then: t }
  pay: { job: x, then: t }
  t: { join: true }
`);
  expect(found.map(({ path }) => path.join(" → "))).toEqual(["start → both → review → pay → [review.on-timer] → end"]);
  expect(found[0]?.message).toMatch(
    /^Expected a token on every flow into 't', but none can arrive any more, after start → /,
  );
});

test("[D166] past its limits it says that it does not know", () => {
  const many = Array.from({ length: 12 }, (_, index) => `t${index}`);
  const steps =
    `  all: { fork: [${many.join(", ")}] }\n${many.map((id) => `  ${id}: { job: x, on: { timer: { after: 1h, then: end } }, then: together }\n`).join("")}  together: { terminate: true }\n`.replace(
      "terminate: true",
      "end: terminate",
    );
  const result = check(steps, { statesMax: 50 });
  expect(result).toMatchObject({
    verdict: "unknown",
    reason:
      "Expected to see every state, but there are more than 50 states: 50 were seen, among them all within 1 step of the start.",
  });
  const short = check(steps, { workMax: 10_000 });
  expect(short).toMatchObject({
    verdict: "unknown",
    reason:
      "Expected to see every state, but that takes more than 10000 units of work: 70 were seen, among them all within 1 step of the start.",
  });
  expect(check(steps, { workMax: 10_000 })).toEqual(short);
});

test("[D166] the limits hold for a state as large as the limits of a program allow", () => {
  const many = Array.from({ length: 2_000 }, (_, index) => `t${index}`);
  const steps = `  all: { fork: [${many.join(", ")}] }\n${many.map((id) => `  ${id}: { job: x, on: { timer: { after: 1h, then: end } }, then: t }\n`).join("")}  t: { end: terminate }\n`;
  expect(check(steps, { workMax: 100_000 })).toMatchObject({ verdict: "unknown", findings: [] });
}, 60_000);

test("[D167] orders that make no difference are not gone through", () => {
  const many = Array.from({ length: 40 }, (_, index) => `t${index}`);
  const steps = `  all: { fork: [${many.join(", ")}] }\n${many.map((id) => `  ${id}: { job: x, then: together }\n`).join("")}  together: { join: true }\n`;
  const result = check(steps);
  expect(result.verdict).toBe("sound");
  expect(result.statesExplored).toBeLessThan(100);
});

const node = fc.constantFrom(
  "job: x",
  "pass: true",
  "join: true",
  "fork",
  "choose",
  "throw: no",
  "end: terminate",
  "wait: 1h",
  "error",
  "timer",
);
const graph = fc.array(fc.record({ node, first: fc.nat(5), second: fc.nat(5) }), { minLength: 2, maxLength: 6 });

test("[D163] [D167] what piles up where nobody hurries is found, also beside what would be seen to at once", () => {
  const steps = `  again: { fork: [slow, next] }\n  slow: { job: x, then: end }\n  next: { wait: 1h, then: more }\n  more: { ${choose("again", "end")} }\n`;
  for (const everyOrder of [false, true]) {
    const path = "start → again → slow → next → more → again → slow → next".split(" → ");
    expect(check(steps, { everyOrder }).findings).toMatchObject([{ code: "process-grows", path }]);
  }
});

test("[D167] leaving those orders out changes no verdict", () => {
  const target = (index: number, size: number) => (index >= size ? "end" : `n${index}`);
  const step = ({ node: kind, first, second }: { node: string; first: number; second: number }, size: number) => {
    const [a, b] = [target(first, size), target(second, size)];
    if (kind === "fork") return `fork: [${a}, ${b === a ? "end" : b}]`;
    if (kind === "choose") return choose(a, b);
    if (kind === "error") return `job: x, on: { error: { no: ${a} } }, then: ${b}`;
    if (kind === "timer") return `user: x, on: { timer: { after: 1h, then: ${a} } }, then: ${b}`;
    return /throw|end:/.test(kind) ? kind : `${kind}, then: ${a}`;
  };
  let compared = 0;
  fc.assert(
    fc.property(graph, (nodes) => {
      const text = `process: p\nsteps:\n${nodes.map((each, index) => `  n${index}: { ${step(each, nodes.length)} }\n`).join("")}`;
      const [program] = compileYaml(text, { file: "f" }).programs;
      if (program === undefined) return;
      const [fewer, all] = [false, true].map((everyOrder) => checkSoundness(program, { everyOrder, statesMax: 200 }));
      if (all?.verdict === "unknown" || fewer?.verdict === "unknown") return;
      compared += 1;
      // What never ends and leaves more behind is found as the one or the other, by what was come to first.
      const codes = (result: typeof all) =>
        [
          ...new Set(
            result?.findings.map(({ code, element = "" }) => {
              if (code === "element-dead") return `${code} ${element}`;
              return code === "process-grows" ? "process-endless" : code;
            }),
          ),
        ].sort();
      expect(`${text}${codes(fewer).join()}`).toBe(`${text}${codes(all).join()}`);
    }),
    { numRuns: 300, endOnFailure: true },
  );
  expect(compared).toBeGreaterThan(60);
});
