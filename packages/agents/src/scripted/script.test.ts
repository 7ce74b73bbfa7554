import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@tutti/kernel";
import { afterEach, describe, expect, test } from "vitest";
import { type Bench, bench } from "../testing/setup.ts";
import { parseAgentScript, readAgentScript } from "./script.ts";
import { scriptedAgent } from "./scripted.ts";

const benches: Bench[] = [];
afterEach(() => {
  for (const each of benches.splice(0)) each.remove();
});

function fresh(): Bench {
  const here = bench();
  benches.push(here);
  return here;
}

const script = (tasks: string): string => `format: tutti-script/1\ntasks:\n${tasks}`;

/** Plays one task of a script and gives the outcome. */
function play(here: Bench, tasks: string, rest: { id?: string; attempt?: number } = {}) {
  return scriptedAgent(parseAgentScript(script(tasks), "script.yaml")).run(here.task(rest), here.context);
}

describe("playing", () => {
  test("[A30] every kind of edit is made, and shown as it is made", async () => {
    const here = fresh();
    writeFileSync(join(here.workspace, "a.txt"), "one two\n");
    writeFileSync(join(here.workspace, "gone.txt"), "");
    const steps = `  unit-1:
    - steps:
        - say: hello
        - write: { path: deep/er/new.sh, content: "echo new\\n", executable: true }
        - replace: { path: a.txt, find: two, with: "$& three" }
        - append: { path: a.txt, content: "end\\n" }
        - delete: { path: gone.txt }
        - symlink: { path: link, target: /etc/passwd }
        - heartbeat: {}
      outcome: { claim: partial, summary: half of it, result: { units: [1] } }
`;
    const outcome = await play(here, steps);
    expect(outcome).toMatchObject({ ok: true, claim: "partial", result: { units: [1] } });
    expect(readFileSync(join(here.workspace, "a.txt"), "utf8")).toBe("one $& three\nend\n");
    expect(statSync(join(here.workspace, "deep/er/new.sh")).mode & 0o111).not.toBe(0);
    expect(existsSync(join(here.workspace, "gone.txt"))).toBe(false);
    expect(readlinkSync(join(here.workspace, "link"))).toBe("/etc/passwd");
    expect(here.progress.filter(({ type }) => type === "tool")).toHaveLength(5);
    expect(here.progress).toContainEqual({ type: "message", text: "hello" });
  });

  test("[A30] each attempt plays its own entry, later ones the last", async () => {
    const here = fresh();
    const tasks = `  unit-1:
    - outcome: { fail: { message: first time } }
    - outcome: { summary: second time }
`;
    expect(await play(here, tasks)).toMatchObject({ ok: false, message: "first time", retryable: true });
    expect(await play(here, tasks, { attempt: 2 })).toMatchObject({ summary: "scripted: second time" });
    expect(await play(here, tasks, { attempt: 9 })).toMatchObject({ summary: "scripted: second time" });
  });

  test("[A31] a task the script does not know fails for good, unless it has an entry for all others", async () => {
    const here = fresh();
    const known = "  other:\n    - {}\n";
    expect(await play(here, known)).toMatchObject({ ok: false, code: "agent-failed", retryable: false });
    expect(await play(here, `${known}  "*":\n    - {}\n`)).toMatchObject({ ok: true });
  });

  test("[A32] text to replace must occur exactly once", async () => {
    const here = fresh();
    writeFileSync(join(here.workspace, "a.txt"), "x x");
    const replace = (find: string) =>
      play(here, `  unit-1:\n    - steps:\n        - replace: { path: a.txt, find: ${find}, with: z }\n`);
    expect(await replace("x")).toMatchObject({ ok: false, message: expect.stringContaining("found it 2 times") });
    expect(await replace("y")).toMatchObject({ ok: false, message: expect.stringContaining("found it 0 times") });
    expect(readFileSync(join(here.workspace, "a.txt"), "utf8")).toBe("x x");
  });

  test("[A32] an edit that is already there is done, so a script can be played again on the tree it left", async () => {
    const here = fresh();
    writeFileSync(join(here.workspace, "a.txt"), "one\ntwo\n");
    writeFileSync(join(here.workspace, "old.txt"), "");
    const steps = [
      `replace: { path: a.txt, find: "one\\n", with: "one\\nand a half\\n" }`,
      `replace: { path: a.txt, find: two, with: three }`,
      `append: { path: a.txt, content: "end\\n" }`,
      "delete: { path: old.txt }",
      "symlink: { path: link, target: a.txt }",
    ];
    const tasks = `  unit-1:\n    - steps:\n${steps.map((step) => `        - ${step}\n`).join("")}`;
    for (const attempt of [1, 2]) {
      expect(await play(here, tasks, { attempt })).toMatchObject({ ok: true });
      expect(readFileSync(join(here.workspace, "a.txt"), "utf8")).toBe("one\nand a half\nthree\nend\n");
    }
  });

  test("[A35] its name and its summary say that it is scripted", async () => {
    expect(scriptedAgent(parseAgentScript(script("  a:\n    - {}\n"), "s")).name).toBe("scripted");
    expect(await play(fresh(), "  unit-1:\n    - {}\n")).toMatchObject({
      summary: expect.stringMatching(/^scripted: /),
    });
  });

  test("[A7] it shows signs of life while it waits", async () => {
    const here = bench({ limits: { silenceMs: 3_500 } });
    benches.push(here);
    expect(await play(here, "  unit-1:\n    - delayMs: 4500\n")).toMatchObject({ ok: true });
  });
});

describe("reading", () => {
  const problem = (text: string): AppError => {
    try {
      parseAgentScript(text, "script.yaml");
    } catch (error) {
      if (error instanceof AppError) return error;
    }
    throw new Error("expected it to be refused");
  };

  test.each([
    ["format: tutti-script/2\ntasks: {}\n", "script.yaml:1:9", /format/],
    ["format: tutti-script/1\ntasks: [\n", "script.yaml:3:1", /YAML/],
    [
      script("  a:\n    - steps:\n        - write: { path: x, contents: y }\n"),
      "script.yaml:5:11",
      /steps\.0: expected one of write/,
    ],
    [script("  a:\n    - steps:\n        - wrte: { path: x }\n"), "script.yaml:5:11", /steps/],
    [script("  a:\n    - misbehave: sulk\n"), "script.yaml:4:18", /misbehave/],
    [script("  a:\n    - delayMs: -1\n"), "script.yaml:4:16", /delayMs/],
    [script("  a: []\n"), "script.yaml:3:6", /tasks\.a/],
  ])("[A33] says where it is wrong: %j", (text, place, message) => {
    const error = problem(text);
    expect(error).toMatchObject({ code: "script-invalid", place });
    expect(error.message).toMatch(message);
  });

  test("[A34] contents may come from files beside the script, not from elsewhere", async () => {
    const here = fresh();
    mkdirSync(join(here.folder, "parts"));
    writeFileSync(join(here.folder, "parts", "a.js"), "from a file\n");
    const file = join(here.folder, "script.yaml");
    const writing = (from: string) =>
      script(`  unit-1:\n    - steps:\n        - write: { path: a.js, from: ${from} }\n`);
    writeFileSync(file, writing("parts/a.js"));
    await scriptedAgent(await readAgentScript(file)).run(here.task(), here.context);
    expect(readFileSync(join(here.workspace, "a.js"), "utf8")).toBe("from a file\n");
    symlinkSync("/etc/passwd", join(here.folder, "parts", "link.js"));
    for (const from of ["../elsewhere.js", "parts/missing.js", "/etc/passwd", "parts/link.js"]) {
      writeFileSync(file, writing(from));
      await expect(readAgentScript(file)).rejects.toMatchObject({ code: "script-invalid" });
    }
    await expect(readAgentScript(join(here.folder, "no.yaml"))).rejects.toMatchObject({ code: "script-invalid" });
  });
});
