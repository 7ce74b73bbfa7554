import type { Context } from "../command.ts";
import { codeOf } from "../problem.ts";
import { withAccess } from "../run/access.ts";
import { instanceNamed } from "../run/instance-id.ts";

/**
 * Asks for an instance by what a person gave as its whole id, and only if there is none by letters of one: an instance
 * whose move was cut short is in no list, and its id may be letters of another's.
 */
export async function askByWholeId<T>(
  context: Context,
  given: string,
  ask: (instanceId: string) => Promise<T>,
): Promise<T> {
  try {
    return await ask(given);
  } catch (error) {
    if (codeOf(error) !== "instance-not-found") throw error;
  }
  return ask((await withAccess(context, ({ reader }) => instanceNamed(reader, given))).instanceId);
}
