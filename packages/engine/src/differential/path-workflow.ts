import { testHost } from "@tutti/kernel/testing";
import { pathWorkflow } from "./path-clock.ts";

const workflow: ReturnType<typeof pathWorkflow> = pathWorkflow(testHost);

export { workflow as default };
