import fc from "fast-check";
import { expect, test } from "vitest";
import { compileYaml } from "./compile.ts";
import { limits } from "./limits.ts";
import { placesOf, problemsOf, workMs } from "./testing/check.ts";

test("[D5] broken YAML is reported with its place, also several times", () => {
  expect(placesOf("process: p\nsteps:\n  a: { job: [x }\n")[0]).toMatch(/^3:\d+ error yaml-invalid$/);
  expect(placesOf("process: p\nprocess: q\nsteps: {}\n")).toEqual(["2:1 error yaml-invalid"]);
  expect(problemsOf("process: p\nsteps:\n  a:\n    script:\n      x: = y ? 1 : 2\n")[0]).toContain("in quotes");
});

test("[D6] hostile files are refused within limits", () => {
  const bomb = [
    "a: &a [x, x, x, x, x, x, x, x, x]",
    ...Array.from({ length: 8 }, (_, n) => {
      const [name, before] = [String.fromCharCode(98 + n), String.fromCharCode(97 + n)];
      return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(", ")}]`;
    }),
  ].join("\n");
  expect(placesOf(bomb)).toEqual(["1:1 error yaml-limit"]);
  expect(placesOf(`a: ${"x".repeat(limits.fileBytesMax)}`)).toEqual(["1:1 error yaml-limit"]);
  expect(placesOf(`a: ${"[".repeat(5_000)}${"]".repeat(5_000)}`)).toEqual(["1:1 error yaml-limit"]);
  expect(placesOf(`a: ${"[".repeat(100)}${"]".repeat(100)}`)[0]).toMatch(/ error yaml-limit$/);
  expect(placesOf("- ".repeat(20_000))[0]).toMatch(/ error yaml-/);
  expect(placesOf("process: !!js/function 'x'\nsteps: {}\n")[0]).toMatch(/^1:\d+ error yaml-invalid$/);
  expect(placesOf("process: p\nsteps: { a: { job: x, priority: .inf } }\n")[0]).toMatch(/^2:\d+ error yaml-invalid$/);
  expect(placesOf(Array.from({ length: limits.documentsMax + 1 }, () => "a: 1").join("\n---\n"))).toEqual([
    "1:1 error yaml-limit",
  ]);
  expect(problemsOf("a: 1\n".repeat(300)).length).toBeLessThanOrEqual(limits.problemsMax + 1);
});

test("[D6] a file as large as the limits allow compiles in seconds, not minutes", () => {
  const steps = Array.from(
    { length: 5_000 },
    (_, n) => `  s${n}: { job: x, in: ["v${Math.max(n - 1, 0)}?"], out: [v${n}] }\n`,
  );
  const items = Array.from({ length: 5_000 }, (_, n) => `  i${n}: { dependsOn: [${n > 0 ? `i${n - 1}` : ""}] }\n`);
  const work = workMs(() => {
    expect(compileYaml(`process: p\nsteps:\n${steps.join("")}`, { file: "f" }).programs.length).toBe(1);
    expect(compileYaml(`graph: g\njob: j\nitems:\n${items.join("")}`, { file: "f" }).programs.length).toBe(1);
  });
  expect(work).toBeLessThan(5_000);
}, 60_000);

test("[D7] names of the language's own objects are only names", () => {
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    const result = compileYaml(
      `process: p\nsteps:\n  ${name}: { job: x, then: ${name}x }\n  ${name}x: { pass: true }\n`,
      { file: "f" },
    );
    expect(result.problems.every((problem) => problem.severity === "error" || result.programs.length === 1)).toBe(true);
  }
  expect(Object.hasOwn(Object.prototype, "job")).toBe(false);
  expect(placesOf("process: p\nsteps:\n  a: { job: x, then: constructor }\n")).toEqual(["3:22 error target-unknown"]);
});

test("[D8] compiling never throws, whatever the text", () => {
  const words = fc.constantFrom(
    "process: p\n",
    "steps:\n",
    "  a:\n",
    "    job: x\n",
    "    then: [a, b]\n",
    "graph: g\n",
    "items: []\n",
    "workflow:\n",
    "  stages:\n",
    "    - name: s\n",
    "  tasks:\n",
    "  flow: [a -> b]\n",
    "*a\n",
    "&a\n",
    "? x\n",
    "'\n",
    "---\n",
    "{",
    "]",
    "=\n",
    "\t",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.array(words).map((list) => list.join("")),
      ),
      (text) => {
        const { programs, problems } = compileYaml(text, { file: "f" });
        expect(programs.length === 0 || problems.every((problem) => problem.severity === "warning")).toBe(true);
      },
    ),
  );
  const anything = fc.record({
    process: fc.constant("p"),
    steps: fc.dictionary(
      fc.constantFrom("a", "b", "end", "start", "loop"),
      fc.anything({ maxDepth: 3, withNullPrototype: false }),
    ),
  });
  fc.assert(
    fc.property(anything, (value) => {
      let text = "";
      try {
        text = JSON.stringify(value) ?? "";
      } catch {
        return;
      }
      expect(Array.isArray(compileYaml(text, { file: "f" }).problems)).toBe(true);
    }),
  );
});
