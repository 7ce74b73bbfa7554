import { builtinModules } from "node:module";
import { posix } from "node:path";
import type { Manifest, Package, SourceFile } from "./source.ts";

const scope = "@tutti/";

/** What each package may import of the others. The table is the architecture: widen it by an ADR, not by need. */
export const importTable: { readonly [name: string]: readonly string[] } = {
  // For tests alone: no package that is published depends on it.
  "test-servers": [],
  kernel: [],
  definition: ["kernel"],
  protocol: ["kernel"],
  engine: ["kernel", "test-servers"],
  testing: ["kernel", "definition", "engine"],
  agents: ["kernel"],
  workspace: ["kernel"],
  connect: ["kernel", "test-servers"],
  feature: ["kernel", "definition", "agents", "workspace", "connect"],
  server: ["kernel", "protocol", "engine"],
  dashboard: ["protocol"],
  cli: [
    "kernel",
    "definition",
    "protocol",
    "engine",
    "testing",
    "agents",
    "workspace",
    "connect",
    "feature",
    "server",
    "dashboard",
    "test-servers",
  ],
};

/** Packages that run in a sandbox or a browser: nothing of Node there. */
const withoutNode = new Set(["kernel", "protocol", "dashboard"]);

/** Files that load a module which a person names, so that what they import is not known here. */
const loaders = new Set(["packages/testing/src/load-definition.ts"]);

const builtins = new Set(builtinModules.filter((name) => !name.startsWith("_")));

/** Where a file stands: its own package, all packages, and the root's package.json. */
export interface House {
  readonly own: Package;
  readonly all: readonly Package[];
  readonly rootManifest: Manifest;
}

interface Question extends House {
  readonly specifier: string;
  readonly file: SourceFile;
}

/** Imports of `file` that the table, the manifests or the package's own border refuse. */
export function importFindings(file: SourceFile, house: House): string[] {
  const findings: string[] = [];
  for (const { specifier, line } of file.imports) {
    const reason = refusal({ ...house, specifier, file });
    if (reason !== undefined) findings.push(`${file.path}:${line} imports '${specifier}': ${reason}`);
  }
  return findings;
}

function refusal(question: Question): string | undefined {
  const { specifier, file, own } = question;
  if (specifier === "<computed>" && loaders.has(file.path)) return undefined;
  if (specifier.startsWith(".")) return relativeRefusal(specifier, file, own);
  if (specifier.startsWith("node:")) return nodeRefusal(file);
  if (builtins.has(specifier.split("/")[0] ?? "")) return "write the `node:` prefix";
  if (specifier.startsWith(scope)) return siblingRefusal(question);
  return libraryRefusal(question);
}

function relativeRefusal(specifier: string, file: SourceFile, own: Package): string | undefined {
  const target = posix.join(posix.dirname(file.path), specifier);
  if (!target.startsWith(`${own.directory}/src/`)) return "it leaves the package's src; import a package by its name";
  if (!/\.(ts|tsx|json)$/.test(specifier)) return "name the file with its extension";
  return undefined;
}

function nodeRefusal(file: SourceFile): string | undefined {
  if (!withoutNode.has(file.package) || file.path.includes(".test.")) return undefined;
  return `the package '${file.package}' runs where Node is not`;
}

function siblingRefusal({ specifier, file, own, all }: Question): string | undefined {
  const [name = "", ...rest] = specifier.slice(scope.length).split("/");
  if (name === file.package) return "inside a package, import the file";
  const allowed = importTable[file.package];
  if (allowed === undefined) return `the package '${file.package}' has no row in the import table`;
  if (!allowed.includes(name)) return `'${file.package}' may import ${allowed.join(", ") || "nothing"}`;
  const subpath = rest.length === 0 ? "." : `./${rest.join("/")}`;
  const target = all.find((candidate) => candidate.directory === `packages/${name}`);
  if (target === undefined) return "there is no such package";
  if (target.manifest.exports?.[subpath] === undefined) return `'${name}' does not export '${subpath}'`;
  return declared(own.manifest, `${scope}${name}`, file.forTests)
    ? undefined
    : "it is not in the package's dependencies";
}

function libraryRefusal({ specifier, file, own, rootManifest }: Question): string | undefined {
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  if (file.forTests && rootManifest.devDependencies?.[name] !== undefined) return undefined;
  if (file.package === "kernel") return "the kernel imports nothing";
  if (declared(own.manifest, name, file.forTests)) return undefined;
  return "it is not in the package's dependencies";
}

function declared(manifest: Manifest, name: string, forTests: boolean): boolean {
  const shipped = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
  return shipped[name] !== undefined || (forTests && manifest.devDependencies?.[name] !== undefined);
}

/** Dependencies between our packages that package.json declares and the table refuses, or that have another version. */
export function manifestFindings(own: Package, all: readonly Package[]): string[] {
  const name = own.manifest.name.slice(scope.length);
  const allowed = importTable[name];
  if (own.directory !== `packages/${name}`)
    return [`${own.directory}: the folder is not called like '${own.manifest.name}'`];
  if (allowed === undefined) return [`${own.directory}: '${name}' has no row in the import table`];
  const findings: string[] = [];
  const dependencies = { ...own.manifest.devDependencies, ...own.manifest.dependencies };
  for (const [dependency, version] of Object.entries(dependencies)) {
    if (!dependency.startsWith(scope)) continue;
    const sibling = dependency.slice(scope.length);
    const target = all.find((candidate) => candidate.manifest.name === dependency);
    if (!allowed.includes(sibling)) findings.push(`${own.directory}/package.json may not depend on '${dependency}'`);
    else if (target?.manifest.version !== version) {
      findings.push(`${own.directory}/package.json wants '${dependency}' ${version}, not ${target?.manifest.version}`);
    }
  }
  return findings;
}

/** Circles of files that load each other at run time; types are erased, so they may refer to each other. */
export function cycleFindings(files: readonly SourceFile[]): string[] {
  const edges = new Map(files.map((file) => [file.path, loadedBy(file)]));
  const done = new Set<string>();
  const findings: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      findings.push(`files load each other: ${[...trail.slice(at), path].join(" → ")}`);
      return;
    }
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) walk(path, []);
  return findings;
}

function loadedBy(file: SourceFile): string[] {
  return file.imports
    .filter(({ specifier, typeOnly }) => specifier.startsWith(".") && !typeOnly)
    .map(({ specifier }) => posix.join(posix.dirname(file.path), specifier));
}
