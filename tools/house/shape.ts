import { posix } from "node:path";
import { type Node, type Package, type SourceFile, visit } from "./source.ts";

export const linesPerFileMax = 500;
export const linesPerFunctionMax = 70;
export const positionalParametersMax = 3;

const functionTypes = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);
// Written apart, so that this file does not find itself.
const unfinished = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);

/** What is too long to hold in one's head. Tests are lists: their functions may be longer, their files may not. */
export function sizeFindings(file: SourceFile): string[] {
  const findings: string[] = [];
  if (file.lines > linesPerFileMax) findings.push(`${file.path} has ${file.lines} lines, at most ${linesPerFileMax}`);
  if (file.forTests) return findings;
  visit(file.program, (node, parent) => {
    if (!functionTypes.has(node.type)) return;
    const where = `${file.path}:${file.lineAt(node.start)} ${functionName(node, parent)}`;
    const lines = file.lineAt(node.end) - file.lineAt(node.start) + 1;
    const parameters = (node["params"] as Node[]).length;
    if (lines > linesPerFunctionMax) findings.push(`${where} has ${lines} lines, at most ${linesPerFunctionMax}`);
    if (parameters > positionalParametersMax) {
      findings.push(`${where} has ${parameters} parameters, at most ${positionalParametersMax}; name the options`);
    }
  });
  return findings;
}

function functionName(node: Node, parent: Node | undefined): string {
  const named = (node["id"] ?? parent?.["id"] ?? parent?.["key"]) as Node | null | undefined;
  return typeof named?.["name"] === "string" ? named["name"] : "(function)";
}

/** Names of files, and what a package's public face may look like. */
export function faceFindings(file: SourceFile, own: Package): string[] {
  const findings: string[] = [];
  const base = posix.basename(file.path);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*\.tsx?$/.test(base))
    findings.push(`${file.path} is not named in kebab-case`);
  if (base === "index.ts" && !publicFaces(own).has(file.path)) {
    findings.push(`${file.path} is no public face of '${own.manifest.name}'; import the files themselves`);
  }
  visit(file.program, (node) => {
    const where = `${file.path}:${file.lineAt(node.start)}`;
    if (node.type === "ExportAllDeclaration" && node["exportKind"] !== "type") {
      findings.push(`${where} exports everything; name what is public`);
    }
    if (node.type === "ExportDefaultDeclaration") findings.push(`${where} has a default export; give it a name`);
  });
  return findings;
}

function publicFaces(own: Package): Set<string> {
  const sources = Object.values(own.manifest.exports ?? {}).map(
    (entry) => (entry as { readonly "@tutti/source"?: string })["@tutti/source"] ?? "",
  );
  return new Set(sources.map((source) => posix.join(own.directory, source)));
}

/** What says of itself that it is not finished. */
export function unfinishedFindings(file: SourceFile): string[] {
  return file.comments
    .filter(({ text }) => unfinished.test(text))
    .map(({ line, text }) => `${file.path}:${line} is unfinished: ${text.trim()}`);
}
