import type { BoundaryEvent, ElementId, JobDefinition, JsonObject, Mapping, TimerDefinition } from "@tutti/kernel";
import { type Draft, endOf } from "../draft.ts";
import type { FlowTask } from "../schema/flow.ts";
import { cel } from "../value.ts";
import { compileDurationMs, compileTimer, defaultRetry, defined, namedBackoff } from "./parts.ts";

/** What the tasks of one flow form share. */
export interface FlowForm {
  readonly draft: Draft;
  readonly tasks: ReadonlyMap<string, FlowTask>;
  /** Declared variables and everything some task writes. */
  readonly known: ReadonlySet<string>;
  /** Names that are read but neither declared nor written. */
  readonly undeclared: Set<string>;
  /** Compensation handler to the task it undoes. */
  readonly handlers: ReadonlyMap<string, ElementId>;
}

const defaultTimeoutMs = 5 * 60_000;
const defaultSlaHours = 24;

/** Adds the element of a task, and the handler that undoes it when that is no task of its own. */
export function addFlowTask(form: FlowForm, task: FlowTask, index: number): void {
  const { draft } = form;
  const path = ["workflow", "tasks", index] as const;
  const base = { id: task.id, parent: null, position: draft.place([...path, "id"]), ...defined({ name: task.name }) };
  const compensation = task.compensation === undefined ? {} : { compensation: task.compensation };
  const forCompensation = form.handlers.has(task.id) ? { forCompensation: true } : {};
  const activity = { ...base, ...compensation, ...forCompensation };
  switch (task.type) {
    case "service_task":
      draft.add({
        ...activity,
        kind: "service-task",
        job: job(form, task, index),
        inputs: inputs(form, task, index),
        outputs: outputs(task),
      });
      break;
    case "user_task":
      draft.add({
        ...activity,
        kind: "user-task",
        ...userTask(task),
        inputs: inputs(form, task, index),
        outputs: [...decision(task), ...outputs(task)],
      });
      break;
    case "script_task": {
      const target = task.output_variable ?? task.output?.[0];
      const source = cel(task.script ?? "", draft.place([...path, "script"]));
      if (task.script === undefined || target === undefined) {
        const missing = task.script === undefined ? "script" : "output_variable";
        draft.problems.error(
          "schema-invalid",
          `Expected ${missing} of the script task ${task.id}, but it is missing`,
          draft.place(path),
        );
      } else draft.add({ ...activity, kind: "script-task", assignments: [{ target, source }] });
      break;
    }
    case "call_activity":
      draft.add({
        ...activity,
        kind: "call-activity",
        process: task.workflow ?? task.id,
        binding: "deployment",
        inputs: inputs(form, task, index),
        outputs: outputs(task),
      });
      break;
    case "exclusive_gateway":
      draft.add({ ...base, kind: "exclusive-gateway" });
      break;
    case "parallel_gateway":
      draft.add({ ...base, kind: "parallel-gateway" });
      break;
    case "end_event": {
      const trigger =
        task.error === undefined ? { type: "none" as const } : { type: "error" as const, code: task.error };
      draft.add({ ...base, kind: "end-event", trigger });
      break;
    }
    default:
      addEvent(form, task, index);
  }
  if (task.compensation !== undefined) addHandler(form, task, index);
}

function addEvent(form: FlowForm, task: FlowTask, index: number): void {
  const { draft } = form;
  const path = ["workflow", "tasks", index] as const;
  const base = { id: task.id, parent: null, position: draft.place([...path, "id"]), ...defined({ name: task.name }) };
  if (task.type === "timer_event") {
    const timer = timerOf(draft, task, path);
    if (timer !== undefined)
      draft.add({ ...base, kind: "intermediate-catch-event", trigger: { type: "timer", timer } });
    return;
  }
  const trigger = boundaryTrigger(draft, task, path);
  if (trigger === undefined) return;
  if (task.attached_to === undefined || !form.tasks.has(task.attached_to)) {
    const message = `Expected attached_to to name a task, but ${task.attached_to ?? "nothing"} is there`;
    draft.problems.error("element-unknown", message, draft.place(path));
    return;
  }
  draft.add({
    ...base,
    kind: "boundary-event",
    attachedTo: task.attached_to,
    interrupting: task.interrupt ?? true,
    trigger,
  });
  if (task.then === undefined) return;
  if (task.then === "end") draft.flow(task.id, endOf(draft, null, base.position));
  else if (form.tasks.has(task.then)) draft.flow(task.id, task.then);
  else
    draft.problems.error(
      "target-unknown",
      `Expected the id of a task or end, but there is no ${task.then}`,
      draft.place([...path, "then"]),
    );
}

function boundaryTrigger(
  draft: Draft,
  task: FlowTask,
  path: readonly (string | number)[],
): BoundaryEvent["trigger"] | undefined {
  if (task.event?.timer !== undefined) {
    const timer = compileTimer(draft, task.event.timer, [...path, "event", "timer"]);
    return timer === undefined ? undefined : { type: "timer", timer };
  }
  if (task.event?.error !== undefined)
    return { type: "error", ...(task.event.error !== "*" && { code: task.event.error }) };
  draft.problems.error(
    "schema-invalid",
    `Expected event: { timer } or { error } of ${task.id}, but found neither`,
    draft.place(path),
  );
  return undefined;
}

function timerOf(draft: Draft, task: FlowTask, path: readonly (string | number)[]): TimerDefinition | undefined {
  const { duration, date, cycle } = task;
  // A cycle of the original is a cron line; a repetition is understood too.
  const every = cycle !== undefined && /^(?:R|P)/.test(cycle) ? cycle : undefined;
  const timer = defined({ after: duration, at: date, every, cron: every === undefined ? cycle : undefined });
  return compileTimer(draft, timer, path);
}

function addHandler(form: FlowForm, task: FlowTask, index: number): void {
  const { draft } = form;
  const handler = task.compensation ?? "";
  if (form.tasks.has(handler) || form.handlers.get(handler) !== task.id) return;
  draft.add({
    kind: "service-task",
    id: handler,
    parent: null,
    position: draft.place(["workflow", "tasks", index, "compensation"]),
    forCompensation: true,
    job: {
      type: handler,
      retry: defaultRetry,
      ...defined({ headers: task.agent === undefined ? undefined : { agent: task.agent } }),
    },
    inputs: [...(task.input ?? []), ...(task.output ?? [])].map((name) => ({
      target: name,
      source: { variable: name },
      optional: true,
    })),
    outputs: [],
  });
}

function job(form: FlowForm, task: FlowTask, index: number): JobDefinition {
  const { draft } = form;
  const path = ["workflow", "tasks", index];
  const timeoutMs =
    task.timeout === undefined ? defaultTimeoutMs : compileDurationMs(draft, task.timeout, [...path, "timeout"]);
  if (task.agent === undefined) {
    draft.problems.error(
      "schema-invalid",
      `Expected the agent of the service task ${task.id}, but it is missing`,
      draft.place([...path, "id"]),
    );
  }
  const headers: JsonObject = { agent: task.agent ?? "", method: task.method ?? "execute" };
  const retry = {
    attemptsMax: task.retry_policy?.max_attempts ?? defaultRetry.attemptsMax,
    backoff: namedBackoff(task.retry_policy?.backoff),
    exhausted: "incident" as const,
  };
  return { type: task.agent ?? task.id, retry, ...defined({ timeoutMs }), headers };
}

function inputs(form: FlowForm, task: FlowTask, index: number): Mapping[] {
  return (task.input ?? []).map((name, at) => {
    if (!form.known.has(name) && !form.undeclared.has(name)) {
      form.undeclared.add(name);
      const message = `Expected a declared variable, but ${name} is used and never declared`;
      form.draft.problems.warn(
        "variable-undeclared",
        message,
        form.draft.place(["workflow", "tasks", index, "input", at]),
      );
    }
    return { target: name, source: { variable: name }, optional: true };
  });
}

/** Only declared outputs are written, and one that the agent does not give stays as it was. */
function outputs(task: FlowTask): Mapping[] {
  return (task.output ?? []).map((name) => ({ target: name, source: { variable: name }, optional: true }));
}

function userTask(task: FlowTask) {
  const hours = task.sla_hours ?? defaultSlaHours;
  return {
    title: { literal: task.title ?? task.name ?? task.id },
    due: { kind: "duration" as const, value: { literal: `PT${hours}H` } },
    ...defined({
      assignee: task.assignee === undefined ? undefined : { literal: task.assignee },
      candidates: task.labels,
    }),
  };
}

/** The decision of a person: `{ approved, comment }`, or whatever was given under its own name. */
function decision(task: FlowTask): Mapping[] {
  const target = task.decision_variable ?? `${task.id}_decision`;
  const expression = (text: string): Mapping => ({ target, source: { language: "cel", text }, optional: true });
  // The decision itself comes first: when the answer has none of that name, it is the variable of the process, still null.
  return [
    { target, source: { variable: target }, optional: true },
    expression('{"approved": approved}'),
    expression('{"approved": approved, "comment": comment}'),
  ];
}
