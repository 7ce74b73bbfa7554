import { type Node, type SourceFile, visit } from "./source.ts";

/** What the kernel may not even name: clocks, randomness, I/O, scheduling, and what depends on the machine's locale. */
const bannedGlobals = new Set([
  "Buffer",
  "Intl",
  "Promise",
  "console",
  "crypto",
  "fetch",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "require",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);
const bannedMembers = new Set(["Date.now", "Math.random"]);
const bannedMethods = new Set(["localeCompare", "toLocaleDateString", "toLocaleString", "toLocaleTimeString"]);
const typeScriptExpressions = new Set(["TSAsExpression", "TSNonNullExpression", "TSSatisfiesExpression"]);

/** Whatever in a kernel file is not a function of its arguments. */
export function purityFindings(file: SourceFile): string[] {
  const declared = declaredNames(file.program);
  const findings: string[] = [];
  const inTypes = new Set<Node>();
  visit(file.program, (node, parent, field) => {
    if (isType(node, parent, inTypes)) {
      inTypes.add(node);
      return;
    }
    const impurity = impurityOf(node, parent, field);
    if (impurity === undefined || (node.type === "Identifier" && declared.has(impurity))) return;
    findings.push(
      `${file.path}:${file.lineAt(node.start)} uses '${impurity}': the kernel is a function of its arguments`,
    );
  });
  return findings;
}

/** Types are erased: `Promise<Outcome>` in a contract is no promise. */
function isType(node: Node, parent: Node | undefined, inTypes: ReadonlySet<Node>): boolean {
  if (parent !== undefined && inTypes.has(parent)) return true;
  return node.type.startsWith("TS") && !typeScriptExpressions.has(node.type);
}

function impurityOf(node: Node, parent: Node | undefined, field: string): string | undefined {
  if (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node["await"] === true)) return "await";
  if (node["async"] === true) return "async";
  if (node.type === "NewExpression" || node.type === "CallExpression") return clockCall(node);
  if (node.type === "MemberExpression") return bannedMember(node);
  if (node.type !== "Identifier" || isOnlyAName(node, parent, field)) return undefined;
  const name = node["name"] as string;
  return bannedGlobals.has(name) ? name : undefined;
}

function clockCall(node: Node): string | undefined {
  const callee = node["callee"] as Node;
  const readsClock =
    callee["name"] === "Date" && (node.type === "CallExpression" || (node["arguments"] as Node[]).length === 0);
  return readsClock ? "Date()" : undefined;
}

function bannedMember(node: Node): string | undefined {
  const property = node["property"] as Node;
  const name = (property["name"] ?? property["value"]) as string;
  const full = `${(node["object"] as Node)["name"]}.${name}`;
  if (bannedMembers.has(full)) return full;
  return bannedMethods.has(name) ? name : undefined;
}

function isOnlyAName(node: Node, parent: Node | undefined, field: string): boolean {
  if (parent === undefined || parent["computed"] === true) return false;
  if (field === "property" && parent.type === "MemberExpression") return true;
  return field === "key" && parent["value"] !== node && parent["shorthand"] !== true;
}

/** Names bound anywhere in the file: `process` as a parameter is the domain's word, not Node's global. */
function declaredNames(program: Node): Set<string> {
  const names = new Set<string>();
  const bind = (pattern: Node): void =>
    visit(pattern, (node, parent, field) => {
      if (node.type === "Identifier" && !(field === "key" && parent?.["shorthand"] !== true))
        names.add(node["name"] as string);
    });
  visit(program, (node) => {
    if (node.type === "VariableDeclarator") bind(node["id"] as Node);
    for (const parameter of (node["params"] as Node[] | undefined) ?? [])
      if (parameter.type !== undefined) bind(parameter);
  });
  return names;
}
