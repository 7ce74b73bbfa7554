import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { must, type ProgramDocument } from "@tutti/kernel";
import { Random, randomProgram } from "@tutti/kernel/testing";
import { BpmnModdle } from "bpmn-moddle";
import { expect, test } from "vitest";
import { compileYaml } from "../compile.ts";
import { hashProgram } from "../hash.ts";
import { drawing, end, line } from "../testing/drawing.ts";
import { exportBpmn } from "./export.ts";
import { compileBpmn } from "./import.ts";

const require = createRequire(import.meta.url);
const zeebe = require("zeebe-bpmn-moddle/resources/zeebe.json") as object;
const fixture = (name: string) => readFileSync(new URL(`../../fixtures/bpmn/${name}`, import.meta.url));
const example = (name: string) => {
  const text = readFileSync(new URL(`../../examples/${name}`, import.meta.url), "utf8");
  return compileYaml(text, { file: name }).programs[0] as ProgramDocument;
};
const [order, events] = [example("order.yaml"), example("events.yaml")];

/** What comes back when a program is exported and imported again. */
function back(program: ProgramDocument): ProgramDocument | undefined {
  const { documents, problems } = compileBpmn(exportBpmn(program), { file: `${program.id}.bpmn` });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return documents.find(({ id }) => id === program.id);
}

function withHash(program: Omit<ProgramDocument, "hash">): ProgramDocument {
  return { ...program, hash: hashProgram(program) };
}

test.each(["zeebe-order.bpmn", "plain-leave.bpmn", "flowable-expense.bpmn20.xml"])(
  "[D220] %s comes out as it went in, diagram and comments included",
  (name) => {
    const { documents } = compileBpmn(fixture(name), { file: name });
    const text = new TextDecoder().decode(fixture(name));
    expect(documents).toHaveLength(1);
    expect(documents.map(exportBpmn)).toEqual(documents.map(() => text));
    for (const program of documents) expect(back(program)?.hash).toBe(program.hash);
  },
);

test("[D220] a file in another encoding comes out as UTF-8, and says so", () => {
  const bytes = fixture("jbpm-claims.bpmn2");
  const [program] = compileBpmn(bytes, { file: "claims.bpmn2" }).documents;
  const text = exportBpmn(must(program, "it compiles"));
  expect(text).toBe(new TextDecoder("iso-8859-1").decode(bytes).replace("ISO-8859-1", "UTF-8"));
  const again = compileBpmn(new TextEncoder().encode(text), { file: "again.bpmn2" }).documents;
  expect(again.map(({ hash, name }) => [hash, name])).toEqual([[program?.hash, "Ansprüche"]]);
});

const lines = (text: string | undefined) => (text ?? "").split("\n");

test("[D229] what changed since is added to the drawing, and the rest stays as it was", () => {
  const [drawn] = compileBpmn(fixture("zeebe-order.bpmn"), { file: "order.bpmn" }).documents;
  const program = must(drawn, "it compiles");
  const elements = program.elements.map((element) => {
    if (element.id === "charge") return { ...element, name: "Charge <it>", documentation: "Now." };
    return element.kind === "exclusive-gateway" ? { ...element, extension: { team: "x" } } : element;
  });
  const flows = program.flows.map((flow) => (flow.id === "Flow_5" ? { ...flow, name: "small" } : flow));
  const changed = withHash({ ...program, version: "3.0", elements, flows });
  const text = exportBpmn(changed);
  expect(back(changed)?.hash).toBe(changed.hash);
  expect(text).toContain('name="Charge &lt;it&gt;"');
  const [before, after] = [lines(program.source?.text), lines(text)];
  expect(after).toHaveLength(before.length);
  const touched = before.filter((row, index) => row !== after[index]);
  expect(touched).toHaveLength(5);
  expect(touched.join()).not.toMatch(/bpmndi|dc:Bounds/);
});

test("[D229] whatever a part looks like in the file, something can be added to it", () => {
  const parts = [
    `<startEvent id="s"/>`,
    `<task id="a" name='"x" > 1'/>`,
    `<task id="b"><documentation>1</documentation><documentation/></task>`,
    `<task id="c"><extensionElements/></task>`,
    `<task id="d"><extensionElements><x:y xmlns:x="urn:x"/></extensionElements></task>`,
    ...line("s", "a", "b", "c", "d"),
  ];
  for (const text of [
    drawing(parts),
    drawing(parts)
      .replaceAll(/<(\/?)(?!x:)(?=[a-z])/g, "<$1q:")
      .replace("xmlns=", "xmlns:q="),
  ]) {
    const program = must(compileBpmn(text, { file: "t" }).documents[0], "it compiles");
    const elements = program.elements.map((element) => ({
      ...element,
      name: `${element.id} & Co`,
      extension: { n: 1 },
    }));
    const changed = withHash({ ...program, elements, flows: program.flows.map((flow) => ({ ...flow, name: "on" })) });
    const kept = exportBpmn(changed);
    expect(back(changed)?.hash).toBe(changed.hash);
    expect(kept).toContain(`<x:y xmlns:x="urn:x"/>`);
    // And once more, on top of what was added.
    const twice = withHash({
      ...changed,
      source: { format: "bpmn", text: kept },
      elements: elements.map((element) => ({ ...element, extension: { n: 2 } })),
    });
    expect(exportBpmn(twice)).toContain(`<x:y xmlns:x="urn:x"/>`);
    expect(back(twice)?.hash).toBe(twice.hash);
  }
});

test("[D221] [D229] a program whose drawing has a part too much loses it; one without a drawing is drawn anew", () => {
  const [drawn] = compileBpmn(fixture("zeebe-order.bpmn"), { file: "order.bpmn" }).documents;
  const program = must(drawn, "it compiles");
  const changed = withHash({ ...program, flows: program.flows.slice(1) });
  expect(exportBpmn(changed)).not.toContain('exporter="Tutti"');
  expect(back(changed)?.hash).toBe(changed.hash);
  const moved = withHash({ ...program, source: { format: "bpmn", text: "<nothing/>" } });
  expect(exportBpmn(moved)).toContain('exporter="Tutti"');
});

test("[D221] the examples of every construct come back with the same hash", () => {
  expect(back(order)?.hash).toBe(order.hash);
  expect(back(events)?.hash).toBe(events.hash);
});

test("[D221] names and texts that XML or BPMN would not allow come back too", () => {
  const strange = "a \u0000<&\"'>\n\t ${x} #{y} = \uD800 z";
  const renamed = order.elements.map((element) => ({ ...element, name: strange, documentation: ` ${strange} ` }));
  const literal = renamed.map((element) =>
    element.kind === "user-task" ? { ...element, title: { literal: strange }, assignee: { literal: null } } : element,
  );
  const program = withHash({ ...order, id: "1 <process>", name: strange, elements: literal });
  expect(exportBpmn(program)).not.toContain("\u0000");
  expect(compileBpmn(exportBpmn(program), { file: "t" }).documents[0]?.hash).toBe(program.hash);
});

/** The language of the kernel's tests has a word for doubt that CEL has not. */
function randomDrawn(seed: number, tangled: boolean): ProgramDocument {
  const text = JSON.stringify(randomProgram(new Random(seed), tangled)).replaceAll('"maybe ', '"');
  return withHash(JSON.parse(text) as ProgramDocument);
}

const seeds = Number(process.env["BPMN_SIM_RUNS"] ?? 60);
test(`[D221] ${seeds} random programs come back with the same hash`, { timeout: 20_000 + 200 * seeds }, () => {
  let compared = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const program = randomDrawn(seed, seed % 2 === 0);
    const { documents, problems } = compileBpmn(exportBpmn(program), { file: `seed-${seed}` });
    // Lint finds what the random programs do wrong on purpose; what it lets pass is compared here, the rest in export.
    if (problems.some(({ severity }) => severity === "error")) continue;
    expect(documents[0]?.hash, `seed ${seed}`).toBe(program.hash);
    compared += 1;
  }
  expect(compared).toBeGreaterThan(seeds / 4);
});

/** Everything with an id that the modelers' own reader finds, and what it complains of. */
async function asModelersRead(
  text: string,
): Promise<{ readonly ids: readonly string[]; readonly warnings: readonly string[] }> {
  const moddle = new BpmnModdle({ zeebe });
  const { elementsById, warnings } = await moddle.fromXML(text);
  return { ids: Object.keys(elementsById), warnings: warnings.map((warning) => warning.message) };
}

test("[D222] what is generated is read by bpmn-moddle without a warning, every element drawn", async () => {
  const { ids, warnings } = await asModelersRead(exportBpmn(order));
  expect(warnings).toEqual([]);
  expect((await asModelersRead(exportBpmn(events))).warnings).toEqual([]);
  for (const element of order.elements) expect(ids).toEqual(expect.arrayContaining([element.id, `${element.id}_di`]));
  for (let seed = 0; seed < 10; seed++) {
    const random = await asModelersRead(exportBpmn(randomDrawn(seed, true)));
    expect(random.warnings, `seed ${seed}`).toEqual([]);
  }
});

test("[D222] nothing is drawn on top of anything else", () => {
  const text = exportBpmn(order);
  const boxes = [
    ...text.matchAll(
      /bpmnElement="([^"]+)"(?: isExpanded="true")?>\s*<dc:Bounds x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/g,
    ),
  ].map(([, id = "", x, y, width, height]) => ({
    id,
    x: Number(x),
    y: Number(y),
    right: Number(x) + Number(width),
    bottom: Number(y) + Number(height),
  }));
  const parents = new Map(order.elements.map((element) => [element.id, element.parent]));
  const solid = boxes.filter(({ id }) =>
    order.elements.find((element) => element.id === id && element.kind !== "boundary-event"),
  );
  expect(solid.length).toBeGreaterThan(20);
  for (const a of solid) {
    for (const b of solid) {
      if (a === b || parents.get(a.id) !== parents.get(b.id)) continue;
      const apart = a.right <= b.x || b.right <= a.x || a.bottom <= b.y || b.bottom <= a.y;
      expect(apart, `${a.id} and ${b.id}`).toBe(true);
    }
  }
});

test.each([
  ["/kind", `"user-task"`, 'Expected the path of a field that is not drawn, but found "/kind" (in remind)'],
  ["/parent", `"x"`, 'Expected the path of a field that is not drawn, but found "/parent" (in remind)'],
  ["", "{}", 'Expected the path of a field that is not drawn, but found "" (in remind)'],
  ["job/queue", `"light"`, 'Expected the path of a field that is not drawn, but found "job/queue" (in remind)'],
  ["/job/queue", "light", "Expected JSON, but the text is none (in remind)"],
])("[D223] a field of ours cannot say %j: %s", (path, value, message) => {
  const text = exportBpmn(order).replace(
    /<tutti:set path="\/job\/queue">"light"</,
    `<tutti:set path="${path}">${value}<`,
  );
  const { documents, problems } = compileBpmn(text, { file: "t" });
  expect(documents).toEqual([]);
  expect(problems.map((problem) => problem.message)).toEqual([message]);
});

test.each([
  [`<tutti:set path="/job">5</tutti:set>`, "Expected a map at job, but found the number 5"],
  [`<tutti:set path="/inputs/0">5</tutti:set>`, "Expected a list at inputs, but found a map"],
  [`<tutti:set path="/nonsense">5</tutti:set>`, 'Expected a known key here, but found "nonsense"'],
  [`<tutti:remove path="/job"/>`, "Expected a map for job, but it is missing"],
])("[D223] %s leaves no element that the kernel would stumble over", (change, message) => {
  const text = exportBpmn(order).replace(/<tutti:set path="\/job\/queue">"light"<\/tutti:set>/, change);
  const { documents, problems } = compileBpmn(text, { file: "t" });
  expect(documents).toEqual([]);
  expect(problems.map((problem) => problem.message)).toContain(message);
});

test("[D223] a path through names of JavaScript's own objects sets fields and nothing else", () => {
  const text = exportBpmn(order).replace(`path="/job/queue">"light"`, `path="/extension/__proto__/polluted">true`);
  const [program] = compileBpmn(text, { file: "t" }).documents;
  const remind = program?.elements.find(({ id }) => id === "remind");
  expect(JSON.stringify(remind?.extension)).toBe('{"__proto__":{"polluted":true}}');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test("[D212] [D221] a receive task that begins the process is started by its message, and comes back so", () => {
  const begins = `<receiveTask id="r" name="Order" instantiate="true"/>`;
  const { documents } = compileBpmn(drawing([begins, end, ...line("r", "e")]), { file: "t" });
  const document = must(documents[0], "it compiles");
  expect(document.elements[0]).toMatchObject({ kind: "receive-task", instantiate: true });
  const { extension: _source, ...own } = document as typeof document & { readonly extension?: unknown };
  const again = compileBpmn(exportBpmn({ ...own, name: "Renamed" }), { file: "t" });
  expect(again.documents[0]?.elements[0]).toMatchObject({ kind: "receive-task", instantiate: true });
});

test("[D222] what the items of a loop throw is said in BPMN's own words", async () => {
  const looped = (attributes: string, inside = "") =>
    `<multiInstanceLoopCharacteristics ${attributes}><loopCardinality>2</loopCardinality>${inside}</multiInstanceLoopCharacteristics>`;
  const complex = `<complexBehaviorDefinition><condition>=completed = 1</condition><event><escalationEventDefinition escalationRef="esc"/></event></complexBehaviorDefinition>`;
  const parts = [
    `<startEvent id="s"/>`,
    `<serviceTask id="a">${looped(`behavior="None" noneBehaviorEventRef="sd"`)}</serviceTask>`,
    `<serviceTask id="b">${looped(`behavior="One" oneBehaviorEventRef="sd"`)}</serviceTask>`,
    `<serviceTask id="c">${looped(`behavior="Complex"`, complex)}</serviceTask>`,
    ...line("s", "a", "b", "c"),
  ];
  const roots = [
    `<signal id="sig" name="one more"/>`,
    `<signalEventDefinition id="sd" signalRef="sig"/>`,
    `<escalation id="esc" escalationCode="late"/>`,
  ];
  const { source: _source, ...program } = must(
    compileBpmn(drawing(parts, roots), { file: "t" }).documents[0],
    "it compiles",
  );
  const text = exportBpmn(program);
  expect(compileBpmn(text, { file: "t" }).documents[0]?.hash).toBe(program.hash);
  expect(text).toContain('behavior="One" oneBehaviorEventRef="SignalEventDefinition_1"');
  expect(text).toContain("<bpmn:complexBehaviorDefinition>");
  expect(text).not.toMatch(/path="\/loop\/(?:behavior|events?)/);
  expect((await asModelersRead(text)).warnings).toEqual([]);
});
