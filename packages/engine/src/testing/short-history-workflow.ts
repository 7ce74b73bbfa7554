import { processWorkflow } from "../temporal/workflow/index.ts";
import { testHost } from "./host.ts";

/** Real time, and histories that are long after a hundred events. */
const workflow: ReturnType<typeof processWorkflow> = processWorkflow({ host: testHost, historyEventsMax: 100 });

export { workflow as default };
