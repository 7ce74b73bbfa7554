import { z } from "zod";
import { planSchema } from "./schema.ts";

/** The JSON Schema of a plan as its author writes it, for editors. What only the gates can know is not in it. */
export function planJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(planSchema, { target: "draft-2020-12", io: "input", unrepresentable: "any" });
  return {
    ...schema,
    title: "Tutti plan (tutti-plan/1)",
    $comment: "Generated from src/plan/schema.ts: npm run schema -w packages/feature.",
  };
}
