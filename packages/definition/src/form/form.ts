import type { z } from "zod";
import type { CompiledProgram } from "../draft.ts";
import type { Place, Problems } from "../problem.ts";
import { arrowsSchema } from "../schema/arrows.ts";
import { flowSchema } from "../schema/flow.ts";
import { graphSchema, projectSchema } from "../schema/graph.ts";
import { processSchema } from "../schema/native.ts";
import { stagesSchema } from "../schema/stages.ts";
import { reportIssues } from "../schema-problem.ts";
import type { SourceDocument } from "../yaml.ts";
import { compileArrowsForm } from "./arrows-form.ts";
import { compileFlow } from "./flow.ts";
import { compileGraph, compileProject } from "./graph.ts";
import { compileNative } from "./native.ts";
import { compileStages } from "./stages.ts";

type Compile<T> = (value: T, problems: Problems, place: Place) => CompiledProgram | undefined;

/** Recognises the form of a document by its content, and compiles it. Undefined when its schema refused it. */
export function compileForm(document: SourceDocument, problems: Problems): CompiledProgram | undefined {
  const { value, place } = document;
  const run = <T>(schema: z.ZodType<T>, compile: Compile<T>) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return compile(parsed.data, problems, place);
    reportIssues(parsed.error.issues, { value, problems, place });
    return undefined;
  };
  if (has(value, "process")) return run(processSchema, compileNative);
  if (has(value, "arrows")) return run(arrowsSchema, compileArrowsForm);
  if (has(value, "graph")) return run(graphSchema, compileGraph);
  if (has(value, "project_name")) return run(projectSchema, compileProject);
  const workflow = has(value, "workflow") ? value["workflow"] : undefined;
  if (has(workflow, "stages")) return run(stagesSchema, compileStages);
  if (has(workflow, "flow") || has(workflow, "tasks")) return run(flowSchema, compileFlow);
  const message =
    "Expected process, arrows, graph, project_name, decision, or a workflow with stages or with tasks and flow, but found none of them";
  problems.error("form-unknown", message, place([]));
  return undefined;
}

function has<K extends string>(value: unknown, key: K): value is { readonly [key in K]: unknown } {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}
