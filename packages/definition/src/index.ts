export { type CompileResult, compileYaml } from "./compile.ts";
export { type DefinitionErrorCode, definitionErrors } from "./errors.ts";
export { canonicalJson, hashProgram } from "./hash.ts";
export { createHost } from "./host.ts";
export { limits } from "./limits.ts";
export { checkCalls } from "./lint/lint.ts";
export type { Problem } from "./problem.ts";
export { durationMs } from "./timer/duration.ts";
