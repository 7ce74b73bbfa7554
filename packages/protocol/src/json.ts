import type { Json, JsonObject } from "@tutti/kernel";
import { z } from "zod";

export const jsonSchema: z.ZodType<Json> = z.json() as unknown as z.ZodType<Json>;
export const jsonObjectSchema: z.ZodType<JsonObject> = z.record(z.string(), jsonSchema);
