import { z } from "zod";
import { idPattern } from "./native-part.ts";

type Cell = string | number | boolean | null;

export interface DecisionForm {
  decision: string;
  name?: string | undefined;
  value?: string | undefined;
  hit?: (typeof hits)[number] | undefined;
  aggregate?: "sum" | "count" | "min" | "max" | undefined;
  inputs?: (string | { expression: string; allowed?: string | undefined })[] | undefined;
  outputs?: (string | { name: string; values?: Cell[] | undefined; otherwise?: Cell | undefined })[] | undefined;
  rules?: { when: Cell[]; then: Cell[]; note?: string | undefined }[] | undefined;
}

const hits = ["unique", "any", "priority", "first", "rule-order", "output-order", "collect"] as const;
const cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const text = z.string().min(1);

/** One decision: a table of rules, or a value that FEEL computes. */
export const decisionSchema: z.ZodType<DecisionForm> = z
  .strictObject({
    decision: z
      .string()
      .regex(idPattern)
      .meta({ description: "Id, and the name under which other decisions read it." }),
    name: z.string().max(200).optional(),
    value: text.optional().meta({ description: "FEEL that gives the result, instead of a table." }),
    hit: z.enum(hits).optional().meta({ description: "Which of the rules that fit count. Default unique." }),
    aggregate: z.enum(["sum", "count", "min", "max"]).optional().meta({ description: "With hit: collect." }),
    inputs: z
      .array(z.union([text, z.strictObject({ expression: text, allowed: text.optional() })]))
      .optional()
      .meta({ description: "FEEL; `allowed` are unary tests that a value must fit." }),
    outputs: z
      .array(
        z.union([text, z.strictObject({ name: text, values: z.array(cell).optional(), otherwise: cell.optional() })]),
      )
      .optional()
      .meta({
        description: "Names; `values` from the most important on; `otherwise` when no rule fits. Texts are FEEL.",
      }),
    rules: z
      .array(z.strictObject({ when: z.array(cell), then: z.array(cell), note: z.string().optional() }))
      .optional()
      .meta({ description: "Unary tests per input (`-` fits everything), and FEEL per output." }),
  })
  .meta({ id: "decision", title: "Decision" });
