import { randomUUID } from "node:crypto";
import type { Client } from "@temporalio/client";
import type { Rejection } from "@tutti/kernel";
import { notDone } from "./connection.ts";
import { askMsMax, isGone, isPassing } from "./courier.ts";

/** How often, and how soon again, a command is asked of an instance that the log has open and Temporal has not. */
const asksMax = 10;
const askAgainMs = 100;

/** What an execution is asked; under the same id it is the same question. */
export interface Asked {
  readonly instanceId: string;
  readonly update: { readonly name: string; readonly updateId?: string };
  readonly asked: unknown;
}

export interface Refused {
  readonly ok: false;
  readonly rejection: Rejection;
}

/**
 * The answer of an execution to an update. `refused` tells from the log why none answers; undefined when the log has
 * the instance open.
 */
export async function askExecution<A extends { readonly ok: boolean }>(
  client: Client,
  { instanceId, update, asked }: Asked,
  refused: () => Promise<A | Refused | undefined>,
): Promise<A | Refused> {
  const handle = client.workflow.getHandle(instanceId);
  const until = Date.now() + askMsMax;
  // One id for all tries: if it was done, and only its answer was lost, the next one is given that answer.
  const { name, updateId = randomUUID() } = update;
  for (let gone = 0, isFirst = true; ; isFirst = false) {
    try {
      return await handle.executeUpdate<A, [unknown]>(name, { args: [asked], updateId });
    } catch (error) {
      // Otherwise it was not done as far as the history goes; what the log has of it is known again by its cause.
      if (isGone(error)) gone++;
      else if (!isPassing(error) || Date.now() > until) throw notDone(error);
    }
    if (isFirst) continue;
    const refusal = await refused();
    if (refusal !== undefined) return refusal;
    if (gone === asksMax) {
      const reason = `Expected the workflow of '${instanceId}' to be running, but somebody has ended it`;
      return { ok: false, rejection: { code: "instance-ended", reason } };
    }
    // It may be going on in a new execution at this moment.
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
  }
}
