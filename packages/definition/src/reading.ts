// For other files that are written as definitions are: the same YAML, the same places in errors, the same values.

export { type Path, type Place, Problems } from "./problem.ts";
export { reportIssues } from "./schema-problem.ts";
export { toCondition, toSource } from "./value.ts";
export { readYaml, type SourceDocument } from "./yaml.ts";
