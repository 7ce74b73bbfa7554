import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { CliHouse, gitAnswer } from "./testing/cli-house.ts";

// The guide is a script that people read: its files are written, its commands run, its answers looked for.

const docs = fileURLToPath(new URL("../../../docs/", import.meta.url));
const main = fileURLToPath(new URL("main.ts", import.meta.url));

const houses: CliHouse[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house.close();
});

type Part =
  | { readonly type: "file"; readonly path: string; readonly text: string }
  | { readonly type: "commands"; readonly text: string }
  | { readonly type: "answer"; readonly lines: readonly string[] };

/** A fence below a line that is one name in backticks is a file, `sh` is commands, a bare one what they answer. */
function partsOf(page: string): Part[] {
  return [...page.matchAll(/(?:^`([^`\n]+)`\n\n)?^```(\w*)\n(.*?)^```$/gms)].map(([, path, kind, text = ""]): Part => {
    if (path !== undefined) return { type: "file", path, text };
    if (kind === "sh") return { type: "commands", text };
    return { type: "answer", lines: text.split("\n").filter((line) => line !== "") };
  });
}

/** Runs commands in a shell of a person who has `tutti` on the PATH and a name for git, and nothing else. */
function shellIn(house: CliHouse): (commands: string) => string {
  const bin = join(house.folder, "bin");
  mkdirSync(bin);
  writeFileSync(
    join(bin, "tutti"),
    `#!/bin/sh\nexec "${process.execPath}" --conditions=@tutti/source "${main}" "$@"\n`,
  );
  // A person's own Node, which runs the sources as it would run what npm installed.
  writeFileSync(join(bin, "node"), `#!/bin/sh\nexec "${process.execPath}" --conditions=@tutti/source "$@"\n`);
  for (const name of ["tutti", "node"]) chmodSync(join(bin, name), 0o755);
  const environment = {
    PATH: [bin, process.env["PATH"]].join(delimiter),
    HOME: join(house.folder, "home"),
    TUTTI_STATE: house.state,
    TUTTI_IDLE_MS: "60000",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Test",
    GIT_AUTHOR_EMAIL: "test@tutti.invalid",
    GIT_COMMITTER_NAME: "Test",
    GIT_COMMITTER_EMAIL: "test@tutti.invalid",
  };
  const place = join(house.folder, "place");
  writeFileSync(place, house.folder);
  return (commands) => {
    const script = `exec 2>&1; set -e\n${commands}\npwd > "${place}"`;
    const cwd = readFileSync(place, "utf8").trim();
    const { status, stdout } = spawnSync("bash", ["-c", script], {
      cwd,
      env: environment,
      encoding: "utf8",
      timeout: 120_000,
    });
    expect(status, `${commands}\n${stdout}`).toBe(0);
    return stdout;
  };
}

test("[C33, C34] the guide's commands do what the guide says", async () => {
  const house = await CliHouse.open();
  houses.push(house);
  const run = shellIn(house);
  const parts = partsOf(readFileSync(join(docs, "guide", "first-plan.md"), "utf8"));
  expect(parts.filter(({ type }) => type === "commands").length).toBeGreaterThan(6);
  const greeter = join(house.folder, "greeter");
  let said = "";
  for (const part of parts) {
    if (part.type === "file") writeFileSync(join(greeter, part.path), part.text);
    if (part.type === "commands") said = run(part.text);
    if (part.type === "answer") for (const line of part.lines) expect(said).toContain(line);
  }
  expect(await gitAnswer(greeter, "branch", "--format=%(refname:short)")).toBe("main\ntutti/again\ntutti/greetings");
  expect(await gitAnswer(greeter, "show", "tutti/again:french.js")).toContain("Bonjour");
  expect(await house.ownerPid()).toBeUndefined();
});

test("[C34, C36] the guide's process is checked, tried and tested as the guide says", async () => {
  const house = await CliHouse.open();
  houses.push(house);
  const run = shellIn(house);
  const parts = partsOf(readFileSync(join(docs, "guide", "testing.md"), "utf8"));
  expect(parts.map(({ type }) => type)).toEqual([
    "file",
    "commands",
    "answer",
    "commands",
    "answer",
    "file",
    "commands",
    "answer",
    "file",
    "commands",
  ]);
  mkdirSync(join(house.folder, "node_modules", "@tutti"), { recursive: true });
  symlinkSync(
    fileURLToPath(new URL("../../testing", import.meta.url)),
    join(house.folder, "node_modules/@tutti/testing"),
  );
  let said = "";
  for (const part of parts) {
    if (part.type === "file") writeFileSync(join(house.folder, part.path), part.text);
    if (part.type === "commands") said = run(part.text);
    if (part.type === "answer") for (const line of part.lines) expect(said).toContain(line);
  }
  expect(said).toMatch(/pass 4\b/);
  expect(existsSync(house.state)).toBe(false);
});

test("[C34] the guide's own process is run, repaired and changed as the guide says", async () => {
  const house = await CliHouse.open();
  houses.push(house);
  const run = shellIn(house);
  const parts = partsOf(readFileSync(join(docs, "guide", "process.md"), "utf8"));
  expect(parts.filter(({ type }) => type === "commands").length).toBeGreaterThan(7);
  let said = "";
  for (const part of parts) {
    if (part.type === "file") writeFileSync(join(house.folder, part.path), part.text);
    if (part.type === "commands") said += run(part.text);
    if (part.type === "answer") for (const line of part.lines) expect(said).toContain(line);
    if (part.type === "answer") said = "";
  }
  expect(await house.ownerPid()).toBeUndefined();
});

test("[C34] the program that the page on agents shows is an agent", async () => {
  const house = await CliHouse.open();
  houses.push(house);
  const parts = partsOf(readFileSync(join(docs, "reference", "agents.md"), "utf8"));
  const program = parts.find((part) => part.type === "file" && part.path === "agent.mjs");
  expect(program).toBeDefined();
  if (program?.type !== "file") return;
  const { repository } = await house.material("fixtures/diamond-late");
  const plan = join(house.folder, "plan.yaml");
  writeFileSync(join(house.folder, program.path), program.text, { mode: 0o755 });
  const unit = { id: "only", title: "One", intent: "It is done.", touches: { creates: ["only.txt"] } };
  const units = [{ ...unit, verify: ["grep -qx done only.txt"] }];
  writeFileSync(plan, JSON.stringify({ format: "tutti-plan/1", feature: "One", units }));
  const caged = spawnSync("bwrap", ["--version"]).status === 0;
  const words = ["run", "--repo", repository, "--plan", plan, "--agent", `cli:./${program.path}`, "--id", "one"];
  const { exit, stderr } = await house.tutti(...words, ...(caged ? [] : ["--sandbox", "none"]));
  expect(exit, stderr).toBe(0);
  expect(await gitAnswer(repository, "show", "tutti/one:only.txt")).toBe("done");
});
