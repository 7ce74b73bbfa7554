import type { JsonObject } from "@tutti/kernel";
import { z } from "zod";

/** Why a result does not fit the JSON Schema of a user task; undefined when it does, or when the schema says nothing known. */
export function formMisfit(form: JsonObject | null, result: JsonObject): string | undefined {
  const schema = form === null ? undefined : schemaOf(form);
  const issue = schema?.safeParse(result).error?.issues[0];
  if (issue === undefined) return undefined;
  return issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`;
}

function schemaOf(form: JsonObject): z.ZodType | undefined {
  try {
    return z.fromJSONSchema(form as Parameters<typeof z.fromJSONSchema>[0]);
  } catch {
    // A form may be of another kind, such as one that a modeler keeps elsewhere: then the process alone decides.
    return undefined;
  }
}
