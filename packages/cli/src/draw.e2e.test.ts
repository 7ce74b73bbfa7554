import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "@tutti/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CliHouse } from "./testing/cli-house.ts";

let house: CliHouse;
beforeAll(async () => {
  house = await CliHouse.open();
});
afterAll(() => house.close());

async function file(name: string, text: string): Promise<string> {
  const path = join(house.folder, name);
  await writeFile(path, text);
  return path;
}

interface Drawn {
  readonly hash: string;
  readonly bpmn?: string;
}

const process = (id: string) => `process: ${id}
variables: { names: list, amount: { type: number, required: true } }
outputs: [amount]
steps:
  check: { job: check, in: [amount], retry: { attempts: 7 }, on: { timer: { after: 2h, then: late } } }
  choose: { choose: [{ when: "names.exists(n, n == 'b') && amount > 5", then: late }, { otherwise: end }] }
  late: { user: "Look at \${amount}" }
`;

test("[C43] a process from YAML is drawn to a file, and what is read from there is the same program", async () => {
  const yaml = await file("drawn.yaml", process("drawn"));
  const path = join(house.folder, "drawn.bpmn");
  const { exit, stdout } = await house.tutti("process", "draw", yaml, "--out", path);
  expect([exit, stdout]).toEqual([0, `drawn@1 is drawn in ${path}.\n`]);
  const [program] = await load(yaml);
  expect((await load(path)).map(({ hash }) => hash)).toEqual([program?.hash]);
  const checked = await house.json<{ readonly valid: boolean }>("process", "check", path);
  expect(checked).toMatchObject({ valid: true, processes: ["drawn@1"] });
  const bpmn = await readFile(path, "utf8");
  expect(bpmn).toContain('<bpmndi:BPMNShape id="check_di" bpmnElement="check">');
  // Of a drawing it draws the drawing; stdout has nothing but it.
  expect((await house.tutti("process", "draw", path)).stdout).toBe(bpmn);
  const again = await house.json<Drawn>("process", "draw", path);
  expect([again.hash, again.bpmn]).toEqual([program?.hash, bpmn]);
});

test("[C43] a file that is there stays as it is", async () => {
  const yaml = await file("kept.yaml", process("kept"));
  const kept = await file("kept.bpmn", "mine");
  const { exit, stderr } = await house.tutti("process", "draw", yaml, "--out", kept);
  expect([exit, stderr]).toEqual([2, expect.stringContaining("file-exists")]);
  expect(await readFile(kept, "utf8")).toBe("mine");
  const nowhere = await house.tutti("process", "draw", yaml, "--out", join(house.folder, "no", "folder.bpmn"));
  expect([nowhere.exit, nowhere.stderr]).toEqual([2, expect.stringContaining("file-unwritable")]);
});

test("[C43] of several processes one is named, and a file with errors is refused", async () => {
  const both = await file("both.yaml", `${process("one")}---\n${process("two")}`);
  const unnamed = await house.tutti("process", "draw", both);
  expect([unnamed.exit, unnamed.stdout]).toEqual([2, ""]);
  expect(unnamed.stderr).toContain("input-needed: Expected --process, since the file has several processes: one, two");
  const { bpmn } = await house.json<Drawn>("process", "draw", both, "--process", "two");
  expect(bpmn).toContain('<bpmn:process id="two"');
  const wrong = await house.tutti("process", "draw", both, "--process", "three");
  expect([wrong.exit, wrong.stderr]).toEqual([2, expect.stringContaining("one of one, two, but it is")]);
  const odd = await file("odd.yaml", "process: odd\nsteps:\n  a: { job: x, in: { y: = nothing } }\n");
  const refused = await house.tutti("process", "draw", odd);
  expect([refused.exit, refused.stderr]).toEqual([2, expect.stringMatching(/definition-refused[\s\S]*odd\.yaml:3/)]);
});

test("[C43] a module of the builder is drawn as it is", async () => {
  const builder = new URL("../../definition/src/index.ts", import.meta.url).href;
  const text = `import { process } from "${builder}";\nexport default process("built").pass("one");\n`;
  const { bpmn } = await house.json<Drawn>("process", "draw", await file("built.ts", text));
  expect(bpmn).toContain('<bpmn:intermediateThrowEvent id="one">');
});
