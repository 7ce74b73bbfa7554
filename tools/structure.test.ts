import { expect, test } from "vitest";
import { cycleFindings, importFindings, importTable, manifestFindings } from "./house/import-table.ts";
import { purityFindings } from "./house/purity.ts";
import { faceFindings, sizeFindings, unfinishedFindings } from "./house/shape.ts";
import { type Package, parseSource, readManifest, readPackages, readSources } from "./house/source.ts";

// The rules of the house, on the real tree. Each check is also shown something it must refuse, so that a check that
// sees nothing cannot pass for a tree that has nothing to be seen.

const packages = readPackages();
const tools = readSources("tools");
const rootManifest = readManifest("package.json");
const everyFile = [...packages.flatMap((own) => own.files), ...tools];

function planted(text: string, path = "packages/kernel/src/planted.ts") {
  return parseSource(path, text);
}

function packageNamed(name: string): Package {
  const found = packages.find((own) => own.directory === `packages/${name}`);
  if (found === undefined) throw new Error(`there is no package '${name}'`);
  return found;
}

test("every package imports only what the table lists", () => {
  expect(packages.length).toBeGreaterThan(0);
  const findings = packages.flatMap((own) =>
    own.files.flatMap((file) => importFindings(file, { own, all: packages, rootManifest })),
  );
  expect(findings).toEqual([]);
});

test.each([
  ["engine", `import { agent } from "@tutti/agents";`, "'engine' may import kernel"],
  ["engine", `export { agent } from "@tutti/agents";`, "'engine' may import kernel"],
  ["engine", `const agents = await import("@tutti/agents");`, "'engine' may import kernel"],
  ["engine", `type Agent = import("@tutti/agents").Agent;`, "'engine' may import kernel"],
  ["engine", `import { x } from "../../kernel/src/decide.ts";`, "leaves the package's src"],
  ["engine", `import { x } from "@tutti/kernel/private";`, "does not export './private'"],
  ["engine", `import { x } from "left-pad";`, "not in the package's dependencies"],
  ["engine", `import { readFile } from "fs/promises";`, "`node:` prefix"],
  ["engine", `const x = await import(name);`, "not in the package's dependencies"],
  ["kernel", `import { readFile } from "node:fs";`, "runs where Node is not"],
  ["kernel", `import { z } from "zod";`, "the kernel imports nothing"],
])("an import that '%s' may not have is found: %s", (name, text, reason) => {
  const file = planted(text, `packages/${name}/src/planted.ts`);
  const own = packageNamed(name);
  expect(importFindings(file, { own, all: packages, rootManifest })[0]).toContain(reason);
});

test("every package.json depends only on what the table lists, in one version", () => {
  expect(packages.flatMap((own) => manifestFindings(own, packages))).toEqual([]);
  const kernel = packageNamed("kernel");
  const astray = { ...kernel, manifest: { ...kernel.manifest, dependencies: { "@tutti/engine": "0.1.0" } } };
  expect(manifestFindings(astray, packages)[0]).toContain("may not depend on '@tutti/engine'");
  const behind = packageNamed("engine");
  const old = { ...behind, manifest: { ...behind.manifest, dependencies: { "@tutti/kernel": "0.0.1" } } };
  expect(manifestFindings(old, packages)[0]).toContain("wants '@tutti/kernel' 0.0.1");
});

test("the table itself has no circle", () => {
  const order: string[] = [];
  const place = (name: string, trail: readonly string[]): void => {
    expect(trail, `${[...trail, name].join(" → ")} is a circle`).not.toContain(name);
    for (const next of importTable[name] ?? []) place(next, [...trail, name]);
    order.push(name);
  };
  for (const name of Object.keys(importTable)) place(name, []);
  expect(order).toContain("cli");
});

test("no files of a package load each other in a circle", () => {
  expect(packages.flatMap((own) => cycleFindings(own.files))).toEqual([]);
  const a = planted(`import { b } from "./b.ts";`, "packages/x/src/a.ts");
  const b = planted(`import { a } from "./a.ts";`, "packages/x/src/b.ts");
  const onlyTypes = planted(`import type { a } from "./a.ts";`, "packages/x/src/b.ts");
  expect(cycleFindings([a, b])).toEqual([
    "files load each other: packages/x/src/a.ts → packages/x/src/b.ts → packages/x/src/a.ts",
  ]);
  expect(cycleFindings([a, onlyTypes])).toEqual([]);
});

test("the kernel is a function of its arguments", () => {
  const files = packageNamed("kernel").files.filter((file) => !file.forTests);
  expect(files.length).toBeGreaterThan(0);
  expect(files.flatMap(purityFindings)).toEqual([]);
});

test.each([
  ["Date.now", "export const at = Date.now();"],
  ["Date()", "export const at = new Date();"],
  ["Date()", "export const at = Date();"],
  ["Math.random", "export const id = Math.random();"],
  ["Math.random", `export const id = Math["random"]();`],
  ["process", "export const home = process.env;"],
  ["process", "export const all = { process };"],
  ["globalThis", "export const now = globalThis.Date;"],
  ["setTimeout", "setTimeout(() => {}, 1);"],
  ["Promise", "export const later = Promise.resolve();"],
  ["async", "export async function run() {}"],
  ["await", "await 1;"],
  ["localeCompare", "export const order = (a, b) => a.localeCompare(b);"],
])("an impure kernel is found: %s", (name, text) => {
  expect(purityFindings(planted(text)).join("\n")).toContain(`'${name}'`);
});

test("what only looks impure is not found", () => {
  const text = `
    export interface Handler { run(): Promise<string>; process: string }
    export const deployed = (process: string) => ({ process });
    export const day = (at: number) => new Date(at);
    export const name = (start: { process: string }) => start.process;`;
  expect(purityFindings(planted(text))).toEqual([]);
});

test("files and functions are small enough to hold", () => {
  expect(everyFile.flatMap(sizeFindings)).toEqual([]);
  const lines = (count: number) => Array.from({ length: count }, () => "  go();").join("\n");
  expect(sizeFindings(planted(`${lines(501)}\n`))[0]).toContain("501 lines");
  expect(sizeFindings(planted(`${lines(500)}\n`))).toEqual([]);
  expect(sizeFindings(planted(`export function long() {\n${lines(69)}\n}`))[0]).toContain("long has 71 lines");
  expect(sizeFindings(planted(`export const long = () => {\n${lines(68)}\n};`))).toEqual([]);
  expect(sizeFindings(planted("export const f = (a, b, c, d) => a;"))[0]).toContain("f has 4 parameters");
});

test("files are named alike, and only a public face gathers others", () => {
  expect(packages.flatMap((own) => own.files.flatMap((file) => faceFindings(file, own)))).toEqual([]);
  const own = packageNamed("kernel");
  expect(faceFindings(planted("", "packages/kernel/src/jobQueue.ts"), own)[0]).toContain("kebab-case");
  expect(faceFindings(planted("", "packages/kernel/src/element/index.ts"), own)[0]).toContain("no public face");
  expect(faceFindings(planted(`export * from "./a.ts";`), own)[0]).toContain("exports everything");
  expect(faceFindings(planted(`export type * from "./a.ts";`), own)).toEqual([]);
  expect(faceFindings(planted("export default 1;"), own)[0]).toContain("default export");
});

test("nothing says of itself that it is unfinished", () => {
  expect(everyFile.flatMap(unfinishedFindings)).toEqual([]);
  expect(unfinishedFindings(planted(`// ${"TO"}DO: later`))[0]).toContain("unfinished");
});
