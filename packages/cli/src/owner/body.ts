import { AppError } from "@tutti/kernel";
import type { Context } from "hono";
import type { z } from "zod";

/** The body of a request. Throws `request-invalid` with the place of the first thing that does not fit. */
export async function body<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const value: unknown = await context.req.json().catch(() => {
    throw new AppError("request-invalid", "Expected a body of JSON, but it is none");
  });
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError("request-invalid", `At ${issue?.path.join(".") || "the body"}: ${issue?.message}`);
}
