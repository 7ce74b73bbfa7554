import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkCalls, compileYaml } from "@tutti/definition";
import { assert, type ProgramDocument } from "@tutti/kernel";

export interface DefinitionFile {
  /** Absolute path. */
  readonly file: string;
  readonly text: string;
}

/** The shipped definitions as people read and copy them: `feature`, `unit`, `work-loop`, `merge`. */
export async function featureDefinitions(): Promise<readonly DefinitionFile[]> {
  // The folder stands beside src and dist alike.
  const folder = fileURLToPath(new URL("../definitions", import.meta.url));
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml")).sort();
  return Promise.all(
    names.map(async (name) => ({ file: join(folder, name), text: await readFile(join(folder, name), "utf8") })),
  );
}

/** The same, compiled; to be deployed together, for they call each other. */
export async function loadFeaturePrograms(): Promise<readonly ProgramDocument[]> {
  const files = await featureDefinitions();
  const results = files.map(({ file, text }) => compileYaml(text, { file }));
  const programs = results.flatMap((result) => result.programs);
  const problems = [...results.flatMap((result) => result.problems), ...checkCalls(programs, { file: "definitions" })];
  const errors = problems.filter(({ severity }) => severity === "error");
  assert(errors.length === 0, `a shipped definition is wrong: ${errors[0]?.position.file}: ${errors[0]?.message}`);
  return programs;
}
