import type {
  EdgePolicy,
  FailurePolicy,
  JobDefinition,
  Json,
  JsonObject,
  Mapping,
  MultiInstance,
  Source,
} from "@tutti/kernel";
import { type CompiledProgram, Draft } from "../draft.ts";
import { limits } from "../limits.ts";
import type { Path, Place, Problems } from "../problem.ts";
import type { Graph, GraphItem, Project, ProjectTask } from "../schema/graph.ts";
import { toCondition, toSource } from "../value.ts";
import { inputsOfItems } from "./item-input.ts";
import { circleIn } from "./order.ts";
import { compileDurationMs, compileMapping, compileRetry, compileVariables, defaultRetry, defined } from "./parts.ts";
import { slug } from "./stages.ts";

/** An item of either graph form. `path` leads to the item, `edges` to its list of dependencies. */
export interface Item {
  readonly id: string;
  readonly value: JsonObject;
  readonly inputs: JsonObject;
  readonly dependsOn: readonly { readonly key: string; readonly policy?: EdgePolicy }[];
  readonly path: Path;
  readonly edges: Path;
}

interface Model {
  readonly id: string;
  readonly version: string;
  readonly name: string;
  readonly job: JobDefinition;
  readonly items: readonly Item[];
  readonly maxParallel: Source | undefined;
  readonly onFailure: FailurePolicy | undefined;
  readonly edgePolicy: EdgePolicy | undefined;
  readonly extra: Pick<MultiInstance, "accept">;
  readonly inputs: readonly Mapping[];
}

/** Compiles the graph form: one service task, once per item, the items written into the program. */
export function compileGraph(graph: Graph, problems: Problems, place: Place): CompiledProgram | undefined {
  const draft = new Draft(problems, place);
  const list = Array.isArray(graph.items)
    ? graph.items.map((item, index) => nativeItem(draft, item, { id: item.id, path: ["items", index] }))
    : Object.entries(graph.items).map(([id, item]) => nativeItem(draft, item, { id, path: ["items", id] }));
  const timeoutMs = graph.timeout === undefined ? undefined : compileDurationMs(draft, graph.timeout, ["timeout"]);
  const model: Model = {
    id: graph.graph,
    version: graph.version ?? "1",
    name: graph.name ?? graph.graph,
    job: {
      type: graph.job,
      retry: { ...compileRetry(draft, graph.retry, ["retry"]), exhausted: "error" },
      ...defined({ timeoutMs, headers: graph.headers as JsonObject | undefined }),
    },
    items: list.filter((item) => item !== undefined),
    maxParallel:
      graph.maxParallel === undefined ? undefined : toSource(graph.maxParallel as Json, place(["maxParallel"])),
    onFailure: graph.onFailure,
    edgePolicy: graph.edgePolicy,
    extra: defined({ accept: graph.accept === undefined ? undefined : toCondition(graph.accept, place(["accept"])) }),
    inputs: compileMapping(draft, graph.in, ["in"]) ?? [],
  };
  return compileModel(draft, model, compileVariables(draft, graph.variables, ["variables"]));
}

function nativeItem(
  draft: Draft,
  item: GraphItem,
  at: { readonly id: string | undefined; readonly path: Path },
): Item | undefined {
  const { path } = at;
  if (at.id === undefined || (item.id !== undefined && item.id !== at.id)) {
    const message =
      at.id === undefined ? "Expected an id, but the item has none" : `Expected the id ${at.id}, but found ${item.id}`;
    draft.problems.error("schema-invalid", message, draft.place(path));
    return undefined;
  }
  const { dependsOn = [], resource, inputs = {}, id: _id, ...rest } = item;
  const edges = dependsOn.map((edge) =>
    typeof edge === "string" ? { key: edge } : { key: edge.key, ...defined({ policy: edge.policy }) },
  );
  const queue = rest.queue ?? resource;
  const value = {
    id: at.id,
    ...rest,
    ...defined({ queue }),
    dependsOn: edges.map((edge) => ("policy" in edge ? edge : edge.key)),
    inputs,
  };
  return {
    id: at.id,
    value: defined(value) as JsonObject,
    inputs: inputs as JsonObject,
    dependsOn: edges,
    path,
    edges: [...path, "dependsOn"],
  };
}

/** The project form of older files: tasks with capsules and personas. */
export function compileProject(project: Project, problems: Problems, place: Place): CompiledProgram | undefined {
  const draft = new Draft(problems, place);
  const attempts = new Set(project.tasks.map((task) => Math.max(1, task.retry_attempts ?? 3)));
  const uniform = attempts.size === 1 ? [...attempts][0] : undefined;
  const timeouts = project.tasks.map((task) => task.timeout_seconds ?? 3600);
  const {
    tasks: _tasks,
    project_name: name,
    execution_mode: mode,
    max_parallel_tasks: parallel = 5,
    failure_policy: policy,
    ...rest
  } = project;
  const limit = mode === "sequential" ? 1 : parallel;
  const model: Model = {
    id: slug(name),
    version: "1",
    name,
    job: {
      type: "capsule",
      retry: { attemptsMax: uniform ?? 1, backoff: { firstMs: 2_000, factor: 2, maxMs: 30_000 }, exhausted: "error" },
      timeoutMs: Math.max(...timeouts) * 1_000,
      headers: { project: defined({ project_name: name, ...rest }) as JsonObject },
    },
    items: project.tasks.map((task, index) => projectItem(draft, task, { index, uniform: uniform !== undefined })),
    maxParallel: { literal: limit },
    onFailure: policy === "fail_fast" ? "fail" : policy === "continue" ? "continue" : "skip-dependents",
    edgePolicy: undefined,
    extra: {},
    inputs: [],
  };
  return compileModel(draft, model, []);
}

function projectItem(draft: Draft, task: ProjectTask, at: { readonly index: number; readonly uniform: boolean }): Item {
  const path = ["tasks", at.index];
  const id = task.task_id ?? `task-${at.index + 1}`;
  const policy = task.dependency_policy?.replaceAll("_", "-") as EdgePolicy | undefined;
  const dependsOn = (task.dependencies ?? []).map((key) => ({ key, ...defined({ policy }) }));
  const optional = task.metadata?.["optional"] === true;
  const priority = task.priority ?? metadataPriority(draft, task, path);
  const { task_id: _id, dependencies: _dependencies, resource_class: queue, inputs = {}, ...rest } = task;
  const value = {
    id,
    ...rest,
    inputs,
    dependsOn,
    ...defined({ queue, priority, onFailure: optional ? "continue" : undefined }),
    ...(!at.uniform && { attempts: Math.max(1, task.retry_attempts ?? defaultRetry.attemptsMax) }),
  };
  return {
    id,
    value: defined(value) as JsonObject,
    inputs: inputs as JsonObject,
    dependsOn,
    path,
    edges: [...path, "dependencies"],
  };
}

function metadataPriority(draft: Draft, task: ProjectTask, path: Path): number | undefined {
  const priority = task.metadata?.["priority"];
  if (priority === undefined || priority === null) return undefined;
  if (typeof priority === "number" && Number.isInteger(priority) && priority >= 1 && priority <= 5) return priority;
  const message = `Expected a priority of 1 to 5, but found ${JSON.stringify(priority)}; 3 is used`;
  draft.problems.warn("schema-invalid", message, draft.place([...path, "metadata", "priority"]));
  return undefined;
}

function compileModel(
  draft: Draft,
  model: Model,
  variables: CompiledProgram["program"]["variables"],
): CompiledProgram | undefined {
  const { place, problems } = draft;
  const errors = problems.errors;
  if (!refuseUnsound(draft, model.items)) return undefined;
  const position = place(model.items[0]?.path.slice(0, 1) ?? [], "key");
  const base = { parent: null, position };
  const inputs = inputsOfItems(draft, model.items);
  if (problems.errors > errors) return undefined;
  draft.add({ ...base, kind: "start-event", id: "start", trigger: { type: "none" } });
  draft.add({
    ...base,
    kind: "service-task",
    id: "items",
    name: model.name,
    job: model.job,
    inputs: [
      { target: "item", source: { variable: "item" } },
      { target: "inputs", source: inputs },
      { target: "predecessors", source: { language: "cel", text: "loop.predecessors", position } },
      ...model.inputs,
    ],
    // What an item gives is the field `output` of its job's result; a job that gives none gives null.
    outputs: [
      { target: "output", source: { literal: null } },
      { target: "output", source: { variable: "output" }, optional: true },
    ],
    loop: {
      mode: "graph",
      collection: { literal: model.items.map((item) => item.value) },
      item: "item",
      ...defined({ maxParallel: model.maxParallel, onFailure: model.onFailure, edgePolicy: model.edgePolicy }),
      ...model.extra,
      output: { target: "results", source: { variable: "output" } },
    },
  });
  draft.add({ ...base, kind: "end-event", id: "end", trigger: { type: "none" } });
  draft.flow("start", "items");
  draft.flow("items", "end");
  const { id, version, name } = model;
  const results = { name: "results", type: "object" as const };
  const head = {
    id,
    version,
    name,
    variables: [...variables, results],
    outputs: ["results"],
    onError: "fail" as const,
  };
  return { program: draft.finish(head), problems, place, legacy: false, fallsInto: [] };
}

function refuseUnsound(draft: Draft, items: readonly Item[]): boolean {
  const { problems, place } = draft;
  const errors = problems.errors;
  if (items.length > limits.itemsMax) {
    problems.error(
      "element-limit",
      `Expected at most ${limits.itemsMax} items, but there are ${items.length}`,
      place(items[0]?.path.slice(0, 1) ?? []),
    );
    return false;
  }
  const byId = new Map<string, Item>();
  for (const item of items) {
    const first = byId.get(item.id);
    if (first === undefined) byId.set(item.id, item);
    else {
      const line = place(first.path).line;
      problems.error(
        "element-duplicate",
        `Expected every id once, but ${item.id} is there twice (first in line ${line})`,
        place(item.path),
      );
    }
  }
  for (const item of items) refuseEdges(draft, item, byId);
  const cycle = circleIn(
    new Map(
      [...byId.values()].map((item) => [
        item.id,
        item.dependsOn.map((edge) => edge.key).filter((key) => key !== item.id),
      ]),
    ),
  );
  const start = cycle === undefined ? undefined : byId.get(cycle[0] ?? "");
  if (cycle !== undefined && start !== undefined) {
    const message = `Expected items that can be put in order, but they form a circle: ${cycle.join(" → ")}`;
    problems.error("cycle", message, place(start.edges));
  }
  return problems.errors === errors;
}

function refuseEdges(draft: Draft, item: Item, byId: ReadonlyMap<string, Item>): void {
  const seen = new Set<string>();
  item.dependsOn.forEach((edge, index) => {
    const position = draft.place([...item.edges, index]);
    if (edge.key === item.id)
      draft.problems.error("dependency-self", `Expected another item, but ${item.id} depends on itself`, position);
    else if (!byId.has(edge.key))
      draft.problems.error("dependency-unknown", `Expected the id of an item, but there is no ${edge.key}`, position);
    else if (seen.has(edge.key))
      draft.problems.error(
        "dependency-duplicate",
        `Expected each dependency once, but ${edge.key} is there twice`,
        position,
      );
    seen.add(edge.key);
  });
}
