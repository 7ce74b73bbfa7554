import type { Expression, Source, TimerDefinition } from "@tutti/kernel";
import { Languages } from "../expression/languages.ts";
import { formatDuration, parseDuration } from "../timer/duration.ts";
import { nextDue } from "../timer/next-due.ts";
import { cel, nameOf, parseTemplate, variableAt } from "../value.ts";
import { attribute, type BpmnFile, child, textOf } from "./file.ts";
import { celOf } from "./juel.ts";
import type { XmlNode } from "./xml.ts";

/** A text with where it stands, and the language that its author named. */
interface Written {
  readonly text: string;
  readonly at: XmlNode;
  readonly language?: string | undefined;
}

const xpath = /xpath/i;
const languages = new Languages();

/**
 * A condition: always an expression. Its language is the one it names, else the file's; `=` begins FEEL, `${…}` is
 * read as CEL. Without any of these it is FEEL, unless it uses operators that only CEL has.
 */
export function conditionOf(file: BpmnFile, node: XmlNode): Expression | undefined {
  const text = textOf(node);
  if (text === undefined) {
    file.report("expression-syntax", "Expected an expression, but there is none", node);
    return undefined;
  }
  return expressionOf(file, { text, at: node, language: attribute(node, "language") });
}

function expressionOf(file: BpmnFile, written: Written): Expression | undefined {
  const { at } = written;
  if (isOurs(written)) return cel(written.text.trim(), at.position);
  const text = written.text.replaceAll(dataRead, "$1");
  const language = written.language ?? fileLanguage(file);
  if (language !== undefined && xpath.test(language)) {
    file.refuse(`an expression in ${language.slice(0, 80)}; FEEL and CEL are there`, at);
    return undefined;
  }
  if (text.startsWith("=") && !text.startsWith("==")) return feel(text.slice(1), at);
  const braced = bracedText(text);
  if (braced !== undefined) return foreign(file, braced, at);
  if (language !== undefined && /feel/i.test(language)) return feel(text, at);
  if (language !== undefined) return foreign(file, statementText(text), at);
  const others = cel(wordsToSigns(text), at.position);
  const bare = withoutTexts(text);
  if (/==|&&|\|\||^!|[^<>=!]=>/.test(bare) || method.test(bare)) return foreign(file, text, at);
  // Nobody says which language it is: what only one of them takes is in that one.
  const own = feel(text, at);
  return !languages.compile(own).ok && languages.compile(others).ok ? others : own;
}

/** What says that it is CEL is nobody else's language, and is taken as it is. `=` and `${` begin nothing in CEL. */
function isOurs({ text, language }: Written): boolean {
  return /^cel$/i.test(language ?? "") && !/^(?:=|[$#]\{)/.test(text.trim());
}

/** BPMN's own functions that read a variable, or a count of the loop, by its name. */
const dataRead =
  /(?:\b\w+:)?\bget(?:DataObject|DataInput|DataOutput|ProcessProperty|ActivityInstanceAttribute)\(\s*["']([A-Za-z_]\w*)["']\s*\)/g;

/** `x.contains("a")`: FEEL reads it, as a call of something that a variable holds, which is never a function. */
const method = /(?:^|[^.])\.\s*[A-Za-z_]\w*\s*\(/;

/** A text beside a comparison or a plus: what stands on the other side may be a number. */
const coerced = /(?:[<>+]|[=!<>]=)\s*["']|["']\s*(?:[<>+]|[=!<>]=)/;

/** Another engine's expression: CEL as it stands or once it is translated. Refused by what is foreign in it. */
function foreign(file: BpmnFile, text: string, at: XmlNode): Expression | undefined {
  const plain = cel(wordsToSigns(text), at.position);
  // CEL would read these, and mean something else.
  const differs = /%|\.contains\(/.test(withoutTexts(plain.text)) || coerced.test(plain.text);
  if (languages.compile(plain).ok && !differs) return plain;
  const translated = celOf(text);
  if (translated.ok) return cel(translated.text, at.position);
  const found = translated.found.slice(0, 80);
  file.refuse(
    `${found} in the expression ${text.slice(0, 80)}; let a task compute it into a variable, and use that`,
    at,
  );
  return undefined;
}

/** XPath on the whole file is what tools write without meaning it. */
function fileLanguage(file: BpmnFile): string | undefined {
  const language = attribute(file.root, "expressionLanguage");
  return language === undefined || xpath.test(language) || /\bjava/i.test(language) ? undefined : language;
}

export function feel(text: string, at: XmlNode): Expression {
  return { language: "feel", text: text.trim(), position: at.position };
}

const bareName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const notVariables: ReadonlySet<string> = new Set(["true", "false", "null", "in", "not", "if", "for"]);

/** A value as an extension writes it: `=` begins FEEL, `${…}` or `#{…}` inserts CEL, everything else means itself. */
export function sourceOf(text: string, at: XmlNode): Source {
  return readValue({ text, at }, (plain) => ({ literal: plain }));
}

/** The value of a formal expression: like an extension's, but a text in a language is no constant. */
export function expressionSource(file: BpmnFile, node: XmlNode): Source {
  const language = attribute(node, "language");
  const text = textOf(node) ?? "";
  const written = { text, at: node, language };
  const read = (): Source => simplified(expressionOf(file, written) ?? { literal: null }, node);
  if (isOurs(written)) return read();
  return readValue(written, (plain) => (language === undefined ? { literal: plain } : read()));
}

/** A path into data: always an expression, in whatever language; a bare name is a variable. */
export function pathSource(file: BpmnFile, node: XmlNode): Source | undefined {
  const expression = conditionOf(file, node);
  return expression === undefined ? undefined : simplified(expression, node);
}

function readValue(written: Written, otherwise: (plain: string) => Source): Source {
  const { text, at } = written;
  if (text.startsWith("=")) return simplified(feel(text.slice(1), at), at);
  const template = parseTemplate(text.replaceAll("#{", "${"));
  if (template !== undefined) {
    const plain = cel(wordsToSigns(template), at.position);
    const translated = languages.compile(plain).ok && !coerced.test(plain.text) ? undefined : celOf(template);
    return simplified(translated?.ok === true ? cel(translated.text, at.position) : plain, at);
  }
  return otherwise(text);
}

/** A bare name needs no evaluator, and a constant none either. */
function simplified(source: Source, at: XmlNode): Source {
  if (!("language" in source)) return source;
  const { text } = source;
  if (bareName.test(text) && !notVariables.has(text)) return variableAt(text, at.position);
  if (/^(?:true|false|null|-?\d{1,15}|"[^"\\]*")$/.test(text)) return { literal: JSON.parse(text) };
  return source;
}

/** The text of a value that must not be computed. Reported, with what it is for and what to do instead, when it is. */
export function fixedText(
  file: BpmnFile,
  what: { readonly of: string; readonly instead: string },
  given: { readonly text: string | undefined; readonly at: XmlNode },
): string | undefined {
  if (given.text === undefined) return undefined;
  const { fixed, from } = nameOf(sourceOf(given.text, given.at));
  if (from === undefined) return fixed;
  const message = `Expected a fixed ${what.of}, but ${given.text.slice(0, 80)} is computed; ${what.instead}`;
  file.report("element-unsupported", message, given.at);
  return undefined;
}

/** `${x > 1}` as a whole; undefined for anything else. */
function bracedText(text: string): string | undefined {
  return /^[$#]\{([\s\S]*)\}$/.exec(text.trim())?.[1]?.trim();
}

/** A condition as a statement of Java's family, `return x > 1;`, or as scripts of JavaScript's engines give it. */
function statementText(text: string): string {
  const plain = text
    .replace(/^return\s+/, "")
    .replace(/;$/, "")
    .trim();
  const braced = bracedText(plain);
  if (braced !== undefined) return braced;
  return /^next\(\s*null\s*,([\s\S]*)\)$/.exec(plain)?.[1]?.trim() ?? plain;
}

const signs: Readonly<Record<string, string>> = {
  and: "&&",
  or: "||",
  not: "!",
  eq: "==",
  ne: "!=",
  lt: "<",
  gt: ">",
  le: "<=",
  ge: ">=",
};

/** The words of JUEL, and the signs of JavaScript, as CEL writes them. Texts in quotes are left alone. */
function wordsToSigns(text: string): string {
  const parts = text.split(/("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/);
  const words = /(?<![\w.])(and|or|not|eq|ne|lt|gt|le|ge)(?=\s)/g;
  return parts
    .map((part, index) => (index % 2 === 1 ? part : withSigns(part.replaceAll(words, (word) => signs[word] ?? word))))
    .join("");
}

const pythons: Readonly<Record<string, string>> = { True: "true", False: "false", None: "null" };

function withSigns(text: string): string {
  const plain = text.replaceAll(/(?<![\w.])(?:True|False|None)\b/g, (word) => pythons[word] ?? word);
  return plain.replaceAll(/([=!])==/g, "$1=").replaceAll(/\b(?:this\.)?environment\.variables\./g, "");
}

function withoutTexts(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "");
}

/** A timer event definition, or a date or duration that an attribute gives. */
export function timerOf(file: BpmnFile, definition: XmlNode): TimerDefinition | undefined {
  const kinds = ["timeDate", "timeDuration", "timeCycle"] as const;
  const given = kinds
    .flatMap((kind) => child(definition, `bpmn:${kind}`) ?? [])
    .filter((node) => textOf(node) !== undefined);
  const [node] = given;
  if (node === undefined || given.length > 1) {
    const found = node === undefined ? "there is none" : `there are ${given.length}`;
    file.report(
      "timer-invalid",
      `Expected one of timeDate, timeDuration and timeCycle with a text, but ${found}`,
      definition,
    );
    return undefined;
  }
  const kind = { timeDate: "date", timeDuration: "duration", timeCycle: "cycle" } as const;
  const source = expressionSource(file, node);
  return checkedTimer(file, { kind: kind[node.name.slice(5) as keyof typeof kind], value: source }, node);
}

/** Durations are normalised, a cycle that is no repetition is a cron line, and a fixed value must be one. */
export function checkedTimer(file: BpmnFile, timer: TimerDefinition, at: XmlNode): TimerDefinition | undefined {
  const { value } = timer;
  if (!("literal" in value) || typeof value.literal !== "string") return timer;
  const text = value.literal.trim();
  const duration = parseDuration(text);
  const kind = timer.kind === "cycle" && duration === undefined && !/^R\d*\//.test(text) ? "cron" : timer.kind;
  const literal =
    duration === undefined ? text : kind === "cycle" ? `R/${formatDuration(duration)}` : formatDuration(duration);
  const fault = timerFault(kind, literal);
  if (fault !== undefined) {
    file.report("timer-invalid", fault, at);
    return undefined;
  }
  return { kind, value: { literal: kind === "date" ? text : literal } };
}

/** Why a text is no timer of its kind. Whether its moment ever comes is for the day it is armed. */
export function timerFault(kind: TimerDefinition["kind"], text: string): string | undefined {
  const due = nextDue({ kind }, text, Date.UTC(2025, 0));
  return due.ok || due.code !== "timer-value" ? undefined : due.message;
}
