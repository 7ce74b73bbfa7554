import type { ElementId, EndEvent, JobDefinition, Json, JsonObject, UserTask } from "@tutti/kernel";
import type { Draft } from "../draft.ts";
import type { Path } from "../problem.ts";
import { type NativeMapping, type NativeStep, type StepKind, stepKinds } from "../schema/native.ts";
import { toSource } from "../value.ts";
import {
  compileDurationMs,
  compileForEach,
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

const activityKeys = ["then", "in", "out", "forEach", "on", "undo"] as const;
const allowed: { readonly [K in StepKind]: readonly (keyof NativeStep)[] } = {
  job: [...activityKeys, "queue", "priority", "retry", "timeout", "headers"],
  script: ["then", "in", "forEach", "on", "undo"],
  user: activityKeys,
  call: [...activityKeys, "binding"],
  steps: [...activityKeys, "variables", "start"],
  choose: [],
  fork: [],
  join: ["then"],
  wait: ["then"],
  pass: ["then"],
  compensate: ["then"],
  end: [],
  throw: [],
};

export function isActivity(kind: StepKind): boolean {
  return kind === "job" || kind === "script" || kind === "user" || kind === "call" || kind === "steps";
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
  switch (kind) {
    case "choose":
      return draft.add({ ...base, kind: "exclusive-gateway" });
    case "fork":
    case "join":
      return draft.add({ ...base, kind: "parallel-gateway" });
    case "pass":
      return draft.add({ ...base, kind: "intermediate-throw-event", trigger: { type: "none" } });
    case "compensate":
      return draft.add({ ...base, kind: "intermediate-throw-event", trigger: compensation(step.compensate) });
    case "wait": {
      const timer = compileTimer(draft, step.wait ?? "", [...path, "wait"]);
      if (timer !== undefined)
        draft.add({ ...base, kind: "intermediate-catch-event", trigger: { type: "timer", timer } });
      return;
    }
    case "end":
    case "throw":
      return draft.add({ ...base, kind: "end-event", trigger: endTrigger(draft, step, path) });
    default:
      return draft.add({ ...base, ...activity(site, step), ...body(site, step, kind) });
  }
}

function compensation(target: true | string | undefined): { type: "compensation"; activity?: ElementId } {
  return typeof target === "string" ? { type: "compensation", activity: target } : { type: "compensation" };
}

function endTrigger(draft: Draft, step: NativeStep, path: Path): EndEvent["trigger"] {
  if (step.end !== undefined)
    return { type: step.end === true ? "none" : step.end === "terminate" ? "terminate" : "compensation" };
  const thrown = step.throw;
  if (typeof thrown !== "object") return { type: "error", code: thrown ?? "" };
  const message = thrown.message as Json | undefined;
  const source = message === undefined ? undefined : toSource(message, draft.place([...path, "throw", "message"]));
  return { type: "error", code: thrown.code, ...defined({ message: source }) };
}

function activity(site: Site, step: NativeStep) {
  const { draft, path, id } = site;
  const handler = typeof step.undo === "string" ? step.undo : step.undo === undefined ? undefined : `${id}.undo`;
  return defined({
    inputs: compileMapping(draft, step.in, [...path, "in"]),
    outputs: compileMapping(draft, step.out, [...path, "out"]),
    loop: step.forEach === undefined ? undefined : compileForEach(draft, step.forEach, [...path, "forEach"]),
    compensation: handler,
    forCompensation: site.forCompensation ? true : undefined,
  });
}

function body(site: Site, step: NativeStep, kind: StepKind) {
  const { draft, path } = site;
  switch (kind) {
    case "job":
      return { kind: "service-task" as const, job: job(site, step) };
    case "script": {
      const assignments = compileMapping(draft, step.script as NativeMapping, [...path, "script"]) ?? [];
      return { kind: "script-task" as const, assignments };
    }
    case "call":
      return {
        kind: "call-activity" as const,
        process: step.call ?? "",
        binding: step.binding ?? ("deployment" as const),
      };
    case "user":
      return { kind: "user-task" as const, ...userTask(site, step.user ?? "") };
    default: {
      const variables = compileVariables(draft, step.variables, [...path, "variables"]);
      return { kind: "sub-process" as const, ...(variables.length > 0 && { variables }) };
    }
  }
}

function job(site: Site, step: NativeStep): JobDefinition {
  const { draft, path } = site;
  const timeoutMs =
    step.timeout === undefined ? undefined : compileDurationMs(draft, step.timeout, [...path, "timeout"]);
  return {
    type: step.job ?? "",
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
  return defined({
    title: user.title === undefined ? undefined : toSource(user.title as Json, place("title")),
    assignee: user.assignee === undefined ? undefined : toSource(user.assignee as Json, place("assignee")),
    candidates: user.candidates,
    due: user.due === undefined ? undefined : compileTimer(draft, user.due, [...path, "user", "due"]),
    form: user.form as JsonObject | undefined,
  });
}
