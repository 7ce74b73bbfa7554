import { AppError } from "@tutti/kernel";

/** A user task: the instance it belongs to and its key there. */
export interface TaskName {
  readonly instanceId: string;
  readonly key: number;
}

/** As lists show it and a person types it. Ids may hold colons, so the last one counts. */
export function taskId({ instanceId, key }: TaskName): string {
  return `${instanceId}:${key}`;
}

export function parseTaskId(text: string): TaskName {
  const [, instanceId, key] = /^(.+):([1-9]\d{0,14})$/.exec(text) ?? [];
  if (instanceId !== undefined && key !== undefined) return { instanceId, key: Number(key) };
  throw new AppError("task-unknown", `Expected a task as INSTANCE:KEY, but got '${text}'`);
}
