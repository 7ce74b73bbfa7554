// Writes schema/tutti.schema.json; a test keeps it in date.
import { writeFileSync } from "node:fs";
import { definitionJsonSchema } from "./json-schema.ts";

writeFileSync(
  new URL("../../schema/tutti.schema.json", import.meta.url),
  `${JSON.stringify(definitionJsonSchema(), null, 2)}\n`,
);
