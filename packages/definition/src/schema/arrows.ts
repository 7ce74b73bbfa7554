import { z } from "zod";
import type { NativeVariable } from "./native-part.ts";
import { idPattern, variables } from "./native-part.ts";

export interface ArrowsForm {
  arrows: string;
  version?: string | undefined;
  name?: string | undefined;
  variables?: Record<string, NativeVariable> | undefined;
  flow: string;
}

/** A process in arrow notation. */
export const arrowsSchema: z.ZodType<ArrowsForm> = z
  .strictObject({
    arrows: z.string().regex(idPattern),
    version: z.string().optional(),
    name: z.string().max(200).optional(),
    variables: variables.optional().meta({ description: "Only those that the flow does not show." }),
    flow: z.string().min(1).meta({ description: "`a → [b & c] → d`, `x > 1 ? a : b`, `step(arg) → result`." }),
  })
  .meta({ id: "arrows", title: "Arrow notation" });
