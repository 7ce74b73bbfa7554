import { hashProgram } from "@tutti/definition";
import type {
  Element,
  ElementKind,
  Flow,
  JobDefinition,
  Json,
  ProgramDocument,
  SubProcess,
  UserTask,
  VariableDeclaration,
} from "@tutti/kernel";

/** An element without its id; `in` names the sub-process it stands in. */
export type Part = { readonly kind: ElementKind; readonly in?: string } & { readonly [key: string]: unknown };

export interface Sketch {
  readonly id: string;
  /** By id. What is not named here and occurs in a flow is a service task `work`, but for `start` and `end`. */
  readonly parts?: { readonly [id: string]: Part };
  /** `a>b`, or `a>b?condition`; separated by blanks. `a>b:id` gives the flow an id. */
  readonly flows: string;
  readonly variables?: { readonly [name: string]: Json };
  readonly outputs?: readonly string[];
}

const job: JobDefinition = {
  type: "work",
  retry: { attemptsMax: 1, backoff: { firstMs: 0, factor: 1, maxMs: 0 }, exhausted: "error" },
};

/** A process as it would be drawn on a napkin: flows between names, and what is special about some of them. */
export function sketch({ id, parts = {}, flows, variables = {}, outputs = [] }: Sketch): ProgramDocument {
  const arrows = flows.split(/\s+/).filter((text) => text !== "");
  const ends = arrows.flatMap((text) => (/^([\w.]+)>([\w.]+)/.exec(text) ?? []).slice(1));
  const names = [...new Set([...ends, ...Object.keys(parts)])];
  const program: Omit<ProgramDocument, "hash"> = {
    format: 1,
    id,
    version: "1",
    name: id,
    variables: Object.entries(variables).map(
      ([name, initial]): VariableDeclaration => ({ name, type: "any", initial }),
    ),
    outputs,
    elements: names.map((name) => element(name, parts[name])),
    flows: arrows.map(flow),
    onError: "fail",
  };
  return { ...program, hash: hashProgram(program as ProgramDocument) };
}

function flow(text: string): Flow {
  const [, from = "", to = "", id = `${from}.${to}`, condition] =
    /^([\w.]+)>([\w.]+)(?::(\w+))?(?:\?(.+))?$/.exec(text) ?? [];
  return { id, from, to, ...(condition === undefined ? {} : { condition: { language: "cel", text: condition } }) };
}

function element(id: string, part: Part | undefined): Element {
  const { in: parent = null, ...rest } = part ?? plainPart(id);
  return { id, parent, ...rest } as unknown as Element;
}

function plainPart(id: string): Part {
  if (/^start/.test(id)) return { kind: "start-event", trigger: { type: "none" } };
  if (/^end/.test(id)) return { kind: "end-event", trigger: { type: "none" } };
  return work();
}

export function work(more: object = {}): Part {
  return { kind: "service-task", job, ...more };
}

export function task(more: Partial<UserTask> = {}): Part {
  return { ...more, kind: "user-task" };
}

export function sub(more: Partial<SubProcess> = {}): Part {
  return { ...more, kind: "sub-process" };
}

/** A start event of a sub-process. */
export function startIn(parent: string, more: object = {}): Part {
  return { kind: "start-event", in: parent, trigger: { type: "none" }, ...more };
}

export const parallel: Part = { kind: "parallel-gateway" };
export const exclusive: Part = { kind: "exclusive-gateway" };
export const inclusive: Part = { kind: "inclusive-gateway" };
export const terminate: Part = { kind: "end-event", trigger: { type: "terminate" } };

export function cel(text: string): { readonly language: "cel"; readonly text: string } {
  return { language: "cel", text };
}

/** Goes on as soon as `count` of its incoming flows have a token, and then waits for the others. */
export function discriminator(count: number): Part {
  return { kind: "complex-gateway", activation: cel(`arrived >= ${count}`) };
}

/** Once per entry of the variable, at the same time unless said otherwise. */
export function each(variable: string, more: object = {}): object {
  return { loop: { mode: "parallel", collection: { variable }, item: "item", ...more } };
}

export function timer(duration: string): { readonly type: "timer"; readonly timer: object } {
  return { type: "timer", timer: { kind: "duration", value: { literal: duration } } };
}

export function message(name: string): { readonly type: "message"; readonly message: object } {
  return { type: "message", message: { name: { literal: name } } };
}

export function boundary(attachedTo: string, trigger: object, interrupting = true): Part {
  return { kind: "boundary-event", attachedTo, trigger, interrupting };
}

export function catching(trigger: object): Part {
  return { kind: "intermediate-catch-event", trigger };
}

export function signal(name: string): { readonly type: "signal"; readonly signal: object } {
  return { type: "signal", signal: { name: { literal: name } } };
}
