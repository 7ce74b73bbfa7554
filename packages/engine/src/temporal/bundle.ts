import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";

/** The code that runs in the sandbox, as one file. Takes some seconds: make it once and share it. */
export async function bundleProcessWorkflow(options: {
  /** The module whose default export is a `processWorkflow`. */
  readonly workflowsPath: string;
  /** Conditions of package exports that come before the usual ones. */
  readonly conditions?: readonly string[];
}): Promise<{ readonly code: string }> {
  const { workflowsPath, conditions = [] } = options;
  return bundleWorkflowCode({
    workflowsPath,
    // Otherwise each execution loads the kernel and all else anew, which takes longer than ten steps. So modules are
    // shared by all executions of a worker: none may keep anything that one execution changes for another.
    preloadModules: [workflowsPath],
    logger: new DefaultLogger("WARN"),
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, conditionNames: [...conditions, "..."] },
    }),
  });
}
