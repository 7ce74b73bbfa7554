import type { AppError, Job, JobOutcome, Json } from "@tutti/kernel";
import type { Engine, InstanceCommand, MessageRequest, SignalRequest } from "../port.ts";
import type { Hands, JobName } from "./hands.ts";

/** What somebody does to an engine. */
export type Action =
  | { readonly type: "start"; readonly process: string; readonly instanceId: string }
  | { readonly type: "job"; readonly name: JobName; readonly outcome: JobOutcome }
  | { readonly type: "command"; readonly instanceId: string; readonly command: InstanceCommand }
  | { readonly type: "publish"; readonly message: MessageRequest }
  | { readonly type: "broadcast"; readonly signal: SignalRequest }
  /** Time passes until then. */
  | { readonly type: "pass"; readonly to: number };

/** Does it, and gives what the engine says to it: the same on every engine. */
export async function perform(
  action: Exclude<Action, { readonly type: "pass" }>,
  { engine, hands }: { readonly engine: Engine; readonly hands: Hands },
): Promise<Json> {
  switch (action.type) {
    case "start": {
      const { process, instanceId } = action;
      const request = { requestId: instanceId, instanceId, process, variables: {}, actor: "somebody" };
      // A process that only events begin is refused.
      return engine.start(request).catch((error: AppError) => ({ refused: error.code }));
    }
    case "job":
      return shown(await hands.finish(action.name, action.outcome));
    case "command": {
      const outcome = await engine.command(action.instanceId, action.command);
      return outcome.ok ? { ok: true } : plain(outcome);
    }
    case "publish":
      return plain(await engine.publish(action.message));
    case "broadcast":
      await engine.broadcast(action.signal);
      return null;
  }
}

/** Tokens only have to grow. */
function shown({ fencingToken: _, ...job }: Job): Json {
  return plain(job);
}

/** As it is in a log, without what is undefined. */
export function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
