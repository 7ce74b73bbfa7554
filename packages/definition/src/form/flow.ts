import { type CompiledProgram, Draft } from "../draft.ts";
import type { Place, Problems } from "../problem.ts";
import type { FlowTask, FlowWorkflow } from "../schema/flow.ts";
import { toCondition } from "../value.ts";
import { type Arrow, parseArrows } from "./arrows.ts";
import { addFlowTask, type FlowForm } from "./flow-task.ts";
import { compileVariables } from "./parts.ts";

interface PlacedArrow extends Arrow {
  readonly index: number;
}

/** Compiles the flow form: tasks, and arrows between them. What its authors could not declare is a warning here. */
export function compileFlow(file: FlowWorkflow, problems: Problems, place: Place): CompiledProgram | undefined {
  const { workflow } = file;
  const draft = new Draft(problems, place);
  const declared = compileVariables(draft, workflow.variables, ["workflow", "variables"]);
  const form: FlowForm = {
    draft,
    tasks: new Map(workflow.tasks.map((task) => [task.id, task])),
    known: new Set([...declared.map((variable) => variable.name), ...workflow.tasks.flatMap(written)]),
    undeclared: new Set(),
    handlers: handlersOf(draft, workflow.tasks),
  };
  for (const [index, task] of workflow.tasks.entries()) addFlowTask(form, task, index);
  const arrows = readArrows(draft, workflow.flow);
  connect(form, arrows, workflow.tasks);
  checkPreconditions(form, arrows, workflow.tasks);
  const undeclared = [...form.undeclared].map((name) => ({ name, type: "any" as const }));
  const head = {
    id: workflow.id,
    version: workflow.version ?? "1",
    name: workflow.name ?? workflow.id,
    // Declared after all, so that a run may be started with a value for them.
    variables: [...declared, ...undeclared],
    outputs: workflow.outputs ?? [...declared.map((variable) => variable.name)],
    onError: workflow.on_error ?? ("compensate" as const),
  };
  return { program: draft.finish(head), problems, place, legacy: true, fallsInto: [] };
}

function written(task: FlowTask): string[] {
  const decision = task.type === "user_task" ? [task.decision_variable ?? `${task.id}_decision`] : [];
  return [...(task.output ?? []), ...decision, ...(task.output_variable === undefined ? [] : [task.output_variable])];
}

function handlersOf(draft: Draft, tasks: readonly FlowTask[]): Map<string, string> {
  const ids = new Set(tasks.map((task) => task.id));
  const handlers = new Map<string, string>();
  tasks.forEach((task, index) => {
    if (task.compensation === undefined) return;
    const other = handlers.get(task.compensation);
    if (other === undefined) handlers.set(task.compensation, task.id);
    else if (ids.has(task.compensation)) {
      const message = `Expected one task per handler, but ${task.compensation} undoes ${other} and ${task.id}`;
      draft.problems.error("undo-invalid", message, draft.place(["workflow", "tasks", index, "compensation"]));
    }
  });
  return handlers;
}

function readArrows(draft: Draft, lines: readonly string[]): PlacedArrow[] {
  const arrows: PlacedArrow[] = [];
  lines.forEach((line, index) => {
    const position = draft.place(["workflow", "flow", index]);
    const parsed = parseArrows(line, `flow-${index + 1}`);
    if (!parsed.ok) {
      draft.problems.error("schema-invalid", parsed.message, position);
      return;
    }
    for (const { fork, join } of parsed.groups) {
      draft.add({ kind: "parallel-gateway", id: fork, parent: null, position });
      draft.add({ kind: "parallel-gateway", id: join, parent: null, position });
    }
    arrows.push(...parsed.arrows.map((arrow) => ({ ...arrow, index })));
  });
  return arrows;
}

function connect(form: FlowForm, arrows: readonly PlacedArrow[], tasks: readonly FlowTask[]): void {
  const { draft } = form;
  const outgoing = new Map<string, PlacedArrow[]>();
  for (const arrow of arrows) {
    if (!known(form, arrow.from, arrow) || !known(form, arrow.to, arrow)) continue;
    outgoing.set(arrow.from, [...(outgoing.get(arrow.from) ?? []), arrow]);
  }
  const position = draft.place(["workflow", "flow"], "key");
  if (!draft.has("start"))
    draft.add({ kind: "start-event", id: "start", parent: null, trigger: { type: "none" }, position });
  if (!outgoing.has("start")) {
    const first = tasks.find((task) => task.type !== "boundary_event" && !form.handlers.has(task.id));
    if (first !== undefined) draft.flow("start", first.id);
  }
  tasks.forEach((task, index) => {
    if (task.type === "exclusive_gateway") connectRoutes(form, { task, index }, outgoing.get(task.id) ?? []);
  });
  for (const [from, list] of outgoing) {
    if (form.tasks.get(from)?.type === "exclusive_gateway") continue;
    connectPlain(form, from, list);
  }
  for (const task of tasks) {
    const element = draft.get(task.id);
    const flowless =
      !outgoing.has(task.id) &&
      element !== undefined &&
      element.kind !== "exclusive-gateway" &&
      element.kind !== "end-event";
    const handler = form.handlers.has(task.id);
    if (flowless && !handler && task.type !== "boundary_event") draft.flow(task.id, endNode(draft, position));
  }
}

function endNode(draft: Draft, position: ReturnType<Place>): string {
  if (!draft.has("end")) draft.add({ kind: "end-event", id: "end", parent: null, trigger: { type: "none" }, position });
  return "end";
}

function known(form: FlowForm, id: string, arrow: PlacedArrow): boolean {
  const { draft } = form;
  const position = draft.place(["workflow", "flow", arrow.index]);
  if (id === "start" && arrow.from === "start") return true;
  if (id === "end" && arrow.to === "end") return endNode(draft, position) === "end";
  if (draft.has(id)) return true;
  draft.problems.error("target-unknown", `Expected the id of a task, start or end, but there is no ${id}`, position);
  return false;
}

/** Several arrows out of anything but a gateway start all their targets at once. */
function connectPlain(form: FlowForm, from: string, arrows: readonly PlacedArrow[]): void {
  const { draft } = form;
  const [first] = arrows;
  const routed = arrows.find((arrow) => arrow.route !== undefined);
  if (routed !== undefined) {
    const message = `Expected a route only after an exclusive gateway, but ${from} is none`;
    draft.problems.error("route-unknown", message, draft.place(["workflow", "flow", routed.index]));
  }
  let source = from;
  if (arrows.length > 1 && first !== undefined && draft.get(from)?.kind !== "parallel-gateway") {
    source = `${from}.fork`;
    draft.add({
      kind: "parallel-gateway",
      id: source,
      parent: null,
      position: draft.place(["workflow", "flow", first.index]),
    });
    draft.flow(from, source);
  }
  for (const arrow of arrows) draft.flow(source, arrow.to);
}

/** Routes in the order of the conditions. One without an arrow ends the process, with a warning. */
function connectRoutes(
  form: FlowForm,
  gateway: { readonly task: FlowTask; readonly index: number },
  arrows: readonly PlacedArrow[],
): void {
  const { draft } = form;
  const { task, index } = gateway;
  const conditions = Object.entries(task.conditions ?? {});
  const routes = new Set([
    ...conditions.map(([route]) => route),
    ...(task.default_path === undefined ? [] : [task.default_path]),
  ]);
  for (const arrow of arrows) {
    const fits =
      arrow.route === undefined ? conditions.length === 0 || task.default_path === undefined : routes.has(arrow.route);
    if (fits) continue;
    const message = `Expected a route of ${task.id} (${[...routes].join(", ")}), but found ${arrow.route ?? "an arrow without one"}`;
    draft.problems.error("route-unknown", message, draft.place(["workflow", "flow", arrow.index]));
  }
  for (const [route, condition] of conditions) {
    const path = ["workflow", "tasks", index, "conditions", route];
    const text = typeof condition === "string" ? condition : condition.expression;
    const at = typeof condition === "string" ? path : [...path, "expression"];
    const arrow = arrows.find((candidate) => candidate.route === route);
    const target = arrow?.to ?? routeEnd(form, { task, route, path });
    draft.flow(task.id, target, { condition: toCondition(text, draft.place(at)), name: route });
  }
  const fallback = arrows.find(
    (arrow) =>
      arrow.route === undefined || (arrow.route === task.default_path && task.conditions?.[arrow.route] === undefined),
  );
  const element = draft.get(task.id);
  if (fallback === undefined || element?.kind !== "exclusive-gateway") return;
  draft.amend({ ...element, defaultFlow: draft.flow(task.id, fallback.to, { name: fallback.route ?? "otherwise" }) });
}

function routeEnd(
  form: FlowForm,
  at: { readonly task: FlowTask; readonly route: string; readonly path: readonly (string | number)[] },
): string {
  const { draft } = form;
  const position = draft.place(at.path, "key");
  const message = `Expected a flow for the route ${at.route} of ${at.task.id}, but there is none: the process ends there`;
  draft.problems.warn("route-leads-nowhere", message, position);
  return endNode(draft, position);
}

/** A precondition repeats what the arrows say; it is checked against them and otherwise changes nothing. */
function checkPreconditions(form: FlowForm, arrows: readonly PlacedArrow[], tasks: readonly FlowTask[]): void {
  tasks.forEach((task, index) => {
    if (task.precondition === undefined) return;
    const [gateway = "", route] = task.precondition.split(".");
    if (arrows.some((arrow) => arrow.from === gateway && arrow.route === route && arrow.to === task.id)) return;
    const message = `Expected the arrow "${gateway}[${route ?? ""}] → ${task.id}" that the precondition speaks of, but there is none`;
    form.draft.problems.warn("route-unknown", message, form.draft.place(["workflow", "tasks", index, "precondition"]));
  });
}
