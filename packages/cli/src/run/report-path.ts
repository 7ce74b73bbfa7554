import { join } from "node:path";
import type { StateFolder } from "../state.ts";

/** Where the report of a run is written for people. */
export function reportPath(state: StateFolder, run: string): string {
  return join(state.path, "runs", run, "PULL_REQUEST.md");
}
