import { z } from "zod";
import type { NativeMapping, NativeRetry, NativeVariable } from "./native-part.ts";
import { idPattern, mapping, retry, variables } from "./native-part.ts";

type Value = z.core.util.JSONType;
export type GraphEdge = string | { key: string; policy?: "all-success" | "all-done" | "any-success" | undefined };

export interface GraphItem {
  id?: string | undefined;
  title?: string | undefined;
  dependsOn?: GraphEdge[] | undefined;
  locks?: string[] | undefined;
  queue?: "light" | "standard" | "heavy" | undefined;
  resource?: "light" | "standard" | "heavy" | undefined;
  priority?: number | undefined;
  onFailure?: "fail" | "continue" | "skip-dependents" | undefined;
  attempts?: number | undefined;
  inputs?: Record<string, Value> | undefined;
  outputs?: string[] | undefined;
}
export interface Graph {
  graph: string;
  version?: string | undefined;
  name?: string | undefined;
  variables?: Record<string, NativeVariable> | undefined;
  job: string;
  in?: NativeMapping | undefined;
  maxParallel?: Value | undefined;
  onFailure?: "fail" | "continue" | "skip-dependents" | undefined;
  edgePolicy?: "all-success" | "all-done" | "any-success" | undefined;
  accept?: string | undefined;
  retry?: number | NativeRetry | undefined;
  timeout?: string | undefined;
  headers?: Record<string, Value> | undefined;
  items: GraphItem[] | Record<string, GraphItem>;
}

const queue = z.enum(["light", "standard", "heavy"]);
const onFailure = z.enum(["fail", "continue", "skip-dependents"]);
const edgePolicy = z.enum(["all-success", "all-done", "any-success"]);
const itemId = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/);

const item: z.ZodType<GraphItem> = z
  .strictObject({
    id: itemId.optional(),
    title: z.string().optional(),
    dependsOn: z
      .array(z.union([z.string(), z.strictObject({ key: z.string(), policy: edgePolicy.optional() })]))
      .optional(),
    locks: z.array(z.string().min(1)).optional().meta({ description: "Two items that share one never run at once." }),
    queue: queue.optional(),
    resource: queue.optional().meta({ description: "Another name for queue." }),
    priority: z.int().min(1).max(5).optional(),
    onFailure: onFailure.optional(),
    attempts: z.int().min(1).max(1000).optional(),
    inputs: z
      .record(z.string(), z.json())
      .optional()
      .meta({ description: "May read what a dependency gave: = tasks.<id>.output.<field>" }),
    outputs: z.array(z.string()).optional().meta({ description: "Fields of its output that others may read." }),
  })
  .meta({ id: "graphItem" });

export const graphSchema: z.ZodType<Graph> = z
  .strictObject({
    graph: z.string().regex(idPattern),
    version: z.string().optional(),
    name: z.string().max(200).optional(),
    variables: variables.optional(),
    job: z.string().min(1).meta({ description: "Type of the job that does an item." }),
    in: mapping.optional(),
    maxParallel: z.json().optional(),
    onFailure: onFailure.optional(),
    edgePolicy: edgePolicy.optional(),
    accept: z.string().optional(),
    retry: retry.optional(),
    timeout: z.string().optional(),
    headers: z.record(z.string(), z.json()).optional(),
    items: z.union([z.array(item).min(1), z.record(itemId, item)]),
  })
  .meta({ id: "graph", title: "Graph" });

export interface ProjectTask {
  task_id?: string | undefined;
  capsule_id: string;
  persona_id: string;
  description: string;
  dependencies?: string[] | undefined;
  dependency_policy?: "all_success" | "all_done" | "any_success" | undefined;
  inputs?: Record<string, Value> | undefined;
  outputs?: Value[] | undefined;
  timeout_seconds?: number | undefined;
  retry_attempts?: number | undefined;
  resource_class?: "light" | "standard" | "heavy" | undefined;
  priority?: number | undefined;
  action_risk?: "safe" | "moderate" | "destructive" | undefined;
  metadata?: Record<string, Value> | null | undefined;
}
export interface Project {
  project_name: string;
  execution_mode?: "sequential" | "parallel" | "dag" | undefined;
  max_parallel_tasks?: number | undefined;
  git_repo_url?: string | null | undefined;
  workspace_config?: Record<string, Value> | null | undefined;
  artifact_storage?: string | undefined;
  notify_webhooks?: string[] | null | undefined;
  failure_policy?: "fail_fast" | "continue" | "fail_dependents" | undefined;
  tasks: ProjectTask[];
}

const projectTask: z.ZodType<ProjectTask> = z
  .strictObject({
    task_id: itemId.optional(),
    capsule_id: z.string().min(1),
    persona_id: z.string().min(1),
    description: z.string(),
    dependencies: z.array(z.string()).optional(),
    dependency_policy: z.enum(["all_success", "all_done", "any_success"]).optional(),
    inputs: z.record(z.string(), z.json()).optional(),
    outputs: z.array(z.json()).optional(),
    timeout_seconds: z.int().min(1).optional(),
    retry_attempts: z.int().min(0).max(1000).optional().meta({ description: "Tries in total." }),
    resource_class: queue.optional(),
    priority: z.int().min(1).max(5).optional(),
    action_risk: z.enum(["safe", "moderate", "destructive"]).optional(),
    metadata: z.record(z.string(), z.json()).nullable().optional(),
  })
  .meta({ id: "projectTask" });

export const projectSchema: z.ZodType<Project> = z
  .strictObject({
    project_name: z.string().min(1).max(200),
    execution_mode: z.enum(["sequential", "parallel", "dag"]).optional(),
    max_parallel_tasks: z.int().min(1).max(1000).optional(),
    git_repo_url: z.string().nullable().optional(),
    workspace_config: z.record(z.string(), z.json()).nullable().optional(),
    artifact_storage: z.string().optional(),
    notify_webhooks: z.array(z.url()).max(20).nullable().optional(),
    failure_policy: z.enum(["fail_fast", "continue", "fail_dependents"]).optional(),
    tasks: z.array(projectTask).min(1),
  })
  .meta({ id: "project", title: "Project" });
