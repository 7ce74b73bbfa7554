import { AppError } from "@tutti/kernel";
import type { Context } from "../command.ts";
import { withAccess } from "../run/access.ts";
import { instanceNamed } from "../run/instance-id.ts";

/** A user task or a job: the instance it belongs to and its key there. */
export interface KeyedName {
  readonly instanceId: string;
  readonly key: number;
}

/** As lists show it and a person types it. Ids may hold colons, so the last one counts. */
export function keyedId({ instanceId, key }: KeyedName): string {
  return `${instanceId}:${key}`;
}

/** The instance may be abbreviated. Rejects with `task-unknown`, `job-unknown`, or as `instanceNamed` does. */
export async function resolveKeyedId(context: Context, text: string, what: "task" | "job"): Promise<KeyedName> {
  const [, given, key] = /^(.+):([1-9]\d{0,14})$/.exec(text) ?? [];
  if (given !== undefined && key !== undefined) {
    const { instanceId } = await withAccess(context, ({ reader }) => instanceNamed(reader, given));
    return { instanceId, key: Number(key) };
  }
  throw new AppError(`${what}-unknown`, `Expected a ${what} as INSTANCE:KEY, but got '${text}'`);
}
