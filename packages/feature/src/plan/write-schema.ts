// Writes schema/plan.schema.json; a test keeps it in date.
import { mkdirSync, writeFileSync } from "node:fs";
import { planJsonSchema } from "./json-schema.ts";

const folder = new URL("../../schema/", import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL("plan.schema.json", folder), `${JSON.stringify(planJsonSchema(), null, 2)}\n`);
