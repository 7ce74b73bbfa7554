import type { SourcePosition } from "@tutti/kernel";
import { decodeXml } from "../bpmn/encoding.ts";
import { kindOf } from "../bpmn/file.ts";
import { readXml, type XmlNode } from "../bpmn/xml.ts";
import { parseFeel } from "../feel/parse.ts";
import { type Problem, Problems } from "../problem.ts";
import { all, Boxes, boxIn, find, nameOf, parametersOf } from "./boxed.ts";
import type { Aggregator, DecisionTable, HitPolicy, Literal, TableFunction } from "./model.ts";
import { assembleDecisions, type Decision, type DecisionSource } from "./source.ts";

export interface DmnResult {
  /** In the order of the file; none when anything in it is an error. */
  readonly decisions: readonly Decision[];
  readonly problems: readonly Problem[];
}

/**
 * Compiles a DMN file (1.1 to 1.5), as text or in whatever encoding it declares: decision tables, every kind of boxed
 * expression, functions, and what they require of each other. Never throws for bad input: everything that is
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
  const names = root.children.flatMap((node) => {
    if (kindOf(node) === "inputData") return [nameOf(node)];
    const logic = find(node, "encapsulatedLogic");
    return logic === undefined ? [] : parametersOf(logic);
  });
  return assembleDecisions(sources, names, problems);
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

class DmnFile {
  readonly #ids: ReadonlySet<string>;
  readonly #boxes: Boxes;

  constructor(root: XmlNode, problems: Problems) {
    this.#boxes = new Boxes(problems);
    this.#ids = new Set(
      root.children.filter((node) => kindOf(node) === "inputData").map((node) => node.attributes.get("id") ?? ""),
    );
  }

  sourceOf(node: XmlNode): DecisionSource[] {
    const kind = kindOf(node);
    if (kind === "import") this.#boxes.refuse(node, "everything in one file", "another one is imported");
    if (kind !== "decision" && kind !== "businessKnowledgeModel") return [];
    this.#boxes.begin();
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
        cells: this.#boxes.cells,
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
    const logic = boxIn(node);
    if (logic === undefined) return this.#boxes.refuse(node, "a decision table or an expression", "there is neither");
    if (kindOf(logic) === "decisionTable") return this.#table(logic);
    const text = this.#boxes.expression(logic);
    return text === undefined ? undefined : { type: "literal", text };
  }

  #functionLogic(node: XmlNode): Literal | TableFunction | undefined {
    const logic = find(node, "encapsulatedLogic");
    if (logic === undefined) return this.#boxes.refuse(node, "what the function gives", "there is none");
    const body = boxIn(logic);
    if (body !== undefined && kindOf(body) === "decisionTable") {
      const table = this.#table(body);
      return table === undefined ? undefined : { type: "function", parameters: parametersOf(logic), table };
    }
    const text = this.#boxes.expression(logic);
    return text === undefined ? undefined : { type: "literal", text };
  }

  #table(node: XmlNode): DecisionTable | undefined {
    const policy = node.attributes.get("hitPolicy") ?? "UNIQUE";
    const hit = hitPolicies[policy];
    if (hit === undefined)
      return this.#boxes.refuse(node, `one of ${Object.keys(hitPolicies).join(", ")}`, `found ${policy}`);
    const aggregation = node.attributes.get("aggregation");
    const aggregate = aggregation === undefined || hit !== "C" ? undefined : aggregators[aggregation];
    if (aggregation !== undefined && aggregators[aggregation] === undefined)
      return this.#boxes.refuse(node, `one of ${Object.keys(aggregators).join(", ")}`, `found ${aggregation}`);
    const outputs = all(node, "output");
    if (aggregate !== undefined && outputs.length > 1)
      return this.#boxes.refuse(node, "one output to aggregate", `there are ${outputs.length}`);
    const inputs = all(node, "input").map((input) => {
      const allowed = this.#boxes.optional(find(input, "inputValues"), "UnaryTests");
      const expression = find(input, "inputExpression");
      const text = expression === undefined ? undefined : this.#boxes.text(expression, "Expression");
      return { text: text ?? "null", ...(allowed !== undefined && { allowed }) };
    });
    const rules = all(node, "rule").map((rule) => ({
      when: all(rule, "inputEntry").map((entry) => this.#boxes.optional(entry, "UnaryTests") ?? "-"),
      then: all(rule, "outputEntry").map((entry) => this.#boxes.optional(entry, "Expression") ?? ""),
    }));
    all(node, "rule").forEach((rule, index) => {
      const { when, then } = rules[index] ?? { when: [], then: [] };
      if (when.length !== inputs.length || then.length !== outputs.length) {
        this.#boxes.refuse(
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
    const values = this.#boxes.optional(find(node, "outputValues"), "UnaryTests");
    const otherwise = this.#boxes.optional(find(node, "defaultOutputEntry"), "Expression");
    return {
      ...(count > 1 && { name: name ?? node.attributes.get("label") ?? node.attributes.get("id") ?? "" }),
      ...(values !== undefined && { values: listed(values) }),
      ...(otherwise !== undefined && { otherwise }),
    };
  }
}

/** The values of an output, which the file writes as alternatives. */
function listed(values: string): readonly string[] {
  const parsed = parseFeel(values, { top: "UnaryTests" });
  if (!parsed.ok) return [];
  const tests = parsed.root.parts.find((part) => part.kind === "PositiveUnaryTests");
  return (tests?.parts ?? []).map((test) => test.text);
}
