// Writes schema/answers.schema.json; a test keeps it in date.
import { mkdirSync, writeFileSync } from "node:fs";
import { answersJsonSchema } from "./answer-schema.ts";

const folder = new URL("../schema/", import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL("answers.schema.json", folder), `${JSON.stringify(answersJsonSchema(), null, 2)}\n`);
