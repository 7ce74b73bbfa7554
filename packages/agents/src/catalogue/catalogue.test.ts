import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@tutti/kernel";
import { expect, test } from "vitest";
import { bench } from "../testing/setup.ts";
import { bundledCatalogue, loadCatalogue, parseAgentDefinition, renderPrompt } from "./catalogue.ts";

const head = "id: a\nversion: 1.0.0\ntitle: A\ncapabilities: [x]\n";
const file = (front: string, body = "Do {{it}}."): string => `---\n${front}---\n${body}\n`;

test("[A51] the bundled agents can be read and have what their names promise", async () => {
  const agents = await bundledCatalogue();
  expect([...agents.keys()]).toEqual(["implementer", "planner", "resolver"]);
  expect(agents.get("planner")).toMatchObject({ capabilities: ["plan"], tier: "thinking", risk: "read-only" });
  expect(agents.get("planner")?.output).toMatchObject({ properties: { units: { minItems: 1 } } });
});

test.each([
  ["no front matter", "a.md:1:1"],
  [file("id: [\n"), "a.md:3:1"],
  [file(`${head}tier: huge\n`), "a.md:6:7"],
  [file(head.replace("id: a", "id: A b")), "a.md:2:5"],
  [file(`${head}unknown: 1\n`), "a.md:2:1"],
  [file(head, " "), "a.md"],
])("[A51] an agent file that is wrong is refused with its place: %j", (text, place) => {
  try {
    parseAgentDefinition(text, "a.md");
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "catalogue-invalid", place });
    return;
  }
  throw new Error("expected it to be refused");
});

test("[A51] two agents with one id are refused", async () => {
  const here = bench();
  for (const name of ["one.md", "two.md"]) writeFileSync(join(here.folder, name), file(head));
  await expect(loadCatalogue(here.folder)).rejects.toMatchObject({ code: "catalogue-invalid" });
  here.remove();
});

test("[A52] inputs are filled in once; what looks like a placeholder inside of them stays text", () => {
  const agent = parseAgentDefinition(file(head, "{{it}} and {{list}} and {{data}}"), "a.md");
  const text = renderPrompt(agent, { it: "{{list}} $& {{#it}}", list: ["x", "y"], data: { n: 1 } });
  expect(text).toBe('{{list}} $& {{#it}} and - x\n- y and {\n  "n": 1\n}');
});

test("[A52] what belongs to an absent input is left out, with its blank lines", () => {
  const agent = parseAgentDefinition(file(head, "One.\n\n{{#extra}}Only with {{extra}}.{{/extra}}\n\nTwo."), "a.md");
  expect(renderPrompt(agent, {})).toBe("One.\n\nTwo.");
  expect(renderPrompt(agent, { extra: "x\n\n\n\ny" })).toBe("One.\n\nOnly with x\n\n\n\ny.\n\nTwo.");
});

test("[A52] a missing required input is said", async () => {
  const implementer = (await bundledCatalogue()).get("implementer");
  if (implementer === undefined) throw new Error("not there");
  expect(() => renderPrompt(implementer, { title: "T" })).toThrow(/needs intent/);
  const prompt = renderPrompt(implementer, { title: "T", intent: "I", verify: ["npm test"], owns: ["src/a.js"] });
  expect(prompt).toContain("- npm test");
  expect(prompt).toContain("- src/a.js");
  expect(prompt).not.toMatch(/\{\{|previous attempt/);
});
