import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";

/** TypeScript in the sources, JavaScript once they are built. */
const withoutStacks = fileURLToPath(new URL(`workflow/without-stacks${extname(import.meta.url)}`, import.meta.url));

/** The code that runs in the sandbox, as one file. Takes some seconds: make it once and share it. */
export async function bundleProcessWorkflow(options: {
  /** The module whose default export is a `processWorkflow`. */
  readonly workflowsPath: string;
  /** Conditions of package exports that come before the usual ones. */
  readonly conditions?: readonly string[];
  /** Errors say where they were thrown, and each step takes half as long again: to replay a history that went wrong. */
  readonly stacks?: boolean;
}): Promise<{ readonly code: string }> {
  const { workflowsPath, conditions = [], stacks = false } = options;
  return bundleWorkflowCode({
    workflowsPath,
    // Otherwise each execution loads the kernel and all else anew, which takes longer than ten steps. So modules are
    // shared by all executions of a worker: none may keep anything that one execution changes for another.
    preloadModules: stacks ? [workflowsPath] : [withoutStacks, workflowsPath],
    logger: new DefaultLogger("WARN"),
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, conditionNames: [...conditions, "..."] },
    }),
  });
}
