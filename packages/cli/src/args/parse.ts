import { parseArgs } from "node:util";
import { AppError } from "@tutti/kernel";
import { Input } from "./input.ts";
import { nearest } from "./nearest.ts";
import { type Argument, globalOptions, type Options } from "./option.ts";

export interface Syntax {
  readonly name: string;
  readonly options: Options;
  readonly arguments: readonly Argument[];
}

/** Parses what follows the command's name. Throws `option-…` and `argument-…` errors that say what was meant. */
export function parse(syntax: Syntax, argv: readonly string[]): Input {
  const known: Options = { ...globalOptions, ...syntax.options };
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(known).map(([name, { value, short }]) => [
        name,
        { type: value === undefined ? ("boolean" as const) : ("string" as const), ...(short ? { short } : {}) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const options = new Map<string, string[]>();
  const given: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") given.push(token.value);
    if (token.kind === "option") readOption(token, { known, options, command: syntax.name });
  }
  if (!options.has("help")) checkArguments(syntax, given);
  return new Input(options, given);
}

function readOption(
  token: { readonly name: string; readonly rawName: string; readonly value?: string | undefined },
  context: { readonly known: Options; readonly options: Map<string, string[]>; readonly command: string },
): void {
  const { known, options, command } = context;
  const option = known[token.name];
  if (option === undefined) {
    const meant = nearest(token.name, Object.keys(known));
    const hint = meant === undefined ? "" : `; did you mean --${meant}?`;
    throw new AppError("option-unknown", `'tutti ${command}' has no option ${token.rawName}${hint}`);
  }
  if (option.value === undefined && token.value !== undefined) {
    throw new AppError("option-invalid", `Expected ${token.rawName} without a value, but got '${token.value}'`);
  }
  // A forgotten value would swallow the next option.
  if (option.value !== undefined && (token.value === undefined || /^--[a-z]/.test(token.value))) {
    throw new AppError("option-invalid", `Expected ${token.rawName} ${option.value}, but there is no value`);
  }
  const earlier = options.get(token.name);
  if (earlier !== undefined && option.value !== undefined && option.repeated !== true) {
    throw new AppError("option-invalid", `Expected ${token.rawName} once, but it is there again`);
  }
  options.set(token.name, [...(earlier ?? []), token.value ?? "true"]);
}

function checkArguments(syntax: Syntax, given: readonly string[]): void {
  const missing = syntax.arguments.find((argument, index) => argument.required === true && given[index] === undefined);
  if (missing !== undefined) {
    throw new AppError("argument-missing", `Expected ${missing.name} after 'tutti ${syntax.name}', but there is none`);
  }
  const last = syntax.arguments.at(-1);
  if (last?.repeated === true || given.length <= syntax.arguments.length) return;
  const extra = given[syntax.arguments.length];
  throw new AppError("argument-unexpected", `'tutti ${syntax.name}' does not know what to do with '${extra}'`);
}
