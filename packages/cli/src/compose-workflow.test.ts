import { fileURLToPath } from "node:url";
import { bundleProcessWorkflow } from "@tutti/engine/temporal";
import { expect, test } from "vitest";

test("[TE12] the workflow that workers bundle has the kernel and the languages, and nothing of Node", async () => {
  // The bundler refuses a module that the sandbox does not have.
  const { code } = await bundleProcessWorkflow({
    workflowsPath: fileURLToPath(new URL("./compose-workflow.ts", import.meta.url)),
    conditions: ["@tutti/source"],
  });
  for (const part of ["packages/kernel/src/decide.ts", "@marcbachmann/cel-js", "feelin", "croner"]) {
    expect(code).toContain(part);
  }
}, 120_000);
