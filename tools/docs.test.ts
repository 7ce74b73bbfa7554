import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { cliPage, readCli, readCliPage } from "./house/cli-page.ts";
import { errorFindings, errorsPage, headingsOf, readErrorsPage, readErrorTables } from "./house/error-tables.ts";
import { listFiles, readManifest, readText, root } from "./house/source.ts";
import { citationsOf, rulesOf, specFindings } from "./house/spec-rules.ts";

// What the project says of itself, held against what it is.

const rootPages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
const pages = [
  ...rootPages,
  ...["docs", "packages", "examples"]
    .filter((directory) => existsSync(join(root, directory)))
    .flatMap(listFiles)
    .filter((path) => path.endsWith(".md") && !path.includes("/repository/")),
];

test("every error code has its heading, and every heading its code", async () => {
  const tables = await readErrorTables();
  expect(errorFindings(tables)).toEqual([]);
  const codes = tables.flatMap((table) => table.codes.map(({ code }) => code));
  expect(codes.length).toBeGreaterThan(0);
  expect(headingsOf(readErrorsPage()).toSorted()).toEqual(codes.toSorted());
  expect(readErrorsPage(), "run `npm run docs:errors`").toBe(errorsPage(tables));
});

test("the page of commands is what the commands say of themselves", async () => {
  const cli = await readCli();
  expect(readCliPage(), "run `npm run docs:cli`").toBe(cliPage(cli));
  const changed = cli.groups.map((group) => ({ ...group, commands: group.commands.slice(1) }));
  expect(cliPage({ ...cli, groups: changed })).not.toBe(cliPage(cli));
  const bar = { name: "x", summary: "X.", arguments: [{ name: "a|b", help: "one" }], options: {} };
  expect(cliPage({ groups: [{ title: "T", commands: [bar] }], everywhere: {} })).toContain("| `a\\|b` | one |");
});

test("a wrong row in an error table is found", () => {
  const row = { code: "disk-full", exit: 1, status: 507, advice: "Free some space." };
  const table = (change: object) => [{ package: "engine", codes: [{ ...row, ...change }] }];
  expect(errorFindings(table({}))).toEqual([]);
  expect(errorFindings([...table({}), ...table({})])[0]).toContain("also a code of engine");
  expect(errorFindings(table({ code: "DiskFull" }))[0]).toContain("kebab-case");
  expect(errorFindings(table({ exit: 10 }))[0]).toContain("exit status 10");
  expect(errorFindings(table({ exit: 0 }))[0]).toContain("exit status 0");
  expect(errorFindings(table({ status: 200 }))[0]).toContain("HTTP status 200");
  expect(errorFindings(table({ advice: "free" }))[0]).toContain("advice");
});

test("every rule of a SPEC.md is shown by a test, and every rule that a test cites exists", () => {
  const specs = listFiles("packages").filter((path) => /\/SPEC[^/]*\.md$/.test(path));
  const tests = listFiles("packages").filter((path) => /\.(test|suite)\.ts$/.test(path));
  const rules = specs.flatMap((path) => rulesOf(path, readText(path)));
  const citations = tests.flatMap((path) => citationsOf(path, readText(path)));
  for (const path of specs)
    expect(
      rules.filter((rule) => rule.path === path),
      `${path} has no rule`,
    ).not.toEqual([]);
  expect(specFindings(rules, citations)).toEqual([]);
});

test("rules and citations are read as they are written", () => {
  const spec = [
    "# Kernel",
    "- **K1** A token.",
    "  More of it",
    "",
    "### K2. Join",
    "",
    "| K3 | (by design) |",
    "K4 is so.",
  ];
  expect(rulesOf("SPEC.md", spec.join("\n")).map(({ id, line }) => [id, line])).toEqual([
    ["K1", 2],
    ["K2", 5],
    ["K3", 7],
    ["K4", 8],
  ]);
  expect(rulesOf("SPEC.md", "```\nK9 is an example\n```\nAfter K1 comes more.")).toEqual([]);
  const ids = (text: string) => citationsOf("a.test.ts", text).map(({ id }) => id);
  expect(ids(`test("[K1] one")`)).toEqual(["K1"]);
  expect(ids(`test("[K1, K2] two"); test("[K3][K4]")`)).toEqual(["K1", "K2", "K3", "K4"]);
  expect(ids(`test("[K3–K5] three"); test("[K1 K2]")`)).toEqual(["K3", "K4", "K5", "K1", "K2"]);
  expect(ids("items[0]; const [A, b] = c;")).toEqual([]);
});

test("a rule without a test, a rule said twice and a citation of nothing are found", () => {
  const rules = rulesOf("SPEC.md", "K1 one\n\nK2 two (by design)\n\nK3 three\n\nK3 again");
  expect(specFindings(rules, [{ id: "K9", path: "a.test.ts", line: 4 }])).toEqual([
    "SPEC.md:7 says K3 again, first said at SPEC.md:5",
    "SPEC.md:1 K1 is cited by no test",
    "SPEC.md:5 K3 is cited by no test",
    "a.test.ts:4 cites K9, which no SPEC.md has",
  ]);
});

test("every npm command that a page tells one to type exists", () => {
  const { scripts = {} } = readManifest("package.json");
  const builtIn = new Set(["ci", "install", "i", "pack", "rebuild", "exec"]);
  const findings: string[] = [];
  for (const path of pages) {
    for (const code of codeOf(readText(path))) {
      const [command, run, name] = /^npm (run )?([a-z][\w:-]*)/.exec(code) ?? [];
      if (name === undefined) continue;
      const exists = run === undefined && builtIn.has(name) ? true : scripts[name] !== undefined;
      const packageScript = path.startsWith("examples/");
      if (!exists && !packageScript) findings.push(`${path} says \`${command}\`, which package.json does not have`);
    }
  }
  expect(findings).toEqual([]);
});

/** What stands in backticks, line by line. */
function codeOf(text: string): string[] {
  const fenced = [...text.matchAll(/^ *```[^\n]*\n(.*?)^ *```/gms)].flatMap(([, block = ""]) => block.split("\n"));
  const inline = [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  return [...fenced, ...inline].map((line) => line.trim().replace(/^\$ /, ""));
}

test("every link between pages leads somewhere", () => {
  const findings: string[] = [];
  for (const path of pages) {
    for (const [, target = ""] of readText(path).matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      if (!existsSync(join(root, posix.join(posix.dirname(path), target)))) findings.push(`${path} links to ${target}`);
    }
  }
  expect(findings).toEqual([]);
});

test("every decision has the same sections, and fits on a page", () => {
  const records = listFiles("docs/adr").filter((path) => /\/\d{4}-/.test(path));
  expect(records.map((path) => path.slice("docs/adr/".length, "docs/adr/0000".length))).toEqual(
    records.map((_, index) => String(index + 1).padStart(4, "0")),
  );
  for (const path of records) {
    const text = readText(path);
    const sections = text.split("\n").filter((line) => line.startsWith("## "));
    expect(sections, path).toEqual([
      "## Status",
      "## Context",
      "## Decision",
      "## Considered options",
      "## Consequences",
    ]);
    expect(text.split(/\s+/).length, `${path}: words`).toBeLessThan(600);
  }
});

test("all packages are released together, under one version and one licence", () => {
  const config = JSON.parse(readText(".changeset/config.json")) as { fixed: string[][] };
  const manifests = listFiles("packages")
    .filter((path) => /^packages\/[^/]+\/package\.json$/.test(path))
    .map((path) => readManifest(path) as ReturnType<typeof readManifest> & { license: string });
  expect(config.fixed).toEqual([["@tutti/*"]]);
  expect(new Set(manifests.map(({ version }) => version)).size).toBe(1);
  expect(new Set(manifests.map(({ license }) => license))).toEqual(new Set(["Apache-2.0"]));
});

test("the lockfile is whole for every platform", () => {
  const result = spawnSync(process.execPath, [join(root, "tools", "lock-platforms.mjs"), "--check"], {
    encoding: "utf8",
  });
  expect(result.stderr, "run `npm run lock`").toBe("");
});

test("the lockfile names no registry, so that any mirror serves it", () => {
  const lock = JSON.parse(readText("package-lock.json")) as { packages: Record<string, { resolved?: string }> };
  const named = Object.entries(lock.packages).filter(([, entry]) => /^[a-z+]+:/.test(entry.resolved ?? ""));
  expect(named.map(([path]) => path)).toEqual([]);
});
