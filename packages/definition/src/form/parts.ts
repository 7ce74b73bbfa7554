import type {
  Expression,
  FailurePolicy,
  Json,
  Mapping,
  MultiInstance,
  RetryPolicy,
  Source,
  SourcePosition,
  TimerDefinition,
  VariableDeclaration,
} from "@tutti/kernel";
import type { Draft } from "../draft.ts";
import type { Path } from "../problem.ts";
import type { NativeForEach, NativeMapping, NativeRetry, NativeTimer, NativeVariable } from "../schema/native-part.ts";
import { durationMs, formatDuration, parseDuration } from "../timer/duration.ts";
import { isExpressionText, toCondition, toSource } from "../value.ts";

export function compileVariables(
  draft: Draft,
  variables: Record<string, NativeVariable> | undefined,
  path: Path,
): VariableDeclaration[] {
  return Object.entries(variables ?? {}).map(([name, given]) => {
    const options = typeof given === "string" ? { type: given } : given;
    const type = options.type ?? "any";
    const initial = options.initial as Json | undefined;
    if (initial !== undefined && initial !== null && !fits(type, initial)) {
      const message = `Expected an initial value of type ${type} for ${name}, but found ${JSON.stringify(initial).slice(0, 80)}`;
      draft.problems.error("variable-type", message, draft.place([...path, name, "initial"]));
    }
    return {
      name,
      type,
      ...(options.required === true && { required: true }),
      ...(initial !== undefined && { initial }),
    };
  });
}

function fits(type: string, value: Json): boolean {
  if (type === "any") return true;
  if (type === "integer") return Number.isSafeInteger(value);
  if (type === "list") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && !Array.isArray(value);
  return typeof value === type;
}

const targetPattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** `{ target: value }` or a list of names; a trailing "?" makes an entry optional. Undefined stays undefined. */
export function compileMapping(draft: Draft, mapping: NativeMapping | undefined, path: Path): Mapping[] | undefined {
  if (mapping === undefined) return undefined;
  const list = Array.isArray(mapping);
  const entries: [string, Json, SourcePosition][] = list
    ? mapping.map((name, index) => [name, `= ${name.replace(/\?$/, "")}`, draft.place([...path, index])])
    : Object.entries(mapping).map(([key, value]) => [key, value as Json, draft.place([...path, key])]);
  const result: Mapping[] = [];
  for (const [key, value, position] of entries) {
    const optional = key.endsWith("?");
    const target = optional ? key.slice(0, -1) : key;
    if (!targetPattern.test(target)) {
      const message = `Expected a variable name of letters, digits and _, but found ${JSON.stringify(key.slice(0, 80))}`;
      draft.problems.error("schema-invalid", message, list ? position : draft.place([...path, key], "key"));
      continue;
    }
    result.push({ target, source: toSource(value, position), ...(optional && { optional: true }) });
  }
  return result;
}

/** Milliseconds of a duration without calendar units; reports and gives undefined when it is none. */
export function compileDurationMs(draft: Draft, text: string, path: Path): number | undefined {
  const ms = durationMs(text);
  if (ms === undefined || ms <= 0) {
    const message = `Expected a duration such as "15m" or "PT15M", but found ${JSON.stringify(text.slice(0, 80))}`;
    draft.problems.error("duration-invalid", message, draft.place(path));
    return undefined;
  }
  return ms;
}

export const defaultRetry: RetryPolicy = {
  attemptsMax: 3,
  backoff: { firstMs: 1_000, factor: 2, maxMs: 60_000 },
  exhausted: "incident",
};

export function compileRetry(draft: Draft, retry: number | NativeRetry | undefined, path: Path): RetryPolicy {
  if (retry === undefined) return defaultRetry;
  if (typeof retry === "number") return { ...defaultRetry, attemptsMax: retry };
  const backoff = retry.backoff;
  return {
    attemptsMax: retry.attempts ?? defaultRetry.attemptsMax,
    backoff: typeof backoff === "object" ? compileBackoff(draft, backoff, [...path, "backoff"]) : namedBackoff(backoff),
    exhausted: retry.exhausted ?? defaultRetry.exhausted,
  };
}

/** Linear growth is not in the kernel's formula: it is taken as fixed at the first delay. */
export function namedBackoff(name: "exponential" | "linear" | "fixed" | undefined): RetryPolicy["backoff"] {
  return name === "fixed" || name === "linear" ? { ...defaultRetry.backoff, factor: 1 } : defaultRetry.backoff;
}

function compileBackoff(
  draft: Draft,
  backoff: { first?: string | undefined; factor?: number | undefined; max?: string | undefined },
  path: Path,
): RetryPolicy["backoff"] {
  const read = (key: "first" | "max", fallback: number) => {
    const text = backoff[key];
    return text === undefined ? fallback : (compileDurationMs(draft, text, [...path, key]) ?? fallback);
  };
  const firstMs = read("first", defaultRetry.backoff.firstMs);
  const maxMs = read("max", Math.max(firstMs, defaultRetry.backoff.maxMs));
  return { firstMs, factor: backoff.factor ?? defaultRetry.backoff.factor, maxMs };
}

/** A timer in any way of writing it; texts that are no expression are normalised to ISO 8601. */
export function compileTimer(draft: Draft, timer: string | NativeTimer, path: Path): TimerDefinition | undefined {
  if (typeof timer === "string") return textTimer(draft, timer, path);
  const given = (["after", "at", "every", "cron"] as const).filter((key) => timer[key] !== undefined);
  const [key] = given;
  if (key === undefined || given.length > 1) {
    const found = given.length === 0 ? "found none" : `found ${given.join(" and ")}`;
    draft.problems.error(
      "timer-invalid",
      `Expected exactly one of after, at, every, cron, but ${found}`,
      draft.place(path),
    );
    return undefined;
  }
  const zone = timer.timeZone === undefined ? {} : { timeZone: timer.timeZone };
  const at = [...path, key];
  const kind = ({ after: "duration", at: "date", every: "cycle", cron: "cron" } as const)[key];
  const source = timerSource(draft, { kind, value: timer[key] as Json, times: timer.times }, at);
  return source === undefined ? undefined : { kind, value: source, ...zone };
}

function textTimer(draft: Draft, text: string, path: Path): TimerDefinition | undefined {
  if (isExpressionText(text)) return { kind: "duration", value: toSource(text, draft.place(path)) };
  const kind = /^R\d*\//.test(text)
    ? "cycle"
    : /^\d{4}-\d\d-\d\dT/.test(text)
      ? "date"
      : /^\S+(?:\s+\S+){4,5}$/.test(text)
        ? "cron"
        : "duration";
  const source = timerSource(draft, { kind, value: text, times: undefined }, path);
  return source === undefined ? undefined : { kind, value: source };
}

function timerSource(
  draft: Draft,
  given: { readonly kind: TimerDefinition["kind"]; readonly value: Json; readonly times: number | undefined },
  path: Path,
): Source | undefined {
  const { kind, value, times } = given;
  const position = draft.place(path);
  if (isExpressionText(value)) return toSource(value, position);
  if (kind === "duration" || kind === "cycle") {
    const text = normalised(kind, String(value), times);
    if (text !== undefined) return { literal: text };
    const wanted = kind === "duration" ? 'a duration such as "15m"' : 'a duration or a repetition such as "R3/PT10S"';
    draft.problems.error(
      "duration-invalid",
      `Expected ${wanted}, but found ${JSON.stringify(value).slice(0, 80)}`,
      position,
    );
    return undefined;
  }
  if (typeof value === "string") return { literal: value };
  draft.problems.error("timer-invalid", `Expected a text, but found ${JSON.stringify(value).slice(0, 80)}`, position);
  return undefined;
}

function normalised(kind: "duration" | "cycle", text: string, times: number | undefined): string | undefined {
  const duration = parseDuration(text);
  if (duration !== undefined) {
    const iso = formatDuration(duration);
    return kind === "duration" ? iso : `R${times ?? ""}/${iso}`;
  }
  return kind === "cycle" && /^R\d*\//.test(text) && times === undefined ? text : undefined;
}

const failurePolicies: readonly string[] = ["fail", "continue", "skip-dependents"];

export function compileForEach(draft: Draft, loop: NativeForEach, path: Path): MultiInstance {
  const source = (key: keyof NativeForEach): Source | undefined => {
    const value = loop[key] as Json | undefined;
    return value === undefined ? undefined : toSource(value, draft.place([...path, key]));
  };
  const condition = (key: "completion" | "accept"): Expression | undefined => {
    const text = loop[key];
    return text === undefined ? undefined : toCondition(text, draft.place([...path, key]));
  };
  const graph = loop.key !== undefined || loop.dependsOn !== undefined || loop.locks !== undefined;
  const policy = loop.onFailure;
  const fixedPolicy = policy !== undefined && failurePolicies.includes(policy);
  if (policy !== undefined && !fixedPolicy && !isExpressionText(policy)) {
    const message = `Expected fail, continue, skip-dependents or an expression, but found ${JSON.stringify(String(policy).slice(0, 80))}`;
    draft.problems.error("loop-invalid", message, draft.place([...path, "onFailure"]));
  }
  const fixedAttempts = typeof loop.attempts === "number" ? loop.attempts : undefined;
  const fields = defined({
    key: source("key"),
    dependsOn: source("dependsOn"),
    locks: source("locks"),
    queue: source("queue"),
    priority: source("priority"),
    onFailure: policy !== undefined && !fixedPolicy ? source("onFailure") : undefined,
    attempts: fixedAttempts === undefined ? source("attempts") : undefined,
  });
  return {
    mode: loop.mode ?? (graph ? "graph" : "parallel"),
    collection: source("collection") ?? { literal: [] },
    item: loop.item ?? "item",
    ...(Object.keys(fields).length > 0 && { fields }),
    ...defined({
      maxParallel: source("maxParallel"),
      onFailure: fixedPolicy ? (policy as FailurePolicy) : undefined,
      edgePolicy: loop.edgePolicy,
      attempts: fixedAttempts,
      completion: condition("completion"),
      accept: condition("accept"),
      output: compileLoopOutput(draft, loop.output, [...path, "output"]),
    }),
  };
}

/** One entry: the variable that collects, and what is collected. */
export function compileLoopOutput(
  draft: Draft,
  output: Record<string, unknown> | undefined,
  path: Path,
): MultiInstance["output"] | undefined {
  if (output === undefined) return undefined;
  const mapping = compileMapping(draft, output as NativeMapping, path)?.[0];
  if (Object.keys(output).length === 1 && mapping !== undefined)
    return { target: mapping.target, source: mapping.source };
  const message = `Expected one entry, but output has ${Object.keys(output).length}`;
  draft.problems.error("loop-invalid", message, draft.place(path, "key"));
  return undefined;
}

/** Without the entries that are undefined: documents are plain JSON. */
export function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
