import { z } from "zod";
import type { NativeVariable } from "./native-part.ts";
import { idPattern, variables } from "./native-part.ts";

export interface Stage {
  name: string;
  type?: "single" | "parallel" | "graph" | undefined;
  processor: string;
  foreach?: string | undefined;
  inputs?: string[] | undefined;
  outputs?: string[] | undefined;
  depends_on?: string[] | undefined;
  max_concurrent?: number | undefined;
  retry_policy?: StageRetry | undefined;
  timeout?: string | undefined;
  merge_strategy?: string | undefined;
  [other: string]: unknown;
}
export interface StageRetry {
  max_attempts?: number | undefined;
  backoff?: "exponential" | "linear" | "fixed" | undefined;
}
export interface StageWorkflow {
  workflow: {
    id?: string | undefined;
    name?: string | undefined;
    version?: string | undefined;
    variables?: Record<string, NativeVariable> | undefined;
    outputs?: string[] | undefined;
    stages: Stage[];
    [other: string]: unknown;
  };
}

const names = z.array(z.string().min(1));

const stage: z.ZodType<Stage> = z
  .looseObject({
    name: z.string().regex(idPattern),
    type: z
      .enum(["single", "parallel", "graph"])
      .optional()
      .meta({ description: "Default: parallel with foreach, else single." }),
    processor: z.string().min(1).meta({ description: "Type of the job." }),
    foreach: z.string().optional().meta({ description: "Output of another stage (or a variable): one job per entry." }),
    inputs: names.optional(),
    outputs: names.optional(),
    depends_on: names.optional(),
    max_concurrent: z.int().min(1).max(100_000).optional(),
    retry_policy: z
      .looseObject({
        max_attempts: z.int().min(1).max(1000).optional().meta({ description: "Tries in total." }),
        backoff: z.enum(["exponential", "linear", "fixed"]).optional(),
      })
      .optional(),
    timeout: z.string().optional(),
    merge_strategy: z.string().optional().meta({ description: "Handed to the job as a header." }),
  })
  .meta({ id: "stage" });

export const stagesSchema: z.ZodType<StageWorkflow> = z
  .strictObject({
    workflow: z.looseObject({
      id: z.string().regex(idPattern).optional(),
      name: z.string().min(1).max(200).optional(),
      version: z.string().optional(),
      variables: variables.optional(),
      outputs: names.optional(),
      stages: z.array(stage).min(1),
    }),
  })
  .meta({ id: "stages", title: "Stages" });

export const stageKeys: readonly string[] = [
  "name",
  "type",
  "processor",
  "foreach",
  "inputs",
  "outputs",
  "depends_on",
  "max_concurrent",
  "retry_policy",
  "timeout",
  "merge_strategy",
];
