import type { Json } from "@tutti/kernel";
import { z } from "zod";
import { jsonSchema } from "./json.ts";

/**
 * An error over HTTP: RFC 9457 `application/problem+json`. `type` ends in the code and names its heading in the
 * reference; `exit` is what a command that meets it ends with.
 */
export interface ProblemJson {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly place: string | null;
  readonly advice: string;
  readonly exit: number;
  readonly details: { readonly [name: string]: Json };
}

export const problemSchema: z.ZodType<ProblemJson> = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  place: z.string().nullable(),
  advice: z.string(),
  exit: z.int(),
  details: z.record(z.string(), jsonSchema),
});

export const problemMediaType = "application/problem+json";

export function problemType(code: string): string {
  return `docs/reference/errors.md#${code}`;
}
