import { expect, test } from "vitest";
import { limits } from "../limits.ts";
import { Problems } from "../problem.ts";
import { workMs } from "../testing/check.ts";
import { compileBpmn } from "./import.ts";
import { readXml, type XmlNode } from "./xml.ts";

function read(text: string): { readonly root: XmlNode | undefined; readonly problems: string[] } {
  const problems = new Problems("test.bpmn");
  const root = readXml(text, problems);
  const list = problems
    .list()
    .map(({ position, code, message }) => `${position.line}:${position.column} ${code} ${message}`);
  return { root, problems: list };
}

test("[D200] names lose their file's prefixes, attributes and texts are decoded, positions count from 1", () => {
  const { root } = read(
    `<?xml version="1.0"?>\n<!-- a > b -->\n<m:definitions xmlns:m="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:f="http://flowable.org/bpmn">
  <m:task id='a' f:topic="x &lt; y&#10;z" name="two
lines"><m:documentation>1 &amp; <![CDATA[2 < 3 & 4]]> &#x20AC;</m:documentation></m:task>
  <other xmlns="urn:else"/>
</m:definitions>`,
  );
  const [task, other] = root?.children ?? [];
  expect(root?.name).toBe("bpmn:definitions");
  expect(task?.name).toBe("bpmn:task");
  expect(task?.position).toEqual({ line: 4, column: 3 });
  expect(Object.fromEntries(task?.attributes ?? [])).toEqual({
    id: "a",
    "camunda:topic": "x < y\nz",
    name: "two lines",
  });
  expect(task?.children[0]?.text).toBe("1 & 2 < 3 & 4 €");
  expect(other?.name).toBe("{urn:else}other");
});

test.each([
  ["<a>", "1:4 xml-invalid Expected </a> of line 1, but the file ends"],
  ["<a></b>", "1:4 xml-invalid Expected </a> of line 1, but found </b"],
  ["", "1:1 xml-invalid Expected an XML element, but there is none"],
  ["<a/><b/>", "1:5 xml-invalid Expected one root element, but another follows"],
  ["<a/>x", "1:5 xml-invalid Expected an element, but found text outside of one"],
  ["<a x=1/>", "1:6 xml-invalid Expected a value of x in quotes, but found none"],
  ["<a x='1' x='2'/>", "1:10 xml-invalid Expected every attribute once, but x is there twice"],
  ["<a x='1'y='2'/>", "1:9 xml-invalid Expected a space before y, but there is none"],
  ["<p:a/>", "1:1 xml-invalid Expected xmlns:p, but nothing declares it"],
  ["<a\n  b='<'/>", "2:5 xml-invalid Expected a value of b in quotes, but found none"],
  [
    "<a>&nope;</a>",
    "1:4 xml-refused Expected one of &lt; &gt; &amp; &quot; &apos; or a character number, but found &nope;",
  ],
  ["<a>x & y</a>", "1:6 xml-invalid Expected one of &lt; &gt; &amp; &quot; &apos; or a character number, but found &"],
  [
    "<a>&#xD800;</a>",
    "1:4 xml-refused Expected one of &lt; &gt; &amp; &quot; &apos; or a character number, but found &#xD800;",
  ],
  ["<a><!-- ", "1:4 xml-invalid Expected --> after <!--, but the file ends"],
  ["<![CDATA[x]]>", "1:1 xml-invalid Expected an element, but found text outside of one"],
  ["<a x", "1:5 xml-invalid Expected = after x, but there is none"],
  ["<a/ >", "1:4 xml-invalid Expected > at the end of <a, but found something else"],
  ["< a/>", "1:2 xml-invalid Expected an element name, but found something else"],
])("[D201] %j is refused at its place", (text, problem) => {
  expect(read(text)).toEqual({ root: undefined, problems: [problem] });
});

test("[D201] document types are refused before any of their entities could grow or be fetched", () => {
  const bomb = `<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"> ]>\n<d>&b;</d>`;
  expect(read(bomb).problems).toEqual(["1:1 xml-refused Expected no document type and no entities, but found <!"]);
  expect(read(`<!DOCTYPE d SYSTEM "file:///etc/passwd"><d/>`).root).toBeUndefined();
});

test("[D201] size and levels are limited", () => {
  expect(read(`<a>${"x".repeat(limits.fileBytesMax)}</a>`).problems).toEqual([
    `1:1 xml-limit Expected at most ${limits.fileBytesMax} bytes, but the file has ${limits.fileBytesMax + 7}`,
  ]);
  const deep = limits.depthMax + 1;
  expect(read("<a>".repeat(deep) + "</a>".repeat(deep)).problems).toEqual([
    `1:${limits.depthMax * 3 + 1} xml-limit Expected at most ${limits.depthMax} levels, but this is deeper`,
  ]);
  expect(read("<a>".repeat(limits.depthMax) + "</a>".repeat(limits.depthMax)).root).toBeDefined();
});

test("[D200] encodings: declared, marked, and one that does not fit", () => {
  const text = (encoding: string) =>
    `<?xml version="1.0" encoding="${encoding}"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" name="Prüfung"><startEvent id="s"/></process></definitions>`;
  const utf16 = Buffer.from(`\uFEFF${text("UTF-16")}`, "utf16le");
  const files = [
    Buffer.from(text("ISO-8859-1"), "latin1"),
    Buffer.from(text("windows-1252"), "latin1"),
    utf16,
    Buffer.from(utf16).swap16(),
    Buffer.from(`\uFEFF${text("UTF-8")}`),
    `\uFEFF${text("UTF-16")}`,
  ];
  for (const file of files)
    expect(compileBpmn(file, { file: "t" }).documents.map(({ name }) => name)).toEqual(["Prüfung"]);
  const wrong = compileBpmn(Buffer.from(text("UTF-8"), "latin1"), { file: "t" });
  expect(wrong.problems.map(({ message }) => message)).toEqual([
    "Expected a file in UTF-8, but it cannot be read as that",
  ]);
  const unknown = compileBpmn(Buffer.from(text("EBCDIC-1")), { file: "t" });
  expect(unknown.problems.map(({ code }) => code)).toEqual(["xml-invalid"]);
});

test("[D201] no text and no damage to a file makes it throw", () => {
  const whole = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p"><startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"><conditionExpression>x &gt; 1</conditionExpression></sequenceFlow><task id="t"/></process></definitions>`;
  for (let at = 0; at < whole.length; at++) {
    for (const damaged of [
      whole.slice(0, at),
      whole.slice(at),
      `${whole.slice(0, at)}<${whole.slice(at + 1)}`,
      `${whole.slice(0, at)}"&${whole.slice(at)}`,
    ]) {
      const { documents, problems } = compileBpmn(damaged, { file: "t" });
      expect(documents.length + problems.length).toBeGreaterThan(0);
    }
  }
});

test("[D201] a file as large as the limits allow compiles in seconds, one that would grow is refused", () => {
  const tasks = (count: number, inside: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => `<serviceTask id="t${n}">${inside(n)}</serviceTask>`).join("");
  const drawn = (content: string) =>
    `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><process id="p">${content}</process></definitions>`;
  const flows = Array.from(
    { length: 4_999 },
    (_, n) => `<sequenceFlow id="f${n}" sourceRef="t${n}" targetRef="t${n + 1}"/>`,
  );
  const large = drawn(tasks(5_000, () => "") + flows.join(""));
  const work = workMs(() => expect(compileBpmn(large, { file: "t" }).documents).toHaveLength(1));
  expect(work).toBeLessThan(5_000);
  const reading = (n: number) =>
    `<multiInstanceLoopCharacteristics><loopCardinality>=v${n}</loopCardinality></multiInstanceLoopCharacteristics>`;
  const growing = compileBpmn(drawn(tasks(2_000, reading)), { file: "t" });
  expect(growing.problems.map(({ code }) => code)).toEqual(["element-limit"]);
});
