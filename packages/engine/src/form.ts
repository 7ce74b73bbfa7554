import { AppError, type Json } from "@tutti/kernel";
import type { Engine, InstanceCommand } from "./port.ts";

const shownCharsMax = 100;

/**
 * Rejects with AppError `form-misfit` when a command completes a user task with what its form does not take. A form that
 * is no JSON Schema takes everything.
 */
export async function refuseMisfit(
  engine: Pick<Engine, "query">,
  instanceId: string,
  command: InstanceCommand,
): Promise<void> {
  if (command.type !== "complete-task") return;
  const { key, result } = command;
  const [task] = (await engine.query("tasks", { instanceId, key })).rows;
  if (task === undefined || task.form === null) return;
  // Loaded with the first form that there is to check: the validator takes as long to load as the rest of the engine.
  const { checkOf } = await import("./json-schema.ts");
  const misfit = checkOf(task.form)?.(result);
  if (misfit === undefined) return;
  const { place, keyword, expected, actual, message } = misfit;
  const shown = text(actual);
  const but = `result${place} ${message} and is ${shown}`;
  throw new AppError("form-misfit", `Expected a result that fits the form of '${task.element}', but ${but}.`, {
    place: `result${place}`,
    details: { instance: instanceId, task: key, element: task.element, keyword, expected, actual: shown },
  });
}

function text(value: Json): string {
  const whole = JSON.stringify(value);
  return whole.length <= shownCharsMax ? whole : `${whole.slice(0, shownCharsMax - 1)}…`;
}
