import { agentErrors } from "@tutti/agents";
import { connectErrors } from "@tutti/connect";
import { definitionErrors } from "@tutti/definition";
import { engineErrors } from "@tutti/engine";
import { jobErrors, planErrors } from "@tutti/feature";
import { type ErrorCode, kernelErrors } from "@tutti/kernel";
import { testingErrors } from "@tutti/testing";
import { workspaceErrors } from "@tutti/workspace";
import { cliErrors } from "./errors.ts";

const table: { readonly [code: string]: ErrorCode } = {
  ...kernelErrors,
  ...definitionErrors,
  ...engineErrors,
  ...agentErrors,
  ...testingErrors,
  ...workspaceErrors,
  ...connectErrors,
  ...planErrors,
  ...jobErrors,
  ...cliErrors,
};

/** What is known of a code; one that no table has counts as a bug. */
export function errorCode(code: string): ErrorCode {
  return table[code] ?? (table["internal-error"] as ErrorCode);
}
