import type { Json, JsonObject, Source } from "@tutti/kernel";
import type { Draft } from "../draft.ts";
import { celText } from "../value.ts";
import type { Item } from "./graph.ts";

const reference = /\btasks(?:\.([A-Za-z0-9_][A-Za-z0-9_-]*)|\[\s*["']([^"']+)["']\s*\])/g;

/**
 * The inputs of whichever item runs. Items whose inputs read `tasks.<id>.output` get an expression of their own,
 * chosen by the item's place in the list; the choice is a balanced tree, so that many items stay within CEL's depth.
 */
export function inputsOfItems(draft: Draft, items: readonly Item[]): Source {
  const position = draft.place(items[0]?.path.slice(0, 1) ?? []);
  const computed = items.flatMap((item, index) => {
    const text = inputText(draft, item);
    return text === undefined ? [] : [{ index, text }];
  });
  if (computed.length === 0) return { language: "cel", text: "item.inputs", position };
  return { language: "cel", text: choose(computed), position };
}

function choose(computed: readonly { readonly index: number; readonly text: string }[]): string {
  const [first] = computed;
  if (computed.length === 1 && first !== undefined) return `loop.index == ${first.index} ? ${first.text} : item.inputs`;
  const middle = Math.ceil(computed.length / 2);
  const right = computed[middle];
  return `loop.index < ${right?.index} ? (${choose(computed.slice(0, middle))}) : (${choose(computed.slice(middle))})`;
}

/** CEL of an item's inputs; undefined when they are plain data. Reports what it reads without depending on it. */
function inputText(draft: Draft, item: Item): string | undefined {
  const direct = new Set(item.dependsOn.map((edge) => edge.key));
  const used = new Set<string>();
  const rewrite = (name: string, text: string): string =>
    text.replaceAll(reference, (_match, dotted: string | undefined, quoted: string | undefined) => {
      const { id, rest } = split(dotted ?? quoted ?? "", direct);
      if (direct.has(id)) used.add(id);
      else {
        const message = `Expected ${item.id} to depend on ${id}, whose output it reads, but it does not`;
        draft.problems.error("dependency-unknown", message, draft.place([...item.path, "inputs", name]));
      }
      return `tasks[${JSON.stringify(id)}]${rest}`;
    });
  const entries = Object.entries(item.inputs).map(([name, value]): [string, Json] => [
    name,
    rewriteDeep(value, (text) => rewrite(name, text)),
  ]);
  const inputs: JsonObject = Object.fromEntries(entries);
  const text = celText(inputs);
  if (text === undefined || used.size === 0) return text;
  const tasks = [...used].map((id) => {
    const key = JSON.stringify(id);
    return `${key}: {"output": loop.predecessors.filter(p, p.key == ${key})[0].result}`;
  });
  return `cel.bind(tasks, {${tasks.join(", ")}}, ${text})`;
}

/** `tasks.a-b` is the task `a-b` if there is one, else `tasks.a` minus `b`. */
function split(name: string, known: ReadonlySet<string>): { id: string; rest: string } {
  for (let end = name.length; end > 0; end = name.lastIndexOf("-", end - 1)) {
    const id = name.slice(0, end);
    if (known.has(id)) return { id, rest: name.slice(end) };
  }
  return { id: name, rest: "" };
}

/** Only expressions are rewritten: a plain text may speak of tasks.a as it likes. */
function rewriteDeep(value: Json, rewrite: (text: string) => string): Json {
  if (typeof value === "string") return value.startsWith("=") || value.includes("${") ? rewrite(value) : value;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((inner) => rewriteDeep(inner, rewrite));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rewriteDeep(inner as Json, rewrite)]));
}
