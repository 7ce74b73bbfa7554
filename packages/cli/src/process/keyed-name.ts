import { AppError } from "@tutti/kernel";

/** A user task or a job: the instance it belongs to and its key there. */
export interface KeyedName {
  readonly instanceId: string;
  readonly key: number;
}

/** As lists show it and a person types it. Ids may hold colons, so the last one counts. */
export function keyedId({ instanceId, key }: KeyedName): string {
  return `${instanceId}:${key}`;
}

/** Throws `task-unknown` or `job-unknown`. */
export function parseKeyedId(text: string, what: "task" | "job"): KeyedName {
  const [, instanceId, key] = /^(.+):([1-9]\d{0,14})$/.exec(text) ?? [];
  if (instanceId !== undefined && key !== undefined) return { instanceId, key: Number(key) };
  throw new AppError(`${what}-unknown`, `Expected a ${what} as INSTANCE:KEY, but got '${text}'`);
}
