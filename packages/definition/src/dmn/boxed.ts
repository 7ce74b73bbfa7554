import { kindOf } from "../bpmn/file.ts";
import type { XmlNode } from "../bpmn/xml.ts";
import type { Problems } from "../problem.ts";
import type { Cell } from "./source.ts";

export function find(node: XmlNode | undefined, kind: string): XmlNode | undefined {
  return node?.children.find((child) => kindOf(child) === kind);
}

export function all(node: XmlNode, kind: string): readonly XmlNode[] {
  return node.children.filter((child) => kindOf(child) === kind);
}

export function nameOf(node: XmlNode): string {
  return (
    find(node, "variable")?.attributes.get("name") ?? node.attributes.get("name") ?? node.attributes.get("id") ?? ""
  );
}

export function parametersOf(node: XmlNode): readonly string[] {
  return all(node, "formalParameter").map((parameter) => parameter.attributes.get("name") ?? "");
}

const kinds: ReadonlySet<string> = new Set(
  (
    "decisionTable,literalExpression,context,invocation,functionDefinition,list,relation,conditional,filter,for,every," +
    "some"
  ).split(","),
);

/** Also an expression of a kind that nobody knows, to be refused by its name. */
function isBoxed(node: XmlNode): boolean {
  return kinds.has(kindOf(node)) || kindOf(node).endsWith("Expression");
}

/** The boxed expression that a node holds. */
export function boxIn(node: XmlNode | undefined): XmlNode | undefined {
  return node?.children.find(isBoxed);
}

/** Reads boxed expressions as FEEL, in which all but tables can be said, and collects what stands in them. */
export class Boxes {
  readonly #problems: Problems;
  #cells: Cell[] = [];

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** The texts since `begin`, each at its place. */
  get cells(): readonly Cell[] {
    return this.#cells;
  }

  begin(): void {
    this.#cells = [];
  }

  refuse(node: XmlNode, expected: string, found: string): undefined {
    this.#problems.error("decision-invalid", `Expected ${expected}, but ${found} (in ${kindOf(node)})`, node.position);
    return undefined;
  }

  expression(node: XmlNode): string | undefined {
    switch (kindOf(node)) {
      case "literalExpression":
        return this.text(node, "Expression");
      case "context":
        return this.#context(node);
      case "invocation":
        return this.#invocation(node);
      case "functionDefinition":
      case "encapsulatedLogic":
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
        return this.refuse(node, "an expression other than a table inside of another", `found ${kindOf(node)}`);
    }
  }

  /** What a part of a boxed expression holds. */
  #within(node: XmlNode, what: string): string | undefined {
    const box = boxIn(node);
    return box === undefined ? this.refuse(node, what, "there is none") : this.expression(box);
  }

  /** An expression whose parts stand in elements of their own; each must be there. */
  #phrase(node: XmlNode, say: (part: (kind: string) => string) => string): string | undefined {
    let whole = true;
    const part = (kind: string): string => {
      const inner = boxIn(find(node, kind));
      const text = inner === undefined ? this.refuse(node, `its ${kind}`, "there is none") : this.expression(inner);
      whole &&= text !== undefined;
      return `(${text ?? "null"})`;
    };
    const text = say(part);
    return whole ? text : undefined;
  }

  #list(items: readonly XmlNode[]): string | undefined {
    const texts = items.map((item) => this.expression(item));
    return texts.includes(undefined) ? undefined : `[${texts.join(", ")}]`;
  }

  /** A list of contexts that have the columns as their fields. */
  #relation(node: XmlNode): string | undefined {
    const columns = all(node, "column").map((column) => JSON.stringify(nameOf(column)));
    const rows = all(node, "row").map((row) => {
      const cells = row.children.filter(isBoxed);
      if (cells.length !== columns.length)
        return this.refuse(row, `${columns.length} cells`, `the row has ${cells.length}`);
      const fields = cells.map((cell, index) => {
        const text = this.expression(cell);
        return text === undefined ? undefined : `${columns[index]}: ${text}`;
      });
      return fields.includes(undefined) ? undefined : `{${fields.join(", ")}}`;
    });
    return rows.includes(undefined) ? undefined : `[${rows.join(", ")}]`;
  }

  #context(node: XmlNode): string | undefined {
    const entries = all(node, "contextEntry").map((entry) => ({
      name: find(entry, "variable")?.attributes.get("name"),
      text: this.#within(entry, "a value of the entry"),
    }));
    if (entries.some(({ text }) => text === undefined)) return undefined;
    const fields = entries.map(({ name, text }) => `${JSON.stringify(name ?? "result")}: ${text}`);
    const context = `{${fields.join(", ")}}`;
    // An entry without a name is what the whole context gives.
    return entries.length > 0 && entries.at(-1)?.name === undefined ? `${context}.result` : context;
  }

  #invocation(node: XmlNode): string | undefined {
    const called = find(node, "literalExpression");
    const name = called === undefined ? undefined : this.text(called, "Expression");
    if (name === undefined) return this.refuse(node, "a function to call", "there is none");
    const bindings = all(node, "binding").map((binding) => {
      const value = boxIn(binding);
      const text = value === undefined ? "null" : this.expression(value);
      return text === undefined ? undefined : `${find(binding, "parameter")?.attributes.get("name") ?? ""}: ${text}`;
    });
    return bindings.includes(undefined) ? undefined : `${name}(${bindings.join(", ")})`;
  }

  #function(node: XmlNode): string | undefined {
    const kind = node.attributes.get("kind") ?? "FEEL";
    if (kind !== "FEEL") return this.refuse(node, "a function written in FEEL", `it is ${kind}`);
    // What stands in the body is checked as a whole: alone it would read its parameters as variables.
    const before = this.#cells;
    this.#cells = [];
    const text = this.#within(node, "a body of the function");
    this.#cells = before;
    if (text === undefined) return undefined;
    const whole = `function(${parametersOf(node).join(", ")}) (${text})`;
    this.#cells.push({ text: whole, top: "Expression", position: node.position });
    return whole;
  }

  /** Undefined for nothing, and for a test that everything passes. */
  optional(node: XmlNode | undefined, top: Cell["top"]): string | undefined {
    const text = (find(node, "text")?.text ?? "").trim();
    return node === undefined || text === "" || (text === "-" && top === "UnaryTests")
      ? undefined
      : this.text(node, top);
  }

  text(node: XmlNode, top: Cell["top"]): string | undefined {
    const language = node.attributes.get("expressionLanguage");
    if (language !== undefined && !/feel/i.test(language))
      return this.refuse(node, "FEEL", `it is ${language.slice(0, 80)}`);
    const written = find(node, "text");
    const trimmed = (written?.text ?? "").trim();
    if (trimmed === "") return this.refuse(node, "an expression", "it is empty");
    // What is put behind it must not become part of a comment.
    const text = trimmed.includes("//") ? `${trimmed}\n` : trimmed;
    this.#cells.push({ text, top, position: written?.position ?? node.position });
    return text;
  }
}

function iterator(node: XmlNode): string {
  return node.attributes.get("iteratorVariable") ?? "item";
}
