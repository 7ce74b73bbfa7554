import { processWorkflow } from "../temporal/workflow/index.ts";
import { testHost } from "../testing/host.ts";

/** As workers have it, with the server's own word on when a history is long. */
const workflow: ReturnType<typeof processWorkflow> = processWorkflow({ host: testHost });

export { workflow as default };
