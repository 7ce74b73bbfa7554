import type { SourcePosition } from "@tutti/kernel";
import { decodeXml } from "../bpmn/encoding.ts";
import { kindOf } from "../bpmn/file.ts";
import { readXml, type XmlNode } from "../bpmn/xml.ts";
import { parseFeel } from "../feel/parse.ts";
import { type Problem, Problems } from "../problem.ts";
import type { Aggregator, DecisionTable, HitPolicy, Literal } from "./model.ts";
import { assembleDecisions, type Cell, type Decision, type DecisionSource } from "./source.ts";

export interface DmnResult {
  /** In the order of the file; none when anything in it is an error. */
  readonly decisions: readonly Decision[];
  readonly problems: readonly Problem[];
}

/**
 * Compiles a DMN file (1.1 to 1.5), as text or in whatever encoding it declares: decision tables, literal expressions,
 * contexts, invocations, functions, and what they require of each other. Never throws for bad input: everything that is
 * wrong, or that Tutti does not decide, is in `problems` with its line and column. `file` only names the place.
 */
export function compileDmn(source: string | Uint8Array, options: { readonly file: string }): DmnResult {
  const problems = new Problems(options.file);
  const text = decodeXml(source, problems);
  const root = text === undefined ? undefined : readXml(text, problems);
  const decisions = root === undefined ? [] : compileDefinitions(root, problems);
  return { decisions: problems.errors === 0 ? decisions : [], problems: problems.list() };
}

function isDmnName(name: string): boolean {
  return /^\{https?:\/\/www\.omg\.org\/spec\/DMN\//.test(name);
}

function compileDefinitions(root: XmlNode, problems: Problems): readonly Decision[] {
  if (kindOf(root) !== "definitions" || !isDmnName(root.name)) {
    problems.error(
      "form-unknown",
      `Expected definitions of DMN, but the root is ${root.name.slice(0, 120)}`,
      root.position,
    );
    return [];
  }
  const file = new DmnFile(root, problems);
  const sources = root.children.flatMap((node) => file.sourceOf(node));
  if (sources.length === 0 && problems.errors === 0)
    problems.error("decision-invalid", "Expected a decision, but there is none", root.position);
  const inputs = root.children.filter((node) => kindOf(node) === "inputData").map((node) => nameOf(node));
  return assembleDecisions(sources, inputs, problems);
}

function find(node: XmlNode | undefined, kind: string): XmlNode | undefined {
  return node?.children.find((child) => kindOf(child) === kind);
}

function all(node: XmlNode, kind: string): readonly XmlNode[] {
  return node.children.filter((child) => kindOf(child) === kind);
}

function nameOf(node: XmlNode): string {
  return (
    find(node, "variable")?.attributes.get("name") ?? node.attributes.get("name") ?? node.attributes.get("id") ?? ""
  );
}

const hitPolicies: Readonly<Record<string, HitPolicy>> = {
  UNIQUE: "U",
  ANY: "A",
  PRIORITY: "P",
  FIRST: "F",
  "RULE ORDER": "R",
  "OUTPUT ORDER": "O",
  COLLECT: "C",
};
const aggregators: Readonly<Record<string, Aggregator>> = { SUM: "sum", COUNT: "count", MIN: "min", MAX: "max" };

/** Collects the cells of one decision as it is read. */
class DmnFile {
  readonly #problems: Problems;
  readonly #ids: ReadonlySet<string>;
  #cells: Cell[] = [];

  constructor(root: XmlNode, problems: Problems) {
    this.#problems = problems;
    this.#ids = new Set(
      root.children.filter((node) => kindOf(node) === "inputData").map((node) => node.attributes.get("id") ?? ""),
    );
  }

  sourceOf(node: XmlNode): DecisionSource[] {
    const kind = kindOf(node);
    if (kind !== "decision" && kind !== "businessKnowledgeModel") return [];
    this.#cells = [];
    const logic = kind === "decision" ? this.#decisionLogic(node) : this.#functionLogic(node);
    if (logic === undefined) return [];
    const name = nameOf(node);
    return [
      {
        id: node.attributes.get("id") ?? name,
        name,
        position: node.position,
        requires: this.#requirements(node),
        logic,
        cells: this.#cells,
        isFunction: kind !== "decision",
      },
    ];
  }

  /** Inputs are variables of the process: only decisions and functions must be there. */
  #requirements(node: XmlNode): { readonly id: string; readonly position: SourcePosition }[] {
    const requirements = [...all(node, "informationRequirement"), ...all(node, "knowledgeRequirement")];
    return requirements.flatMap((requirement) =>
      requirement.children
        .filter((child) => kindOf(child) === "requiredDecision" || kindOf(child) === "requiredKnowledge")
        .map((child) => ({ id: (child.attributes.get("href") ?? "").replace(/^.*#/, ""), position: child.position }))
        .filter(({ id }) => !this.#ids.has(id)),
    );
  }

  #decisionLogic(node: XmlNode): Literal | DecisionTable | undefined {
    const table = find(node, "decisionTable");
    if (table !== undefined) return this.#table(table);
    const boxed = node.children.find((child) => isBoxed(child) || /Expression$/.test(kindOf(child)));
    if (boxed === undefined) return this.#refuse(node, "a decision table or an expression", "there is neither");
    const text = this.#boxed(boxed);
    return text === undefined ? undefined : { type: "literal", text };
  }

  #functionLogic(node: XmlNode): Literal | undefined {
    const logic = find(node, "encapsulatedLogic");
    if (logic === undefined) return this.#refuse(node, "what the function gives", "there is none");
    const text = this.#function(logic);
    return text === undefined ? undefined : { type: "literal", text };
  }

  #refuse(node: XmlNode, expected: string, found: string): undefined {
    this.#problems.error("decision-invalid", `Expected ${expected}, but ${found} (in ${kindOf(node)})`, node.position);
    return undefined;
  }

  /** Every boxed expression but a table can be said in FEEL itself. */
  #boxed(node: XmlNode): string | undefined {
    switch (kindOf(node)) {
      case "literalExpression":
        return this.#text(node, "Expression");
      case "context":
        return this.#context(node);
      case "invocation":
        return this.#invocation(node);
      case "functionDefinition":
        return this.#function(node);
      case "list":
        return this.#list(node.children.filter(isBoxed));
      case "relation":
        return this.#relation(node);
      case "conditional":
        return this.#phrase(node, (part) => `if ${part("if")} then ${part("then")} else ${part("else")}`);
      case "filter":
        return this.#phrase(node, (part) => `${part("in")}[${part("match")}]`);
      case "for":
        return this.#phrase(node, (part) => `for ${iterator(node)} in ${part("in")} return ${part("return")}`);
      case "some":
      case "every":
        return this.#phrase(
          node,
          (part) => `${kindOf(node)} ${iterator(node)} in ${part("in")} satisfies ${part("satisfies")}`,
        );
      default:
        return this.#refuse(node, "an expression other than a table inside of another", `found ${kindOf(node)}`);
    }
  }

  #list(items: readonly XmlNode[]): string | undefined {
    const texts = items.map((item) => this.#boxed(item));
    return texts.includes(undefined) ? undefined : `[${texts.join(", ")}]`;
  }

  /** A list of contexts that have the columns as their fields. */
  #relation(node: XmlNode): string | undefined {
    const columns = all(node, "column").map((column) => JSON.stringify(nameOf(column)));
    const rows = all(node, "row").map((row) => {
      const cells = row.children.filter(isBoxed);
      if (cells.length !== columns.length)
        return this.#refuse(row, `${columns.length} cells`, `the row has ${cells.length}`);
      const fields = cells.map((cell, index) => {
        const text = this.#boxed(cell);
        return text === undefined ? undefined : `${columns[index]}: ${text}`;
      });
      return fields.includes(undefined) ? undefined : `{${fields.join(", ")}}`;
    });
    return rows.includes(undefined) ? undefined : `[${rows.join(", ")}]`;
  }

  /** An expression whose parts stand in elements of their own; each must be there. */
  #phrase(node: XmlNode, say: (part: (kind: string) => string) => string): string | undefined {
    let whole = true;
    const part = (kind: string): string => {
      const inner = find(node, kind)?.children.find(isBoxed);
      const text = inner === undefined ? this.#refuse(node, `its ${kind}`, "there is none") : this.#boxed(inner);
      whole &&= text !== undefined;
      return `(${text ?? "null"})`;
    };
    const text = say(part);
    return whole ? text : undefined;
  }

  #context(node: XmlNode): string | undefined {
    const entries = all(node, "contextEntry").map((entry) => {
      const value = entry.children.find(isBoxed);
      const text =
        value === undefined ? this.#refuse(entry, "a value of the entry", "there is none") : this.#boxed(value);
      return { name: find(entry, "variable")?.attributes.get("name"), text };
    });
    if (entries.some(({ text }) => text === undefined)) return undefined;
    const fields = entries.map(({ name, text }) => `${JSON.stringify(name ?? "result")}: ${text}`);
    const context = `{${fields.join(", ")}}`;
    // An entry without a name is what the whole context gives.
    return entries.at(-1)?.name === undefined ? `${context}.result` : context;
  }

  #invocation(node: XmlNode): string | undefined {
    const called = find(node, "literalExpression");
    const name = called === undefined ? undefined : this.#text(called, "Expression");
    if (name === undefined) return this.#refuse(node, "a function to call", "there is none");
    const bindings = all(node, "binding").map((binding) => {
      const value = binding.children.find(isBoxed);
      const text = value === undefined ? "null" : this.#boxed(value);
      return text === undefined ? undefined : `${find(binding, "parameter")?.attributes.get("name") ?? ""}: ${text}`;
    });
    return bindings.includes(undefined) ? undefined : `${name}(${bindings.join(", ")})`;
  }

  #function(node: XmlNode): string | undefined {
    const kind = node.attributes.get("kind") ?? "FEEL";
    if (kind !== "FEEL") return this.#refuse(node, "a function written in FEEL", `it is ${kind}`);
    const body = node.children.find(isBoxed);
    const parameters = all(node, "formalParameter").map((parameter) => parameter.attributes.get("name") ?? "");
    // What stands in the body is checked as a whole: alone it would read its parameters as variables.
    const before = this.#cells;
    this.#cells = [];
    const text = body === undefined ? this.#refuse(node, "a body of the function", "there is none") : this.#boxed(body);
    this.#cells = before;
    if (text === undefined) return undefined;
    const whole = `function(${parameters.join(", ")}) (${text})`;
    this.#cells.push({ text: whole, top: "Expression", position: node.position });
    return whole;
  }

  #table(node: XmlNode): DecisionTable | undefined {
    const policy = node.attributes.get("hitPolicy") ?? "UNIQUE";
    const hit = hitPolicies[policy];
    if (hit === undefined)
      return this.#refuse(node, `one of ${Object.keys(hitPolicies).join(", ")}`, `found ${policy}`);
    const aggregation = node.attributes.get("aggregation");
    const aggregate = aggregation === undefined || hit !== "C" ? undefined : aggregators[aggregation];
    const outputs = all(node, "output");
    if (aggregate !== undefined && outputs.length > 1)
      return this.#refuse(node, "one output to aggregate", `there are ${outputs.length}`);
    const inputs = all(node, "input").map((input) => {
      const allowed = this.#optional(find(input, "inputValues"), "UnaryTests");
      const expression = find(input, "inputExpression");
      const text = expression === undefined ? undefined : this.#text(expression, "Expression");
      return { text: text ?? "null", ...(allowed !== undefined && { allowed }) };
    });
    const rules = all(node, "rule").map((rule) => ({
      when: all(rule, "inputEntry").map((entry) => this.#optional(entry, "UnaryTests") ?? "-"),
      then: all(rule, "outputEntry").map((entry) => this.#optional(entry, "Expression") ?? ""),
    }));
    all(node, "rule").forEach((rule, index) => {
      const { when, then } = rules[index] ?? { when: [], then: [] };
      if (when.length !== inputs.length || then.length !== outputs.length) {
        this.#refuse(
          rule,
          `${inputs.length} inputs and ${outputs.length} outputs`,
          `the rule has ${when.length} and ${then.length}`,
        );
      }
    });
    return {
      type: "table",
      hit,
      ...(aggregate !== undefined && { aggregate }),
      inputs,
      outputs: outputs.map((output) => this.#output(output, outputs.length)),
      rules,
    };
  }

  #output(node: XmlNode, count: number): DecisionTable["outputs"][number] {
    const name = node.attributes.get("name");
    const values = this.#optional(find(node, "outputValues"), "UnaryTests");
    const otherwise = this.#optional(find(node, "defaultOutputEntry"), "Expression");
    return {
      ...(count > 1 && { name: name ?? node.attributes.get("label") ?? node.attributes.get("id") ?? "" }),
      ...(values !== undefined && { values: listed(values) }),
      ...(otherwise !== undefined && { otherwise }),
    };
  }

  #optional(node: XmlNode | undefined, top: Cell["top"]): string | undefined {
    const text = (find(node, "text")?.text ?? "").trim();
    return node === undefined || text === "" || (text === "-" && top === "UnaryTests")
      ? undefined
      : this.#text(node, top);
  }

  #text(node: XmlNode, top: Cell["top"]): string | undefined {
    const language = node.attributes.get("expressionLanguage");
    if (language !== undefined && !/feel/i.test(language))
      return this.#refuse(node, "FEEL", `it is ${language.slice(0, 80)}`);
    const written = find(node, "text");
    const text = (written?.text ?? "").trim();
    if (text === "") return this.#refuse(node, "an expression", "it is empty");
    this.#cells.push({ text, top, position: written?.position ?? node.position });
    return text;
  }
}

const boxes: ReadonlySet<string> = new Set([
  ...["literalExpression", "context", "invocation", "functionDefinition", "list", "relation"],
  ...["conditional", "filter", "for", "some", "every", "decisionTable"],
]);

function isBoxed(node: XmlNode): boolean {
  return boxes.has(kindOf(node));
}

function iterator(node: XmlNode): string {
  return node.attributes.get("iteratorVariable") ?? "item";
}

/** The values of an output, which the file writes as alternatives. */
function listed(values: string): readonly string[] {
  const parsed = parseFeel(values, { top: "UnaryTests" });
  if (!parsed.ok) return [];
  const tests = parsed.root.parts.find((part) => part.kind === "PositiveUnaryTests");
  return (tests?.parts ?? []).map((test) => test.text);
}
