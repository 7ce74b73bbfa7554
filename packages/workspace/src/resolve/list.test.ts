import fc from "fast-check";
import { expect, test } from "vitest";
import { hasNewMarkers, unaccountedLines } from "./accounted.ts";
import { mergeLists } from "./list.ts";

interface Case {
  readonly path?: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/** The result, the same with the sides swapped; or "declined". */
function merge({ path = "x.js", base, ours, theirs }: Case): string {
  const [one, two] = [mergeLists({ path, base, ours, theirs }), mergeLists({ path, base, ours: theirs, theirs: ours })];
  expect(two, "[W71] swapped sides").toEqual(one);
  if ("declined" in one) return "declined";
  return one.resolved;
}

test("[W73] import lines, sorted where they were", () => {
  const base = 'import { a } from "./a.js";\nimport { z } from "./z.js";\n\nrun();\n';
  const add = (name: string): string =>
    base.replace("import { z }", `import { ${name} } from "./${name}.js";\nimport { z }`);
  expect(merge({ base, ours: add("m"), theirs: add("c") })).toBe(
    'import { a } from "./a.js";\nimport { c } from "./c.js";\nimport { m } from "./m.js";\nimport { z } from "./z.js";\n\nrun();\n',
  );
  const python = "import os\n\nx = 1\n";
  const py = (line: string): string => python.replace("import os\n", `import os\n${line}\n`);
  expect(merge({ path: "x.py", base: python, ours: py("from a import b"), theirs: py("import sys") })).toBe(
    "import os\nfrom a import b\nimport sys\n\nx = 1\n",
  );
});

test("[W73] one name from two places is a contradiction, not a list", () => {
  const base = "run();\n";
  expect(
    merge({ base, ours: `import { a } from "./x.js";\n${base}`, theirs: `import { a } from "./y.js";\n${base}` }),
  ).toBe("declined");
});

test("[W73] names within a line", () => {
  const js = (names: string): string => `import { ${names} } from "./m.js";\n`;
  expect(merge({ base: js("a"), ours: js("a, c"), theirs: js("a, b") })).toBe(js("a, b, c"));
  expect(merge({ base: js("a, x"), ours: js("a"), theirs: js("a, x, b") })).toBe("declined");
  expect(merge({ base: js("a, x, y"), ours: js("x, y"), theirs: js("a, x, y, b") })).toBe(js("x, y, b"));
  const py = (names: string): string => `from m import ${names}\n`;
  expect(merge({ path: "m.py", base: py("a"), ours: py("a, b"), theirs: py("a, c") })).toBe(py("a, b, c"));
  const exported = (names: string): string => `module.exports = { ${names} };\n`;
  expect(merge({ base: exported("a"), ours: exported("a, b"), theirs: exported("a, c") })).toBe(exported("a, b, c"));
});

test("[W73] entries between commas, whatever the last one has", () => {
  const list = (...entries: string[]): string =>
    `const routes = [\n${entries.map((entry) => `  ${entry}`).join(",\n")}\n];\n`;
  expect(merge({ base: list("a"), ours: list("a", "b"), theirs: list("a", "c") })).toBe(list("a", "b", "c"));
  const trailing = (...entries: string[]): string => `f({\n${entries.map((entry) => `  ${entry},\n`).join("")}});\n`;
  expect(merge({ base: trailing("a: 1"), ours: trailing("a: 1", "b: 2"), theirs: trailing("a: 1", "c: 3") })).toBe(
    trailing("a: 1", "b: 2", "c: 3"),
  );
  expect(merge({ base: trailing("a: 1"), ours: trailing("a: 1", "b: 2"), theirs: trailing("a: 1", "b: 3") })).toBe(
    "declined",
  );
  expect(merge({ base: trailing("a: 1"), ours: trailing("a: 2"), theirs: trailing("a: 3") })).toBe("declined");
});

test("[W73] registrations on one object", () => {
  const base = 'const router = new Router();\nrouter.get("/", home);\nexport { router };\n';
  const add = (line: string): string => base.replace("export", `${line}\nexport`);
  expect(merge({ base, ours: add('router.get("/b", b);'), theirs: add('router.post("/a", a);') })).toBe(
    'const router = new Router();\nrouter.get("/", home);\nrouter.get("/b", b);\nrouter.post("/a", a);\nexport { router };\n',
  );
  expect(merge({ base, ours: add("router.use(a);"), theirs: add("server.use(b);") })).toBe("declined");
  expect(merge({ base, ours: add("if (x) {"), theirs: add("if (y) {") })).toBe("declined");
});

test("[W73] whole declarations, however the difference was cut out", () => {
  const fn = (name: string): string => `function ${name}() {\n  return "${name}";\n}\n`;
  const base = fn("a");
  const result = merge({ base, ours: `${base}\n${fn("b")}`, theirs: `${base}\n${fn("c")}` });
  expect(result).toBe([fn("a"), fn("b"), fn("c")].join("\n"));
  expect(merge({ base, ours: `${base}\n${fn("b")}`, theirs: `${base}\n${fn("b").replace('"b"', "2")}` })).toBe(
    "declined",
  );
  const tests = (name: string): string => `test("${name}", () => {\n  check();\n});\n`;
  const suite = `import x from "x";\n\n${tests("one")}`;
  expect(merge({ base: suite, ours: `${suite}\n${tests("two")}`, theirs: `${suite}\n${tests("three")}` })).toBe(
    `${suite}\n${tests("three")}\n${tests("two")}`,
  );
  const def = (name: string): string => `def ${name}():\n    return 1\n`;
  expect(
    merge({ path: "m.py", base: def("a"), ours: `${def("a")}\n\n${def("b")}`, theirs: `${def("a")}\n\n${def("c")}` }),
  ).toContain(def("c"));
});

test("[W73] ignore files and change logs", () => {
  expect(merge({ path: ".gitignore", base: "dist\n", ours: "dist\nlogs\n", theirs: "dist\n.env\nlogs\n" })).toBe(
    "dist\n.env\nlogs\n",
  );
  expect(merge({ path: ".gitignore", base: "a\nb\n", ours: "a\nx\n", theirs: "a\ny\n" })).toBe("a\nx\ny\n");
  expect(merge({ path: ".gitignore", base: "a\n", ours: "a\n!b\n", theirs: "a\nc\n" })).toBe("declined");
  const log = (entry: string): string => `# Changes\n\n## Next\n\n${entry}\n\n## 1.0\n`;
  const base = "# Changes\n\n## 1.0\n";
  expect(merge({ path: "CHANGELOG.md", base, ours: log("- b"), theirs: log("- a") })).toBe(
    "# Changes\n\n## Next\n\n- a\n- b\n\n## 1.0\n",
  );
});

test("[W73] everything else declines", () => {
  const base = "function f(x) {\n  return x;\n}\n";
  expect(merge({ base, ours: base.replace("x;", "x + 1;"), theirs: base.replace("x;", "x * 2;") })).toBe("declined");
  expect(
    merge({
      base,
      ours: base.replace("  return", "  check(x);\n  return"),
      theirs: base.replace("  return", "  let y = 2;\n  return"),
    }),
  ).toBe("declined");
  expect(merge({ base: "", ours: "one\n", theirs: "two\n" })).toBe("declined");
});

/** Texts that look like what units really edit: lists of entries of several kinds in one file. */
const name = fc.stringMatching(/^[a-z]{1,4}$/);
const file = (
  imports: readonly string[],
  routes: readonly string[],
  entries: readonly string[],
  functions: readonly string[],
): string =>
  [
    'import base from "base";',
    ...imports.map((n) => `import { ${n} } from "./${n}.js";`),
    "",
    "const app = make();",
    ...routes.map((n) => `app.get("/${n}", ${n});`),
    "",
    "export const all = {",
    ...entries.map((n) => `  ${n}: "${n}",`),
    "};",
    ...functions.flatMap((n) => ["", `export function ${n}() {`, `  return ${n}.value;`, "}"]),
    "",
  ].join("\n");
const part = fc.uniqueArray(name, { maxLength: 4 });
const parts = fc.tuple(part, part, part, part);
type Parts = readonly [string[], string[], string[], string[]];
const grown = (base: Parts, more: Parts): Parts =>
  base.map((list, i) => [...list, ...(more[i] ?? []).filter((n) => !list.includes(n))]) as unknown as Parts;
const textOf = (p: Parts): string => file(...p);

test("[W70] [W71] every line that a side added is in the result", () => {
  let resolved = 0;
  fc.assert(
    fc.property(parts, parts, parts, (base, mine, yours) => {
      const texts = { base: textOf(base), ours: textOf(grown(base, mine)), theirs: textOf(grown(base, yours)) };
      const result = merge(texts);
      if (result === "declined") return;
      resolved += 1;
      expect(unaccountedLines({ ...texts, result })).toEqual([]);
      const added = (side: Parts): string[] => side.flatMap((list, i) => list.filter((n) => !base[i]?.includes(n)));
      for (const n of [...added(mine), ...added(yours)]) expect(result).toContain(n);
      expect(hasNewMarkers({ ...texts, result })).toBe(false);
    }),
    { numRuns: 300 },
  );
  expect(resolved, "the property must not hold for want of cases").toBeGreaterThan(150);
});

test("[W70] arbitrary edits of lines either decline or lose nothing", () => {
  const line = fc.constantFrom(
    "a,",
    "b,",
    "  c,",
    "f();",
    "g(1);",
    "}",
    "{",
    "",
    'import x from "x";',
    "return 1;",
    "function q() {",
    "# t",
    "- e",
  );
  const lines = fc.array(line, { maxLength: 8 }).map((all) => all.join("\n"));
  const path = fc.constantFrom("x.js", "CHANGELOG.md", "x.py");
  fc.assert(
    fc.property(path, lines, lines, lines, (p, base, ours, theirs) => {
      const result = merge({ path: p, base, ours, theirs });
      if (result !== "declined") expect(unaccountedLines({ base, ours, theirs, result })).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

test("[W70] accounting sees what is lost and what is marked", () => {
  const texts = { base: "a\n", ours: "a\nb\n", theirs: "a\nc,\n" };
  expect(unaccountedLines({ ...texts, result: "a\nb\nc\n" })).toEqual([]);
  expect(unaccountedLines({ ...texts, result: "a\nb\n" })).toEqual(["c"]);
  expect(hasNewMarkers({ ...texts, result: "a\n=======\n" })).toBe(true);
  expect(hasNewMarkers({ ours: "Title\n=======\n", theirs: "", result: "Title\n=======\n" })).toBe(false);
});

test("[W83] files made to be slow to merge are declined in time", () => {
  const startedAt = performance.now();
  const base = "run();\n";
  const slow = [
    `import${" ".repeat(990)}!`,
    `var${" ".repeat(990)}!`,
    `import${" ".repeat(900_000)}!`,
    `f(${'"\\'.repeat(300_000)}`,
  ];
  for (const line of slow)
    expect(merge({ base, ours: `${line}1\n${base}`, theirs: `${line}2\n${base}` })).toBe("declined");
  const same = "}\n".repeat(19_000);
  expect(merge({ base: same, ours: `a\n${same}`, theirs: `b\n${same}` })).toBe("declined");
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
