import { createHost } from "@tutti/definition/host";
import { processWorkflow } from "@tutti/engine/temporal/workflow";

/*
 * What a worker of Temporal bundles: the kernel and the languages of expressions, put together here because the engine
 * knows the kernel alone. It runs inside Temporal's sandbox, so nothing of Node may be behind it.
 */
const workflow: ReturnType<typeof processWorkflow> = processWorkflow({ host: createHost() });

export { workflow as default };
