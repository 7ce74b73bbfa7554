import type { Host } from "@tutti/kernel";
import { testHost } from "@tutti/kernel/testing";
import { pathWorkflow } from "./path-clock.ts";

/** A bug in the sandbox alone: sums are one too many. */
const wrongHost: Host = {
  ...testHost,
  evaluate(expression, scope) {
    const result = testHost.evaluate(expression, scope);
    const isWrong = expression.text === "n + 1" && result.ok && typeof result.value === "number";
    return isWrong ? { ...result, value: Number(result.value) + 1 } : result;
  },
};

const workflow: ReturnType<typeof pathWorkflow> = pathWorkflow(wrongHost);

export { workflow as default };
