import { processWorkflow } from "../../temporal/workflow/index.ts";
import { testHost } from "../../testing/host.ts";

const workflow: ReturnType<typeof processWorkflow> = processWorkflow({ host: testHost });

export { workflow as default };
