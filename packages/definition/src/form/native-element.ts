import type {
  Activity,
  AdHocSubProcess,
  Element,
  ElementId,
  EndEvent,
  JobDefinition,
  Json,
  JsonObject,
  SlaRule,
  UserTask,
} from "@tutti/kernel";
import type { Draft } from "../draft.ts";
import type { Path } from "../problem.ts";
import {
  type NativeAdHoc,
  type NativeDecide,
  type NativeSla,
  type NativeStep,
  type StepKind,
  stepKinds,
} from "../schema/native.ts";
import type { NativeEmit } from "../schema/native-event.ts";
import type { NativeForEach, NativeMapping } from "../schema/native-part.ts";
import { cel, celText, nameOf, toCondition, toSource } from "../value.ts";
import { codeOf, compileEmit, compileItemEvents, compileMessage, compileWait } from "./native-event.ts";
import {
  compileDurationMs,
  compileForEach,
  compileLoopOutput,
  compileMapping,
  compileRetry,
  compileTimer,
  compileVariables,
  defined,
} from "./parts.ts";

/** Where a step is to stand. */
export interface Site {
  readonly draft: Draft;
  readonly parent: ElementId | null;
  readonly id: ElementId;
  readonly path: Path;
  readonly forCompensation: boolean;
}

const jobKeys = ["queue", "priority", "retry", "timeout", "headers"] as const;
const activityKeys = [
  ...(["then", "routes", "in", "out", "forEach", "repeat", "on", "undo"] as const),
  ...(["startQuantity", "completionQuantity"] as const),
];
const allowed: { readonly [K in StepKind]: readonly (keyof NativeStep)[] } = {
  job: [...activityKeys, ...jobKeys],
  script: activityKeys.filter((key) => key !== "out"),
  user: activityKeys,
  manual: activityKeys,
  decide: [...activityKeys, ...jobKeys],
  receive: [...activityKeys, "instantiate"],
  send: [...activityKeys, ...jobKeys],
  call: [...activityKeys, "binding"],
  steps: [...activityKeys, ...jobKeys, "variables", "start", "transaction", "adhoc", "upon", "interrupting"],
  choose: [],
  some: [],
  fork: [],
  race: ["instantiate"],
  join: ["then", "routes"],
  wait: ["then", "out"],
  pass: ["then"],
  emit: ["then", ...jobKeys],
  goto: [],
  label: ["then"],
  compensate: ["then"],
  end: jobKeys,
  throw: [],
};

const activities: ReadonlySet<StepKind> = new Set([
  "job",
  "script",
  "user",
  "manual",
  "decide",
  "receive",
  "send",
  "call",
  "steps",
] as const);

export function isActivity(kind: StepKind): boolean {
  return activities.has(kind);
}

/** The one key that says what a step does; reports when there is none or more than one. */
export function kindOf(draft: Draft | undefined, step: NativeStep, path: Path): StepKind | undefined {
  const found = stepKinds.filter((kind) => step[kind] !== undefined);
  if (found.length === 1) return found[0];
  const what = found.length === 0 ? "none" : found.join(" and ");
  draft?.problems.error(
    "schema-invalid",
    `Expected exactly one of ${stepKinds.join(", ")} in ${path.at(-1)}, but found ${what}`,
    draft.place(path, "key"),
  );
  return undefined;
}

export function refuseStrayKeys(
  draft: Draft,
  step: NativeStep,
  at: { readonly kind: StepKind; readonly path: Path },
): void {
  const { kind, path } = at;
  for (const key of Object.keys(step) as (keyof NativeStep)[]) {
    if (step[key] === undefined || key === kind || key === "name" || key === "doc" || key === "extension") continue;
    if (allowed[kind].includes(key)) continue;
    draft.problems.error(
      "schema-invalid",
      `Expected no ${key} beside ${kind}, but found one`,
      draft.place([...path, key], "key"),
    );
  }
}

/** Adds the element of a step. Flows, boundary events and what is inside a sub-process come afterwards. */
export function compileElement(site: Site, step: NativeStep, kind: StepKind): void {
  const { draft, parent, id, path } = site;
  const base = {
    id,
    parent,
    position: draft.place(path, "key"),
    ...defined({ name: step.name, documentation: step.doc, extension: step.extension as JsonObject | undefined }),
  };
  const element = activities.has(kind)
    ? { ...base, ...activity(site, step), ...body(site, step, kind) }
    : { ...base, ...gateway(site, step, kind), ...eventOf(site, step, kind) };
  if ("kind" in element) draft.add(element as Element);
}

function gateway(site: Site, step: NativeStep, kind: StepKind) {
  const { draft, path } = site;
  const { join } = step;
  if (kind === "choose") return { kind: "exclusive-gateway" as const };
  if (kind === "some" || join === "some") return { kind: "inclusive-gateway" as const };
  if (kind === "race") {
    const instantiate = step.instantiate === true ? "exclusive" : step.instantiate;
    return { kind: "event-based-gateway" as const, ...defined({ instantiate }) };
  }
  if (kind !== "fork" && kind !== "join") return {};
  if (typeof join !== "object") return { kind: "parallel-gateway" as const };
  return {
    kind: "complex-gateway" as const,
    activation: toCondition(join.when, draft.place([...path, "join", "when"])),
  };
}

/** The event of a step; nothing when its trigger could not be compiled, and that was reported. */
function eventOf(site: Site, step: NativeStep, kind: StepKind) {
  const { draft, path } = site;
  const outputs = defined({ outputs: compileMapping(draft, step.out, [...path, "out"]) });
  switch (kind) {
    case "wait": {
      const trigger = compileWait(draft, step.wait ?? "", [...path, "wait"]);
      return trigger === undefined ? {} : { kind: "intermediate-catch-event" as const, trigger, ...outputs };
    }
    case "label":
      return { kind: "intermediate-catch-event" as const, trigger: { type: "link", name: step.label ?? "" } };
    case "goto":
      return { kind: "intermediate-throw-event" as const, trigger: { type: "link", name: step.goto ?? "" } };
    case "pass":
      return { kind: "intermediate-throw-event" as const, trigger: { type: "none" } };
    case "compensate":
      return { kind: "intermediate-throw-event" as const, trigger: compensation(step.compensate) };
    case "emit": {
      const trigger = emitted(site, step, step.emit ?? []);
      return trigger === undefined ? {} : { kind: "intermediate-throw-event" as const, trigger };
    }
    case "end":
    case "throw": {
      const trigger = endTrigger(site, step);
      return trigger === undefined ? {} : { kind: "end-event" as const, trigger };
    }
    default:
      return {};
  }
}

/** What is thrown without ending the path cannot be an error. */
function emitted(site: Site, step: NativeStep, emit: NativeEmit): EndEvent["trigger"] | undefined {
  const { draft, path } = site;
  const key = step.emit === undefined ? "end" : "emit";
  const trigger = compileEmit(draft, emit, { path: [...path, key], job: (type) => job(site, step, type) });
  const triggers = trigger?.type === "multiple" ? trigger.triggers : [trigger];
  if (key === "end" || !triggers.some((each) => each?.type === "error")) return trigger;
  draft.problems.error(
    "schema-invalid",
    "Expected end: { error } where the path ends, but emit goes on",
    draft.place([...path, key]),
  );
  return undefined;
}

function compensation(target: true | string | undefined): { type: "compensation"; activity?: ElementId } {
  return typeof target === "string" ? { type: "compensation", activity: target } : { type: "compensation" };
}

function endTrigger(site: Site, step: NativeStep): EndEvent["trigger"] | undefined {
  const { draft, path } = site;
  const { end, throw: thrown } = step;
  if (typeof end === "object") return emitted(site, step, end);
  if (end !== undefined) return { type: end === true ? "none" : end === "compensate" ? "compensation" : end };
  const at = [...path, "throw"];
  if (typeof thrown !== "object") return { type: "error", ...codeOf(draft, thrown ?? "", at) };
  const message = thrown.message as Json | undefined;
  const source = message === undefined ? undefined : toSource(message, draft.place([...at, "message"]));
  return { type: "error", ...codeOf(draft, thrown.code, [...at, "code"]), ...defined({ message: source }) };
}

function activity(site: Site, step: NativeStep) {
  const { draft, path, id } = site;
  const handler = typeof step.undo === "string" ? step.undo : step.undo === undefined ? undefined : `${id}.undo`;
  return defined({
    inputs: compileMapping(draft, step.in, [...path, "in"]),
    // What an event brought goes out at the start of its sub-process.
    outputs: step.upon === undefined ? compileMapping(draft, step.out, [...path, "out"]) : undefined,
    loop: loopOf(site, step),
    startQuantity: step.startQuantity,
    completionQuantity: step.completionQuantity,
    compensation: handler,
    forCompensation: site.forCompensation ? true : undefined,
  });
}

function collection(draft: Draft, forEach: NativeForEach, path: Path): Activity["loop"] {
  const loop = compileForEach(draft, forEach, path);
  return forEach.emit === undefined ? loop : { ...loop, ...compileItemEvents(draft, forEach.emit, [...path, "emit"]) };
}

function loopOf(site: Site, step: NativeStep): Activity["loop"] {
  const { draft, path } = site;
  const { forEach, repeat } = step;
  if (forEach !== undefined && repeat !== undefined) {
    draft.problems.error(
      "loop-invalid",
      "Expected forEach or repeat, but found both",
      draft.place([...path, "repeat"], "key"),
    );
  }
  if (repeat === undefined) return forEach === undefined ? undefined : collection(draft, forEach, [...path, "forEach"]);
  return {
    mode: "standard",
    condition: toCondition(repeat.while, draft.place([...path, "repeat", "while"])),
    testBefore: repeat.check !== "after",
    ...defined({ maximum: repeat.max }),
  };
}

function body(site: Site, step: NativeStep, kind: StepKind) {
  const { draft, path } = site;
  switch (kind) {
    case "job":
      return { kind: "service-task" as const, job: job(site, step, step.job ?? "") };
    case "manual":
      return { kind: "manual-task" as const };
    case "decide":
      return { kind: "business-rule-task" as const, ...decision(site, step, step.decide ?? {}) };
    case "receive": {
      const given = typeof step.receive === "object" ? step.receive : { message: step.receive ?? "" };
      const instantiate = step.instantiate === undefined ? undefined : (true as const);
      const message = compileMessage(draft, given, [...path, "receive"]);
      return { kind: "receive-task" as const, message, ...defined({ instantiate }) };
    }
    case "send":
      return { kind: "send-task" as const, ...sending(site, step, step.send ?? "") };
    case "script": {
      const assignments = compileMapping(draft, step.script as NativeMapping, [...path, "script"]) ?? [];
      return { kind: "script-task" as const, assignments };
    }
    case "call": {
      const { fixed: process, from: processFrom } = nameOf(toSource(step.call ?? "", draft.place([...path, "call"])));
      const binding = step.binding ?? ("deployment" as const);
      return { kind: "call-activity" as const, process, ...defined({ processFrom }), binding };
    }
    case "user":
      return { kind: "user-task" as const, ...userTask(site, step.user ?? "") };
    default: {
      const variables = compileVariables(draft, step.variables, [...path, "variables"]);
      if (step.adhoc !== undefined)
        return { ...adHoc(site, step, step.adhoc), ...(variables.length > 0 && { variables }) };
      return {
        kind: "sub-process" as const,
        ...(variables.length > 0 && { variables }),
        ...(step.transaction === true && { transaction: true }),
        ...(step.upon !== undefined && { triggeredByEvent: true }),
      };
    }
  }
}

function adHoc(site: Site, step: NativeStep, given: NativeAdHoc): Partial<AdHocSubProcess> {
  const { draft, path } = site;
  const at = [...path, "adhoc"];
  for (const key of ["transaction", "upon", "start"] as const) {
    if (step[key] === undefined) continue;
    draft.problems.error(
      "schema-invalid",
      `Expected no ${key} beside adhoc, but found one`,
      draft.place([...path, key], "key"),
    );
  }
  const { activate, completion } = given;
  return {
    kind: "ad-hoc-sub-process",
    ordering: given.ordering ?? "parallel",
    cancelRemaining: given.cancelRemaining ?? true,
    ...defined({
      activate: activate === undefined ? undefined : toSource(activate as Json, draft.place([...at, "activate"])),
      job: given.job === undefined ? undefined : job(site, step, given.job),
      completion: completion === undefined ? undefined : toCondition(completion, draft.place([...at, "completion"])),
      output: compileLoopOutput(draft, given.output, [...at, "output"]),
    }),
  };
}

/** With a job a worker sends, and a message is only what it is called. */
function sending(site: Site, step: NativeStep, send: NonNullable<NativeStep["send"]>) {
  const { draft, path } = site;
  const given = typeof send === "string" ? { message: send } : send;
  if (given.job !== undefined && given.message === undefined) return { job: job(site, step, given.job) };
  if (given.message === undefined)
    draft.problems.error(
      "schema-invalid",
      "Expected a message or a job, but found neither",
      draft.place([...path, "send"]),
    );
  const message = compileMessage(draft, given, [...path, "send"]);
  return given.job === undefined ? { message } : { message, job: job(site, step, given.job) };
}

function decision(site: Site, step: NativeStep, decide: NativeDecide) {
  const { draft, path } = site;
  const place = draft.place([...path, "decide"]);
  const whole = decide.result !== undefined && decide.value !== undefined;
  if (decide.job !== undefined && decide.result === undefined && decide.value === undefined)
    return { job: job(site, step, decide.job) };
  if (decide.job !== undefined || !whole)
    draft.problems.error("schema-invalid", "Expected { job } or { result, value }, but found another mix", place);
  const source = celText((decide.value ?? null) as Json) ?? JSON.stringify(decide.value ?? null);
  return {
    decision: { result: decide.result ?? "", expression: cel(source, draft.place([...path, "decide", "value"])) },
  };
}

function job(site: Site, step: NativeStep, type: string): JobDefinition {
  const { draft, path } = site;
  const timeoutMs =
    step.timeout === undefined ? undefined : compileDurationMs(draft, step.timeout, [...path, "timeout"]);
  const { fixed, from } = nameOf(toSource(type, draft.place([...path, kindOf(undefined, step, path) ?? "job"])));
  return {
    type: fixed,
    ...defined({ typeFrom: from }),
    retry: compileRetry(draft, step.retry, [...path, "retry"]),
    ...defined({
      queue: step.queue,
      priority: step.priority,
      timeoutMs,
      headers: step.headers as JsonObject | undefined,
    }),
  };
}

function userTask(site: Site, user: NonNullable<NativeStep["user"]>): Partial<UserTask> {
  const { draft, path } = site;
  const place = (key: string) => draft.place([...path, "user", key]);
  if (typeof user === "string") return { title: toSource(user, draft.place([...path, "user"])) };
  const timer = (key: "due" | "followUp") =>
    user[key] === undefined ? undefined : compileTimer(draft, user[key], [...path, "user", key]);
  const source = (key: "title" | "assignee" | "priority") =>
    user[key] === undefined ? undefined : toSource(user[key] as Json, place(key));
  return defined({
    title: source("title"),
    assignee: source("assignee"),
    ...candidatesOf(site, user.candidates),
    due: timer("due"),
    followUp: timer("followUp"),
    priority: source("priority"),
    sla: user.sla?.flatMap((rule, index) => slaRule(draft, rule, [...path, "user", "sla", index]) ?? []),
    late: user.late,
    form: user.form as JsonObject | undefined,
  });
}

function candidatesOf({ draft, path }: Site, given: string | string[] | undefined) {
  if (given === undefined) return {};
  const at = [...path, "user", "candidates"];
  const list = typeof given === "string" ? [given] : given;
  const names = list.map((text, index) =>
    nameOf(toSource(text, draft.place(typeof given === "string" ? at : [...at, index]))),
  );
  const candidates = names.flatMap(({ fixed, from }) => (from === undefined ? fixed : []));
  const candidatesFrom = names.flatMap(({ from }) => from ?? []);
  return defined({
    candidates: candidates.length === 0 && candidatesFrom.length > 0 ? undefined : candidates,
    candidatesFrom: candidatesFrom.length === 0 ? undefined : candidatesFrom,
  });
}

function slaRule(draft: Draft, rule: NativeSla, path: Path): SlaRule | undefined {
  const after = compileTimer(draft, rule.after, [...path, "after"]);
  const { notify, reassign, escalate, message } = rule;
  const actions = [
    ...(notify === undefined
      ? []
      : [
          {
            type: "notify" as const,
            to: notify,
            ...defined({
              message: message === undefined ? undefined : toSource(message as Json, draft.place([...path, "message"])),
            }),
          },
        ]),
    ...(reassign === undefined ? [] : [{ type: "reassign" as const, to: reassign }]),
    ...(escalate === undefined ? [] : [{ type: "escalate" as const, code: escalate }]),
  ];
  const [action] = actions;
  if (action === undefined || actions.length > 1) {
    const what = action === undefined ? "none" : actions.map(({ type }) => type).join(" and ");
    draft.problems.error(
      "schema-invalid",
      `Expected exactly one of notify, reassign, escalate, but found ${what}`,
      draft.place(path),
    );
    return undefined;
  }
  return after === undefined
    ? undefined
    : { on: rule.on, after, action, ...(rule.repeat === true && { repeat: true }) };
}
