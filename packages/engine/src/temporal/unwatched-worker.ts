import { type CompiledWorkerOptions, type Logger, Worker } from "@temporalio/worker";
import type { WorkflowCreator } from "@temporalio/worker/lib/workflow/interface.js";
import type { WorkflowBundleWithSourceMapAndFilename } from "@temporalio/worker/lib/workflow/workflow-worker-thread/input.js";

/**
 * A worker whose sandbox is called without a limit of time. Node keeps such a limit with a thread that it begins, and
 * waits for, in each call: three of them in a step, which take longer than the step itself. What runs in this sandbox
 * ends by itself, as in the embedded engine: the kernel is total, and expressions are metered.
 */
export class UnwatchedWorker extends Worker {
  protected static override createWorkflowCreator(
    bundle: WorkflowBundleWithSourceMapAndFilename,
    options: CompiledWorkerOptions,
    logger: Logger,
  ): Promise<WorkflowCreator> {
    // Node takes only undefined for none.
    const unlimited = { ...options, isolateExecutionTimeoutMs: undefined as never };
    return Worker.createWorkflowCreator(bundle, unlimited, logger);
  }
}
