export { checkDrawing, type DrawingFinding, type Said } from "./bpmn/drawing-rules.ts";
export { exportBpmn } from "./bpmn/export.ts";
export { type BpmnResult, compileBpmn } from "./bpmn/import.ts";
export { type BuiltProgram, type ProcessBuilder, process, type StepsBuilder } from "./builder.ts";
export { type CheckOptions, check } from "./check/check.ts";
export type { Finding } from "./check/finding.ts";
export { type CompileResult, compile, compileYaml } from "./compile.ts";
export { linkDecisions } from "./dmn/link.ts";
export type { Decision } from "./dmn/source.ts";
export { compileDmn, type DmnResult } from "./dmn/xml.ts";
export { type DefinitionErrorCode, definitionErrors } from "./errors.ts";
export { canonicalJson, hashProgram } from "./hash.ts";
export { createHost } from "./host.ts";
export { limits } from "./limits.ts";
export { checkCalls } from "./lint/lint.ts";
export { type ArrowsResult, compileArrows } from "./notation/arrows.ts";
export type { Notation } from "./notation/model.ts";
export { parseNotation } from "./notation/parse.ts";
export { printNotation } from "./notation/print.ts";
export { type Problem, Problems } from "./problem.ts";
export { definitionJsonSchema } from "./schema/json-schema.ts";
export { checkMigration, type MigrationCheck, type MigrationVerdict } from "./soundness/migration.ts";
export {
  checkSoundness,
  type Soundness,
  type SoundnessCode,
  type SoundnessFinding,
  type SoundnessOptions,
} from "./soundness/soundness.ts";
export { durationMs } from "./timer/duration.ts";
