import type { InstanceRow } from "@tutti/engine";
import { AppError, type InstanceView } from "@tutti/kernel";
import { codeOf } from "../problem.ts";
import type { RunAccess } from "./access.ts";
import { type Reader, rowsOf } from "./reader.ts";
import { resolveRun } from "./run-id.ts";

/** The instance of any process that a person names, as `instanceNamed` reads it; without a name the run that is meant. */
export async function resolveInstance({ reader, runs }: RunAccess, given: string | undefined): Promise<string> {
  return given === undefined ? resolveRun(runs, given) : (await instanceNamed(reader, given)).instanceId;
}

/**
 * The instance that a person means: by its id, or by letters that only one begins or ends with; one that nobody called
 * goes before those that it called. Rejects with `instance-not-found`, `instance-given-up` or `instance-ambiguous`.
 */
export async function instanceNamed(reader: Reader, given: string): Promise<InstanceView> {
  try {
    return await reader.instance(given);
  } catch (error) {
    if (codeOf(error) !== "instance-not-found") throw error;
  }
  const rows = await rowsOf(reader, "instances");
  const meant = given === "" ? [] : rows.filter(({ instanceId: id }) => id.startsWith(given) || id.endsWith(given));
  const [only, ...others] = preferred(meant);
  if (only === undefined) {
    throw new AppError("instance-not-found", `Expected a run or an instance of a process, but there is no '${given}'`);
  }
  if (others.length === 0) return reader.instance(only.instanceId);
  const ids = [only, ...others].map(({ instanceId }) => instanceId);
  const shown = ids.length > 10 ? `${ids.slice(0, 10).join(", ")} and ${ids.length - 10} more` : ids.join(", ");
  throw new AppError("instance-ambiguous", `Expected one instance, but '${given}' may be ${shown}`, {
    details: { instances: ids.slice(0, 100) },
  });
}

function preferred(rows: readonly InstanceRow[]): readonly InstanceRow[] {
  const outer = rows.filter(({ parentId }) => parentId === null);
  return outer.length > 0 ? outer : rows;
}
