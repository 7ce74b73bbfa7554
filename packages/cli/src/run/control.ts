import { setTimeout as sleep } from "node:timers/promises";
import type { InstanceCommand } from "@tutti/engine";
import type { RunNeed, RunView } from "@tutti/feature";
import { AppError, type JsonObject, unreachable } from "@tutti/kernel";
import type { CommandDone, RunCommand } from "@tutti/protocol";
import { listWorkspaces } from "@tutti/workspace";
import type { HouseEngine } from "../engines/joined-engine.ts";
import type { StateFolder } from "../state.ts";
import { plural } from "../terminal/text.ts";
import { RunReader } from "./reader.ts";

const collection = "units";

/** Does what a person asked of a run. Rejects with what the person can do instead; refused commands change nothing. */
export async function commandRun(
  { engine, state }: { readonly engine: HouseEngine; readonly state: StateFolder },
  run: string,
  command: RunCommand,
): Promise<CommandDone> {
  const view = await new RunReader(engine).view(run);
  if (view.endedAt !== null) throw new AppError("run-ended", `Expected '${run}' to be open, but it is ${view.status}`);
  const { actor } = command;
  switch (command.type) {
    case "pause": {
      const { stopRunning, reason } = command;
      await send(engine, run, { type: "pause-instance", stopRunning, reason, actor });
      return { did: `Paused ${run}: nothing new starts${stopRunning ? ", and what ran was stopped" : ""}.`, units: [] };
    }
    case "resume":
      await send(engine, run, { type: "resume-instance", actor });
      return { did: `Resumed ${run}.`, units: [] };
    case "cancel":
      await send(engine, run, { type: "cancel-instance", reason: command.reason, actor });
      return { did: `Cancelled ${run}${(await isSettled(state, run)) ? ": its agents have ended" : ""}.`, units: [] };
    case "adjust":
      return adjust(engine, run, command);
    case "retry":
      return retry(engine, view, command);
    case "accept-partial":
      return accept(engine, view, command);
    case "decide":
      return decide(engine, view, command);
    default:
      return unreachable(command);
  }
}

type Of<T extends RunCommand["type"]> = Extract<RunCommand, { readonly type: T }>;

async function adjust(engine: HouseEngine, run: string, { maxParallel, actor }: Of<"adjust">): Promise<CommandDone> {
  await send(engine, run, { type: "adjust-concurrency", element: collection, maxParallel, actor });
  const did = `At most ${maxParallel === null ? "any number of units" : plural(maxParallel, "unit")} of ${run} at once.`;
  return { did, units: [] };
}

async function retry(engine: HouseEngine, view: RunView, command: Of<"retry">): Promise<CommandDone> {
  const { units, reason, actor } = command;
  const known = new Set(view.units.map(({ id }) => id));
  const stranger = units.find((unit) => !known.has(unit));
  if (stranger !== undefined)
    throw new AppError("unit-unknown", `Expected a unit of ${view.run}, but got '${stranger}'`);
  const needs = view.needsYou.filter(({ kind }) => kind !== "approval").filter((need) => concerns(need, units));
  if (needs.length === 0) {
    const what = units.length === 0 ? "something that failed" : `${units.join(", ")} to have failed`;
    throw new AppError("nothing-failed", `Expected ${what} in ${view.run}, but there is nothing to retry`);
  }
  const retried: string[] = [];
  for (const need of needs) {
    const items =
      need.kind === "failed-units" && units.length > 0 ? units.filter((unit) => need.units.includes(unit)) : [];
    await send(engine, need.instanceId, {
      type: "resolve-incident",
      key: need.key,
      action: "retry",
      ...(items.length === 0 ? {} : { items }),
      reason,
      actor,
    });
    retried.push(...(items.length > 0 ? items : need.units));
  }
  const what = retried.length === 0 ? "what failed" : `${plural(retried.length, "unit")} (${retried.join(", ")})`;
  return { did: `Retrying ${what} of ${view.run}.`, units: retried };
}

function concerns(need: RunNeed, units: readonly string[]): boolean {
  return units.length === 0 || units.some((unit) => need.units.includes(unit));
}

async function accept(
  engine: HouseEngine,
  view: RunView,
  { reason, actor }: Of<"accept-partial">,
): Promise<CommandDone> {
  const need = view.needsYou.find(({ kind }) => kind === "failed-units");
  const asked = view.phase === "publishing" ? view.needsYou.find(({ kind }) => kind === "approval") : undefined;
  if (need === undefined && asked === undefined) {
    throw new AppError("nothing-failed", `Expected failed units in ${view.run}, but it does not wait for any`);
  }
  if (need === undefined) {
    return decide(engine, view, { type: "decide", approved: true, note: reason, actor });
  }
  if (view.totals.done === 0) {
    throw new AppError("nothing-done", `Expected a unit of ${view.run} that is done, but there is none to publish`);
  }
  const incident = `${need.instanceId}/${need.key}`;
  await noteAcceptance(engine, view.run, { incident, reason, by: actor, at: Date.now() });
  await send(engine, need.instanceId, { type: "resolve-incident", key: need.key, action: "accept", reason, actor });
  return { did: `${view.run} goes on without ${need.units.join(", ")}.`, units: need.units };
}

/**
 * The report names who accepted a part, and nothing below the threshold is published without it. It is noted before the
 * incident is answered, which may stand in another instance; whoever asks again after a crash in between notes it once.
 */
async function noteAcceptance(engine: HouseEngine, run: string, acceptance: Acceptance): Promise<void> {
  const { variables } = await engine.instance(run);
  const noted = (variables["acceptances"] ?? []) as unknown as readonly Acceptance[];
  const { incident, reason, by } = acceptance;
  const others = noted.filter((each) => each.incident !== incident);
  const values = { acceptances: [...others, acceptance] as unknown as JsonObject[string] };
  await send(engine, run, { type: "set-variables", scope: 0, values, reason, actor: by });
}

interface Acceptance {
  /** `<instance>/<key>` of the incident that it answers. */
  readonly incident: string;
  readonly reason: string;
  readonly by: string;
  readonly at: number;
}

async function decide(engine: HouseEngine, view: RunView, command: Of<"decide">): Promise<CommandDone> {
  const { approved, note, actor } = command;
  const need = view.needsYou.find(({ kind }) => kind === "approval");
  if (need === undefined) {
    throw new AppError("nothing-to-decide", `Expected a plan of ${view.run} to decide on, but none waits`);
  }
  await send(engine, need.instanceId, { type: "complete-task", key: need.key, result: { approved, note }, actor });
  const what = view.phase === "publishing" ? "partial result" : "plan";
  return { did: `${approved ? "Approved" : "Rejected"} the ${what} of ${view.run}.`, units: [] };
}

const settleMsMax = 5_000;

/** Whether every agent of a cancelled run has ended and its workspace is gone; waits for that, within limits. */
async function isSettled(state: StateFolder, run: string): Promise<boolean> {
  const deadline = Date.now() + settleMsMax;
  while ((await listWorkspaces(state.path, run)).length > 0) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

async function send(engine: HouseEngine, instance: string, command: InstanceCommand): Promise<void> {
  const outcome = await engine.command(instance, command);
  if (outcome.ok) return;
  const { code, reason } = outcome.rejection;
  throw new AppError("command-refused", reason, { details: { code, instance } });
}
