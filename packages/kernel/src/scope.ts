import type { FailureInfo, Key } from "./command.ts";
import { readVariable } from "./evolve/variable.ts";
import type { Evaluation, VariableScope } from "./host.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Program } from "./load.ts";
import { must } from "./problem.ts";
import type { ElementId, Expression, Mapping, Source, VariableDeclaration, VariableType } from "./program.ts";
import type { State } from "./state/state.ts";

/** A value, or why there is none. `value` is undefined for an absent optional one. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: FailureInfo };

export function failure(code: string, message: string): { readonly ok: false; readonly error: FailureInfo } {
  return { ok: false, error: { code, message } };
}

function scopeAround(state: State, scope: Key): Key {
  return must(state.elements.get(scope), "there is no scope", scope).scope;
}

/** The scopes that a name is looked up in, innermost first. Whoever asks at every step goes through them by itself. */
export function* scopeChain(state: State, from: Key): IterableIterator<Key> {
  for (let scope = from; scope !== 0; scope = scopeAround(state, scope)) yield scope;
  yield 0;
}

/** What an expression sees: extra names first (a job's result, an item), then the variables from a scope outwards. */
export class Names implements VariableScope {
  readonly #program: Program;
  readonly #state: State;
  /** The element instance that it begins at; 0: the process. */
  readonly scope: Key;
  readonly #within: Key | undefined;
  readonly #extra: JsonObject | undefined;

  /** `within` is given while the element instance `scope` is not in the state yet: where it will stand. */
  constructor(
    program: Program,
    state: State,
    { scope, within, extra }: { readonly scope: Key; readonly within?: Key; readonly extra?: JsonObject },
  ) {
    this.#program = program;
    this.#state = state;
    this.scope = scope;
    this.#within = within === scope ? undefined : within;
    this.#extra = extra;
  }

  #around(scope: Key): Key {
    return scope === this.scope && this.#within !== undefined ? this.#within : scopeAround(this.#state, scope);
  }

  get(name: string): Json | undefined {
    const extra = this.#extra;
    if (extra !== undefined && Object.hasOwn(extra, name)) return extra[name];
    for (let scope = this.scope; ; scope = this.#around(scope)) {
      const value = readVariable(this.#state, scope, name);
      if (value !== undefined || scope === 0) return value;
    }
  }

  isInteger(name: string): boolean {
    const extra = this.#extra;
    if (extra !== undefined && Object.hasOwn(extra, name)) return false;
    for (let scope = this.scope; ; scope = this.#around(scope)) {
      const declaration = declarationIn(this.#program, this.#state, { scope, name });
      if (declaration !== undefined || scope === 0) return declaration?.type === "integer";
    }
  }
}

function containerOf(state: State, scope: Key): ElementId | null | undefined {
  return scope === 0 ? null : state.elements.get(scope)?.element;
}

export function declarationIn(
  program: Program,
  state: State,
  target: { readonly scope: Key; readonly name: string },
): VariableDeclaration | undefined {
  const container = containerOf(state, target.scope);
  return container === undefined ? undefined : program.declarations.get(container)?.get(target.name);
}

const typeNames: { readonly [T in VariableType]: (value: Json) => boolean } = {
  any: () => true,
  integer: (value) => Number.isSafeInteger(value),
  number: (value) => typeof value === "number",
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value),
  object: (value) => typeof value === "object" && !Array.isArray(value),
};

/** Why a value does not fit its declaration; undefined when it does. Null stands for "no value yet" and always fits. */
export function misfit(declaration: VariableDeclaration | undefined, value: Json): string | undefined {
  if (declaration === undefined || value === null || typeNames[declaration.type](value)) return undefined;
  const found = Array.isArray(value) ? "a list" : `${typeof value} ${JSON.stringify(value)?.slice(0, 80)}`;
  return `Expected '${declaration.name}' to be of type ${declaration.type}, but it is ${found}`;
}

export interface Doubt {
  readonly scope: Key;
  readonly expression: string;
  readonly warnings: readonly string[];
  /** The condition that waits. */
  readonly subscription?: Key;
}

/** Who asks what expressions say: told of those that gave a value, but not without a doubt. */
export interface Asking {
  readonly program: Program;
  noteDoubt(doubt: Doubt): void;
}

/** What an expression sees, and whose variables these are. */
type Seen = VariableScope & { readonly scope?: Key };

/** Evaluates a source. An unknown variable is an error unless the source is optional. */
export function resolve(asking: Asking, source: Source, names: Seen): Result<Json> {
  if ("literal" in source) return { ok: true, value: source.literal };
  if ("variable" in source) {
    const value = names.get(source.variable);
    if (value !== undefined) return { ok: true, value };
    return failure("variable-missing", `Expected a variable '${source.variable}', but there is none`);
  }
  return evaluate(asking, source, names);
}

export function evaluate(asking: Asking, expression: Expression, names: Seen): Result<Json> {
  const evaluation = askHost(asking, expression, names);
  if (evaluation.ok) return evaluation;
  const place = expression.position;
  const where = place === undefined ? "" : ` (line ${place.line}, column ${place.column})`;
  return failure(evaluation.code, `${evaluation.message} in '${expression.text}'${where}`);
}

function askHost(asking: Asking, expression: Expression, names: Seen): Evaluation {
  const evaluation = asking.program.host.evaluate(expression, names);
  if (evaluation.ok && evaluation.warnings !== undefined && evaluation.warnings.length > 0) {
    asking.noteDoubt({ scope: names.scope ?? 0, expression: expression.text, warnings: evaluation.warnings });
  }
  return evaluation;
}

/** A name that the definition fixes, or that is worked out now: then it must be a text, and not an empty one. */
export function resolveName(
  asking: Asking,
  name: { readonly what: string; readonly fixed: string; readonly from: Source | undefined },
  names: Seen,
): Result<string> {
  const { what, fixed, from } = name;
  if (from === undefined) return { ok: true, value: fixed };
  const result = resolve(asking, from, names);
  if (!result.ok) return result;
  if (typeof result.value === "string" && result.value !== "") return { ok: true, value: result.value };
  const found = JSON.stringify(result.value).slice(0, 100);
  return failure("name-invalid", `Expected ${what} ('${fixed}') to be a text, but it is ${found}`);
}

/** A condition must give true or false; anything else is an error, never "false". */
export function evaluateCondition(asking: Asking, expression: Expression, names: Seen): Result<boolean> {
  const result: Result<Json> & Pick<Extract<Evaluation, { readonly ok: true }>, "warnings"> = evaluate(
    asking,
    expression,
    names,
  );
  if (!result.ok) return result;
  if (typeof result.value === "boolean") return { ok: true, value: result.value };
  const why = result.warnings === undefined ? "" : `: ${result.warnings.join("; ")}`;
  return failure(
    "condition-type",
    `Expected '${expression.text}' to be true or false, but it is ${JSON.stringify(result.value)}${why}`,
  );
}

/** All targets of some mappings; stops at the first that fails. */
export function resolveMappings(
  asking: Asking,
  mappings: readonly Mapping[] | undefined,
  names: Seen,
): Result<JsonObject> {
  const values: { [name: string]: Json } = {};
  for (const mapping of mappings ?? []) {
    const result = resolve(asking, mapping.source, names);
    if (result.ok) values[mapping.target] = result.value;
    else if (!(mapping.optional && result.error.code === "variable-missing")) return result;
  }
  return { ok: true, value: values };
}

/** Where a written name belongs: the nearest scope that has or declares it, else the process. */
export function homeOf(state: State, name: string, from: Key): Key {
  let scope = from;
  while (scope !== 0 && readVariable(state, scope, name) === undefined) scope = scopeAround(state, scope);
  return scope;
}
