import type { Path, Place, Problems } from "../problem.ts";
import type { DecisionForm } from "../schema/decision.ts";
import type { DecisionTable, HitPolicy, Literal } from "./model.ts";
import type { Cell, DecisionSource } from "./source.ts";

const policies: Readonly<Record<string, HitPolicy>> = {
  unique: "U",
  any: "A",
  priority: "P",
  first: "F",
  "rule-order": "R",
  "output-order": "O",
  collect: "C",
};

/** Reads a decision as YAML writes it. The value has passed its schema; everything else that is wrong is reported. */
export function readDecision(form: DecisionForm, problems: Problems, place: Place): DecisionSource {
  const cells: Cell[] = [];
  const take = (value: string | number | boolean | null, top: Cell["top"], path: Path): string => {
    const text = typeof value === "string" ? value.trim() : JSON.stringify(value);
    const free = text === "" || (text === "-" && top === "UnaryTests");
    if (!free) cells.push({ text, top, position: place(path) });
    return text;
  };
  const logic = form.value === undefined ? table(form, take) : literal(form.value, take);
  const fault = faultOf(form);
  if (fault !== undefined)
    problems.error("decision-invalid", `${fault.message} (in ${form.decision})`, place(fault.path));
  const id = form.decision;
  return { id, name: id, position: place(["decision"]), requires: undefined, logic, cells, isFunction: false };
}

type Take = (value: string | number | boolean | null, top: Cell["top"], path: Path) => string;

function literal(value: string, take: Take): Literal {
  return { type: "literal", text: take(value, "Expression", ["value"]) };
}

function table(form: DecisionForm, take: Take): DecisionTable {
  const { inputs = [], outputs = [], rules = [] } = form;
  return {
    type: "table",
    hit: policies[form.hit ?? "unique"] ?? "U",
    ...(form.aggregate !== undefined && { aggregate: form.aggregate }),
    inputs: inputs.map((input, at) => {
      if (typeof input === "string") return { text: take(input, "Expression", ["inputs", at]) };
      const text = take(input.expression, "Expression", ["inputs", at, "expression"]);
      if (input.allowed === undefined) return { text };
      return { text, allowed: take(input.allowed, "UnaryTests", ["inputs", at, "allowed"]) };
    }),
    outputs: outputs.map((output, at) => {
      const { name, values, otherwise } = typeof output === "string" ? { name: output } : output;
      const path = (key: string): Path => ["outputs", at, key];
      return {
        ...(outputs.length > 1 && { name }),
        ...(values !== undefined && {
          values: values.map((value, n) => take(value, "Expression", [...path("values"), n])),
        }),
        ...(otherwise !== undefined && { otherwise: take(otherwise, "Expression", path("otherwise")) }),
      };
    }),
    rules: rules.map(({ when, then }, at) => ({
      when: when.map((cell, n) => take(cell, "UnaryTests", ["rules", at, "when", n])),
      then: then.map((cell, n) => take(cell, "Expression", ["rules", at, "then", n])),
    })),
  };
}

function faultOf(form: DecisionForm): { readonly message: string; readonly path: Path } | undefined {
  const { inputs = [], outputs = [], rules, value, aggregate, hit } = form;
  if ((value === undefined) === (rules === undefined)) {
    return { message: "Expected either a value or rules, but there are both or neither", path: ["decision"] };
  }
  if (value !== undefined) return undefined;
  if (outputs.length === 0) return { message: "Expected an output, but there is none", path: ["decision"] };
  if (aggregate !== undefined && (hit !== "collect" || outputs.length > 1)) {
    return { message: "Expected hit: collect and one output to aggregate, but it is otherwise", path: ["aggregate"] };
  }
  const odd = (rules ?? []).findIndex(
    ({ when, then }) => when.length !== inputs.length || then.length !== outputs.length,
  );
  if (odd < 0) return undefined;
  const message = `Expected ${inputs.length} tests and ${outputs.length} results, but the rule has other numbers of them`;
  return { message, path: ["rules", odd] };
}
