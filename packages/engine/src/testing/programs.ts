import { hash } from "node:crypto";
import type {
  CallActivity,
  Element,
  Flow,
  Json,
  Mapping,
  MultiInstance,
  ProgramDocument,
  RetryPolicy,
  Source,
  VariableDeclaration,
} from "@tutti/kernel";

export const noRetry: RetryPolicy = {
  attemptsMax: 1,
  backoff: { firstMs: 1_000, factor: 2, maxMs: 60_000 },
  exhausted: "incident",
};

interface Shape {
  readonly id: string;
  readonly version?: string;
  readonly variables?: readonly VariableDeclaration[];
  readonly outputs?: readonly string[];
  readonly elements: readonly Element[];
  /** `from>to` or `from>to?condition`. */
  readonly flows: readonly string[];
  readonly onError?: "fail" | "compensate";
}

/** A process from its elements and arrows, named by its content. */
export function program(shape: Shape): ProgramDocument {
  const flows = shape.flows.map((text, index): Flow => {
    const [from = "", rest = ""] = text.split(">");
    const [to = "", condition] = rest.split("?");
    const id = `f${index + 1}`;
    return condition === undefined
      ? { id, from, to }
      : { id, from, to, condition: { language: "cel", text: condition } };
  });
  const body: Omit<ProgramDocument, "hash"> = {
    format: 1,
    id: shape.id,
    version: shape.version ?? "1.0.0",
    name: shape.id,
    variables: shape.variables ?? [],
    outputs: shape.outputs ?? [],
    elements: shape.elements,
    flows,
    onError: shape.onError ?? "fail",
  };
  return { ...body, hash: hash("sha256", JSON.stringify(body), "hex") };
}

interface Place {
  readonly parent?: string;
}

export function start(id = "start", { parent }: Place = {}): Element {
  return { kind: "start-event", id, parent: parent ?? null, trigger: { type: "none" } };
}

export function end(id = "end", { parent }: Place = {}): Element {
  return { kind: "end-event", id, parent: parent ?? null, trigger: { type: "none" } };
}

interface ServiceOptions extends Place {
  readonly type?: string;
  readonly retry?: Partial<RetryPolicy>;
  readonly timeoutMs?: number;
  readonly priority?: number;
  readonly queue?: "light" | "standard" | "heavy";
  readonly headers?: { readonly [name: string]: Json };
  readonly inputs?: readonly Mapping[];
  readonly outputs?: readonly Mapping[];
  readonly loop?: MultiInstance;
  /** What undoes it; and that it undoes something. */
  readonly compensation?: string;
  readonly forCompensation?: true;
}

export function service(id: string, options: ServiceOptions = {}): Element {
  const { parent, type = "work", retry, timeoutMs, priority, queue, headers, ...activity } = options;
  return {
    kind: "service-task",
    id,
    parent: parent ?? null,
    ...activity,
    job: {
      type,
      retry: { ...noRetry, ...retry },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(priority === undefined ? {} : { priority }),
      ...(queue === undefined ? {} : { queue }),
      ...(headers === undefined ? {} : { headers }),
    },
  };
}

export function call(
  id: string,
  process: string,
  options: Partial<Pick<CallActivity, "inputs" | "outputs" | "binding">> = {},
): Element {
  return { kind: "call-activity", id, parent: null, process, binding: "deployment", ...options };
}

export function wait(id: string, duration: string): Element {
  return {
    kind: "intermediate-catch-event",
    id,
    parent: null,
    trigger: { type: "timer", timer: { kind: "duration", value: { literal: duration } } },
  };
}

export function from(target: string, source: Source): Mapping {
  return { target, source };
}

/** start → `steps` service tasks one after the other → end. */
export function sequence(id: string, steps: number, options: ServiceOptions = {}): ProgramDocument {
  const tasks = Array.from({ length: steps }, (_, index) => service(`step${index + 1}`, options));
  const names = ["start", ...tasks.map((task) => task.id), "end"];
  return program({
    id,
    elements: [start(), ...tasks, end()],
    flows: names.slice(1).map((name, index) => `${names[index]}>${name}`),
  });
}

/** start → one service task for each item of the variable `items`, all at once unless `loop` says otherwise → end. */
export function branches(
  id: string,
  { loop, ...options }: Omit<ServiceOptions, "loop"> & { readonly loop?: Partial<MultiInstance> } = {},
): ProgramDocument {
  return program({
    id,
    variables: [{ name: "items", type: "list", required: true }],
    elements: [
      start(),
      service("branch", {
        ...options,
        loop: { mode: "parallel", collection: { variable: "items" }, item: "item", ...loop },
      }),
      end(),
    ],
    flows: ["start>branch", "branch>end"],
  });
}

/** Calls a process for each of its `items`, all at once. */
export function callingEach(id: string, process: string): ProgramDocument {
  const loop = { mode: "parallel", collection: { variable: "items" }, item: "item" } as const;
  return program({
    id,
    variables: [{ name: "items", type: "list", required: true }],
    elements: [start(), { ...call("each", process), loop } as Element, end()],
    flows: ["start>each", "each>end"],
  });
}
