import { loadProgram, type Program } from "../load.ts";
import type {
  AdHocSubProcess,
  BoundaryEvent,
  CallActivity,
  CatchTrigger,
  ComplexGateway,
  Element,
  EndEvent,
  EventBasedGateway,
  ExclusiveGateway,
  Expression,
  Flow,
  InclusiveGateway,
  IntermediateCatchEvent,
  IntermediateThrowEvent,
  JobDefinition,
  Mapping,
  MessageDefinition,
  MultiInstance,
  ParallelGateway,
  ProgramDocument,
  ReceiveTask,
  RetryPolicy,
  ScriptTask,
  SendTask,
  ServiceTask,
  Source,
  StartEvent,
  SubProcess,
  TimerDefinition,
  UserTask,
  WaitTrigger,
} from "../program.ts";
import { testHost } from "./host.ts";

type Options<E> = Partial<Omit<E, "id" | "kind" | "parent">>;

export function expr(text: string): Expression {
  return { language: "cel", text };
}

export function literal(value: Extract<Source, { literal: unknown }>["literal"]): Source {
  return { literal: value };
}

export function variable(name: string): Source {
  return { variable: name };
}

/** `{ target: "expression" }` as mappings. */
export function map(entries: { readonly [target: string]: string }): Mapping[] {
  return Object.entries(entries).map(([target, text]) => ({ target, source: expr(text) }));
}

export function retry(attemptsMax = 1, exhausted: RetryPolicy["exhausted"] = "incident"): RetryPolicy {
  return { attemptsMax, backoff: { firstMs: 100, factor: 2, maxMs: 1_000 }, exhausted };
}

export function start(id = "start", trigger: StartEvent["trigger"] = { type: "none" }): StartEvent {
  return { id, kind: "start-event", parent: null, trigger };
}

export function end(id = "end", trigger: EndEvent["trigger"] = { type: "none" }): EndEvent {
  return { id, kind: "end-event", parent: null, trigger };
}

export function service(id: string, options: Options<ServiceTask> & { policy?: Partial<JobDefinition> } = {}): Element {
  const { policy, ...rest } = options;
  return { id, kind: "service-task", parent: null, job: { type: id, retry: retry(), ...policy }, ...rest };
}

export function script(
  id: string,
  assignments: { readonly [target: string]: string },
  options: Options<ScriptTask> = {},
): ScriptTask {
  return { id, kind: "script-task", parent: null, assignments: map(assignments), ...options };
}

export function user(id: string, options: Options<UserTask> = {}): UserTask {
  return { id, kind: "user-task", parent: null, ...options };
}

export function xor(id: string, defaultFlow?: string): ExclusiveGateway {
  return { id, kind: "exclusive-gateway", parent: null, ...(defaultFlow === undefined ? {} : { defaultFlow }) };
}

export function or(id: string, defaultFlow?: string): InclusiveGateway {
  return { id, kind: "inclusive-gateway", parent: null, ...(defaultFlow === undefined ? {} : { defaultFlow }) };
}

export function complex(id: string, activation: string, defaultFlow?: string): ComplexGateway {
  const fallback = defaultFlow === undefined ? {} : { defaultFlow };
  return { id, kind: "complex-gateway", parent: null, activation: expr(activation), ...fallback };
}

export function and(id: string): ParallelGateway {
  return { id, kind: "parallel-gateway", parent: null };
}

export function timer(kind: TimerDefinition["kind"], value: Source | string): TimerDefinition {
  return { kind, value: typeof value === "string" ? literal(value) : value };
}

export function wait(id: string, value: Source | string = "PT10S"): IntermediateCatchEvent {
  return catching(id, { type: "timer", timer: timer("duration", value) });
}

export function message(name: string, correlationKey?: string): MessageDefinition {
  return { name: literal(name), ...(correlationKey === undefined ? {} : { correlationKey: expr(correlationKey) }) };
}

export function onMessage(name: string, correlationKey?: string): WaitTrigger {
  return { type: "message", message: message(name, correlationKey) };
}

export function onSignal(name: string): WaitTrigger {
  return { type: "signal", signal: { name: literal(name) } };
}

export function onCondition(text: string, variables?: readonly string[]): WaitTrigger {
  return { type: "conditional", condition: expr(text), ...(variables === undefined ? {} : { variables }) };
}

/** A multiple event: triggered by any of these. */
export function anyOf<T extends CatchTrigger>(
  ...triggers: readonly T[]
): { readonly type: "multiple"; readonly parallel: boolean; readonly triggers: readonly T[] } {
  return { type: "multiple", parallel: false, triggers };
}

/** A parallel multiple event: triggered once all of these were. */
export function allOf(...triggers: readonly WaitTrigger[]): ReturnType<typeof anyOf<WaitTrigger>> {
  return { ...anyOf(...triggers), parallel: true };
}

export function eventGateway(id: string, instantiate?: EventBasedGateway["instantiate"]): EventBasedGateway {
  return { id, kind: "event-based-gateway", parent: null, ...(instantiate === undefined ? {} : { instantiate }) };
}

export function catching(
  id: string,
  trigger: IntermediateCatchEvent["trigger"],
  options: Options<IntermediateCatchEvent> = {},
): IntermediateCatchEvent {
  return { id, kind: "intermediate-catch-event", parent: null, trigger, ...options };
}

export function receive(id: string, name: string, options: Options<ReceiveTask> = {}): ReceiveTask {
  return { id, kind: "receive-task", parent: null, message: message(name), ...options };
}

export function sendTask(id: string, options: Options<SendTask>): SendTask {
  return { id, kind: "send-task", parent: null, ...options };
}

export function raise(
  id: string,
  trigger: IntermediateThrowEvent["trigger"] = { type: "none" },
): IntermediateThrowEvent {
  return { id, kind: "intermediate-throw-event", parent: null, trigger };
}

export function undo(id: string, activity?: string): IntermediateThrowEvent {
  return raise(id, { type: "compensation", ...(activity === undefined ? {} : { activity }) });
}

export function call(id: string, options: Options<CallActivity> = {}): CallActivity {
  return { id, kind: "call-activity", parent: null, process: id, binding: "deployment", ...options };
}

export function onTimer(
  id: string,
  attachedTo: string,
  options: Options<BoundaryEvent> & { timer: TimerDefinition },
): BoundaryEvent {
  const { timer: definition, ...rest } = options;
  return boundary(id, attachedTo, { trigger: { type: "timer", timer: definition }, ...rest });
}

export function onError(
  id: string,
  attachedTo: string,
  rest: Options<BoundaryEvent> & { readonly code?: string } = {},
): BoundaryEvent {
  const { code, ...options } = rest;
  return boundary(id, attachedTo, { trigger: { type: "error", ...(code === undefined ? {} : { code }) }, ...options });
}

export function boundary(
  id: string,
  attachedTo: string,
  rest: Options<BoundaryEvent> & Pick<BoundaryEvent, "trigger">,
): BoundaryEvent {
  return { id, kind: "boundary-event", parent: null, attachedTo, interrupting: true, ...rest };
}

/** A sub-process and its content; elements of the content that have no parent yet stand in it. */
export function sub(id: string, content: readonly Element[], options: Options<SubProcess> = {}): Element[] {
  const inside = content.map((element) => (element.parent === null ? { ...element, parent: id } : element));
  return [{ id, kind: "sub-process", parent: null, ...options }, ...inside];
}

/** An ad-hoc sub-process; what has no parent yet stands in it. */
export function adHoc(id: string, content: readonly Element[], options: Options<AdHocSubProcess> = {}): Element[] {
  const inside = content.map((element) => (element.parent === null ? { ...element, parent: id } : element));
  return [
    { id, kind: "ad-hoc-sub-process", parent: null, ordering: "parallel", cancelRemaining: false, ...options },
    ...inside,
  ];
}

export function loop(mode: MultiInstance["mode"], options: Partial<MultiInstance> = {}): MultiInstance {
  return { mode, collection: variable("items"), item: "item", ...options };
}

/** An event sub-process: its start event, and what follows in a row. */
export function handling(
  id: string,
  first: Pick<StartEvent, "trigger" | "interrupting" | "outputs">,
  content: readonly Element[],
): Element[] {
  const begin: StartEvent = { id: `${id}-start`, kind: "start-event", parent: null, ...first };
  return sub(id, [begin, ...content], { triggeredByEvent: true });
}

/** `"a>b>c"` gives the flows `a>b` and `b>c`; `"a>b: x > 1"` has a condition. */
export function flows(...lines: readonly string[]): Flow[] {
  const made: Flow[] = [];
  for (const line of lines) {
    const [path = "", condition] = line.split(": ");
    const ids = path.split(">");
    for (const [index, from] of ids.slice(0, -1).entries()) {
      const to = ids[index + 1] ?? "";
      const flow = { id: `${from}>${to}`, from, to };
      made.push(condition === undefined ? flow : { ...flow, condition: expr(condition) });
    }
  }
  return made;
}

export function document(
  elements: readonly (Element | readonly Element[])[],
  lines: readonly string[],
  options: Partial<ProgramDocument> = {},
): ProgramDocument {
  return {
    format: 1,
    id: "test",
    version: "1",
    name: "Test",
    hash: "test-hash",
    variables: [],
    outputs: [],
    elements: elements.flat() as Element[],
    flows: flows(...lines),
    onError: "fail",
    ...options,
  };
}

export function program(
  elements: readonly (Element | readonly Element[])[],
  lines: readonly string[],
  options: Partial<ProgramDocument> = {},
): Program {
  return loadProgram(document(elements, lines, options), testHost);
}

/** start → the given elements one after the other → end. */
export function line(...elements: readonly Element[]): Program {
  return program([start(), ...elements, end()], [["start", ...elements.map(({ id }) => id), "end"].join(">")]);
}
