import { z } from "zod";
import { arrowsSchema } from "./arrows.ts";
import { decisionSchema } from "./decision.ts";
import { flowSchema } from "./flow.ts";
import { graphSchema, projectSchema } from "./graph.ts";
import { processSchema } from "./native.ts";
import { stagesSchema } from "./stages.ts";

/** The JSON Schema that editors use: every form that `compileYaml` takes. */
export function definitionJsonSchema(): Readonly<Record<string, unknown>> {
  const forms = z.union([
    processSchema,
    graphSchema,
    projectSchema,
    stagesSchema,
    flowSchema,
    decisionSchema,
    arrowsSchema,
  ]);
  const schema = z.toJSONSchema(forms, { target: "draft-2020-12", io: "input", unrepresentable: "any" });
  return {
    ...schema,
    title: "Tutti definition",
    $comment: "Generated from src/schema: npm run schema -w packages/definition.",
  };
}
