import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";

export const root: string = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** A node of the ESTree that oxc gives, as far as the checks look at it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Import {
  readonly specifier: string;
  /** Erased by the compiler: nothing is loaded at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface SourceFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  /** Directory name under packages/, or `tools`. */
  readonly package: string;
  readonly text: string;
  readonly lines: number;
  /** Tests, suites, benchmarks and what only they use: they may import more, and be longer. */
  readonly forTests: boolean;
  readonly imports: readonly Import[];
  readonly comments: readonly { readonly line: number; readonly text: string }[];
  readonly program: Node;
  lineAt(offset: number): number;
}

export interface Package {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly files: readonly SourceFile[];
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: { readonly [subpath: string]: unknown };
  readonly bin?: { readonly [name: string]: string };
  readonly scripts?: { readonly [name: string]: string };
  readonly dependencies?: { readonly [name: string]: string };
  readonly devDependencies?: { readonly [name: string]: string };
  readonly peerDependencies?: { readonly [name: string]: string };
  readonly optionalDependencies?: { readonly [name: string]: string };
}

const skippedDirectories = new Set(["node_modules", "dist", "fixtures", "coverage"]);

/** Paths under `directory` (from the root, with `/`), sorted, without what is generated or only read by tests. */
export function listFiles(directory: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
    if (skippedDirectories.has(entry.name)) continue;
    const path = posix.join(directory, entry.name);
    if (entry.isDirectory()) found.push(...listFiles(path));
    else if (entry.isFile()) found.push(path);
  }
  return found.sort();
}

export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export function readManifest(path: string): Manifest {
  return JSON.parse(readText(path)) as Manifest;
}

// The package that is called testing is no test.
const testFile =
  /(\.(test|suite|bench)\.ts$)|((?<!^packages)\/(testing|conformance|bench)\/)|(^packages\/test-servers\/)/;

/** Parses one module. Throws on a syntax error, which `tsc` reports better. */
export function parseSource(path: string, text: string): SourceFile {
  const parsed = parseSync(path, text, { sourceType: "module" });
  const problem = parsed.errors[0];
  if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);
  const lineStarts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lineStarts.push(at + 1);
  const lineAt = (offset: number): number => lineStarts.findLastIndex((start) => start <= offset) + 1;
  const program = parsed.program as unknown as Node;
  return {
    path,
    package: path.split("/")[0] === "packages" ? (path.split("/")[1] ?? "") : (path.split("/")[0] ?? ""),
    text,
    lines: text === "" ? 0 : text.replace(/\n$/, "").split("\n").length,
    forTests: testFile.test(path),
    imports: importsOf(parsed, program, lineAt),
    comments: parsed.comments.map((comment) => ({ line: lineAt(comment.start), text: comment.value })),
    program,
    lineAt,
  };
}

function importsOf(
  { module }: ReturnType<typeof parseSync>,
  program: Node,
  lineAt: (offset: number) => number,
): Import[] {
  const found: Import[] = [];
  for (const item of module.staticImports) {
    const typeOnly = item.entries.length > 0 && item.entries.every((entry) => entry.isType);
    found.push({ specifier: item.moduleRequest.value, typeOnly, line: lineAt(item.start) });
  }
  for (const item of module.staticExports) {
    const request = item.entries[0]?.moduleRequest;
    if (request === undefined || request === null) continue;
    const typeOnly = item.entries.every((entry) => entry.isType);
    found.push({ specifier: request.value, typeOnly, line: lineAt(item.start) });
  }
  visit(program, (node) => {
    if (node.type !== "ImportExpression" && node.type !== "TSImportType") return;
    const source = node["source"] as Node | undefined;
    // A computed specifier names no package that could be checked; `<computed>` matches no rule and is refused.
    const specifier = typeof source?.["value"] === "string" ? source["value"] : "<computed>";
    found.push({ specifier, typeOnly: node.type === "TSImportType", line: lineAt(node.start) });
  });
  return found;
}

/** Calls `see` for every node, parents first. */
export function visit(node: Node, see: (node: Node, parent: Node | undefined, field: string) => void): void {
  const open: { node: Node; parent: Node | undefined; field: string }[] = [{ node, parent: undefined, field: "" }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    see(next.node, next.parent, next.field);
    for (const [field, value] of Object.entries(next.node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) open.push({ node: child, parent: next.node, field });
      }
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** Every package with its parsed sources. */
export function readPackages(): Package[] {
  const directories = readdirSync(join(root, "packages"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  return directories.map(({ name }) => ({
    directory: `packages/${name}`,
    manifest: readManifest(`packages/${name}/package.json`),
    files: readSources(`packages/${name}/src`),
  }));
}

export function readSources(directory: string): SourceFile[] {
  return listFiles(directory)
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))
    .map((path) => parseSource(path, readText(path)));
}
