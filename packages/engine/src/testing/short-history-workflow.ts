import { processWorkflow } from "../temporal/workflow/index.ts";
import { testHost } from "./host.ts";

/** Real time, and histories that are long after a hundred events. */
const workflow: ReturnType<typeof processWorkflow> = processWorkflow({ host: testHost, historyEventsMax: 100 });

// biome-ignore lint/style/noDefaultExport: Temporal runs workflow types without an export of their own by the default one.
export { workflow as default };
