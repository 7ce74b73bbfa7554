import type { Expression, Json, Mapping, MessageDefinition, Source, TimerDefinition } from "@tutti/kernel";
import { canonicalJson } from "../hash.ts";
import { timerFault } from "./expression.ts";
import type { Names } from "./names.ts";
import { node, type OutNode } from "./write.ts";

/** A value as the importer reads it back: `=` is FEEL, `${…}` CEL, everything else means itself. */
export function sourceText(source: Source): string {
  if ("variable" in source) return `=${source.variable}`;
  if ("language" in source) return source.language === "feel" ? `=${source.text}` : `\${${source.text}}`;
  const { literal } = source;
  return typeof literal === "string" && fixed(literal) === literal ? literal : `=${JSON.stringify(literal)}`;
}

/** A text that the importer takes as it is; another one stands for those that it would compute or trim. */
export function fixed(text: string): string {
  return text === "" || text !== text.trim() || text.startsWith("=") || /[$#]\{/.test(text) ? "given-below" : text;
}

/** A name that may be computed. */
export function nameText(name: string, from: Source | undefined): string {
  return from === undefined ? fixed(name) : sourceText(from);
}

/** A condition or another expression; one that the importer would read otherwise is given below. */
export function expressionNode(name: string, { language, text }: Expression): OutNode {
  const isRead = language !== "dmn" && text.trim() !== "" && !/^\s*(?:=|[$#]\{)/.test(text);
  const said = isRead ? { language, text } : { language: "cel", text: "true" };
  return node(name, { "xsi:type": "bpmn:tFormalExpression", language: said.language }, said.text);
}

/** A formal expression that may also be a constant. */
export function valueNode(name: string, source: Source): OutNode {
  if ("language" in source) return expressionNode(name, source);
  return node(name, { "xsi:type": "bpmn:tFormalExpression" }, sourceText(source));
}

const tags = { date: "timeDate", duration: "timeDuration", cycle: "timeCycle", cron: "timeCycle" } as const;
const always = { date: "2000-01-01T00:00:00Z", duration: "PT1S", cycle: "R/PT1S", cron: "0 0 * * *" } as const;

/** A timer; a text that is none is given beside it, as the importer would refuse it here. */
export function timerNode(timer: TimerDefinition): OutNode {
  const { kind, value } = timer;
  const broken =
    "literal" in value && (typeof value.literal !== "string" || timerFault(kind, value.literal) !== undefined);
  return node("bpmn:timerEventDefinition", {}, [
    valueNode(`bpmn:${tags[kind]}`, broken ? { literal: always[kind] } : value),
  ]);
}

export function ioMapping(inputs: readonly Mapping[] = [], outputs: readonly Mapping[] = []): OutNode | undefined {
  if (inputs.length + outputs.length === 0) return undefined;
  const parameter = (name: string) => (mapping: Mapping) =>
    node(name, { source: sourceText(mapping.source), target: mapping.target });
  return node("zeebe:ioMapping", {}, [
    ...inputs.map(parameter("zeebe:input")),
    ...outputs.map(parameter("zeebe:output")),
  ]);
}

/** Messages, signals, errors and escalations, which stand beside the process and are referred to. */
export class Roots {
  readonly nodes: OutNode[] = [];
  readonly #names: Names;
  readonly #ids = new Map<string, string>();

  constructor(names: Names) {
    this.#names = names;
  }

  /** The id in the file of an element of the program. */
  elementId(id: string): string {
    return this.#names.of("element", id);
  }

  message(message: MessageDefinition): string {
    const { name, correlationKey } = message;
    const subscription =
      correlationKey === undefined
        ? undefined
        : node("zeebe:subscription", { correlationKey: sourceText(correlationKey) });
    const inside = subscription === undefined ? [] : [node("bpmn:extensionElements", {}, [subscription])];
    return this.#root("bpmn:message", { name: sourceText(name) }, inside);
  }

  signal(name: Source): string {
    return this.#root("bpmn:signal", { name: sourceText(name) });
  }

  coded(kind: "error" | "escalation", code: string, from?: Source): string {
    return this.#root(`bpmn:${kind}`, { name: fixed(code), [`${kind}Code`]: nameText(code, from) });
  }

  /** An event definition that is referred to. */
  definition({ name, attributes, children }: OutNode): string {
    return this.#root(name, attributes, children);
  }

  #root(name: string, attributes: OutNode["attributes"], children: readonly OutNode[] = []): string {
    const key = canonicalJson([name, attributes, children] as unknown as Json);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const kind = name.slice(5);
    const id = this.#names.fresh(kind.charAt(0).toUpperCase() + kind.slice(1));
    this.#ids.set(key, id);
    this.nodes.push(node(name, { id, ...attributes }, children));
    return id;
  }
}
