import { check, checkCalls, compileYaml } from "@tutti/definition";
import { expect, test } from "vitest";
import { featureDefinitions, loadFeaturePrograms } from "./definitions.ts";
import { createFeatureDeps } from "./deps.ts";
import { featureHandlers } from "./handlers/table.ts";

test("[F1] the shipped definitions have nothing wrong and nothing to warn of, each alone and all together", async () => {
  const files = await featureDefinitions();
  const results = files.map(({ file, text }) => compileYaml(text, { file }));
  expect(results.flatMap(({ problems }) => problems)).toEqual([]);
  const programs = results.flatMap((result) => result.programs);
  expect(programs.map(({ id }) => id)).toEqual(["feature", "merge", "unit", "work-loop"]);
  expect(checkCalls(programs, { file: "definitions" })).toEqual([]);
  expect(programs.flatMap((program) => check(program))).toEqual([]);
});

test("[F2] every job of the definitions has a handler, and no handler is without a job", async () => {
  const programs = await loadFeaturePrograms();
  const types = programs.flatMap(({ elements }) =>
    elements.flatMap((element) => (element.kind === "service-task" ? [element.job.type] : [])),
  );
  const handled = Object.keys(featureHandlers(createFeatureDeps({ stateDir: "/nowhere" })));
  expect([...new Set(types)].sort()).toEqual([...handled].sort());
});
