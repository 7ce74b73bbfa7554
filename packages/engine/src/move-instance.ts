import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type InstanceView } from "@tutti/kernel";
import { isBusy, moveRefused } from "./moving.ts";
import type { AdoptOptions, Engine, MovedInstance } from "./port.ts";

/** What of an engine a move needs. */
export type MovingEngine = Pick<Engine, "instance" | "history" | "command" | "release" | "adopt">;

interface Moving {
  readonly instanceId: string;
  readonly actor: string;
}

export interface ReleaseRequest extends Moving {
  /** Those that may have it, or have given it up. */
  readonly from: readonly MovingEngine[];
  /** Jobs that run are stopped, and begin again there. Otherwise a job that runs is in the way. */
  readonly stopRunning: boolean;
}

export interface MoveRequest extends Omit<ReleaseRequest, "from"> {
  readonly to: MovingEngine;
  /** As for a release; asked for only if `to` has not got it. */
  readonly from: () => Promise<readonly MovingEngine[]>;
  readonly reason: string;
}

/** How long jobs that were told to stop are waited for, and how often they are looked at. */
const stopMsMax = 15_000;
const lookAgainMs = 100;

/** Whoever repeats a move knows by it that the pause was the move's, and is to end with it. */
const pauseReason = "It moves to another engine.";

/**
 * Has another engine go on with an instance. An instance that was paused stays so, others are paused meanwhile. It may be
 * repeated after a crash at any point: before it is given up it is where it was; from then on it is where it is adopted,
 * `to` or where it came from. Rejects with `move-refused` and `instance-not-found`; what was refused goes on where it was.
 */
export async function moveInstance(request: MoveRequest): Promise<{ readonly moved: boolean }> {
  const { to, instanceId } = request;
  if ((await viewOf(to, instanceId)) !== undefined) {
    await goOn(request, to);
    return { moved: false };
  }
  const from = await request.from();
  const source = await holderOf(from, instanceId);
  const given = await giveUpFrom({ ...request, from: [...from, to] }, source);
  await adopt(request, { source, given });
  await goOn(request, to);
  return { moved: true };
}

/** The first half: pauses an instance that runs, and has it given up. It may be repeated, and gives the same. */
export async function releaseInstance(request: ReleaseRequest): Promise<MovedInstance> {
  return giveUpFrom(request, await holderOf(request.from, request.instanceId));
}

/** The second half: an engine goes on with it, also with the work that was paused to give it up. */
export async function adoptInstance(to: MovingEngine, given: MovedInstance, by: AdoptOptions): Promise<void> {
  await to.adopt(given, by);
  await goOn({ instanceId: given.instanceId, actor: by.actor }, to);
}

async function giveUpFrom(request: ReleaseRequest, source: MovingEngine | undefined): Promise<MovedInstance> {
  return source === undefined ? givenUp(request.from, request.instanceId) : giveUp(request, source);
}

async function viewOf(engine: MovingEngine, instanceId: string): Promise<InstanceView | undefined> {
  try {
    return await engine.instance(instanceId);
  } catch (error) {
    if (error instanceof AppError && error.code === "instance-not-found") return undefined;
    throw error;
  }
}

async function holderOf(engines: readonly MovingEngine[], instanceId: string): Promise<MovingEngine | undefined> {
  for (const engine of engines) if ((await viewOf(engine, instanceId)) !== undefined) return engine;
  return undefined;
}

/** Of an instance that nobody has: what the engine gives that had it last. */
async function givenUp(engines: readonly MovingEngine[], instanceId: string): Promise<MovedInstance> {
  const given: MovedInstance[] = [];
  for (const engine of engines) {
    try {
      given.push(await engine.release(instanceId));
    } catch (error) {
      if (!(error instanceof AppError && error.code === "instance-not-found")) throw error;
    }
  }
  const [longest] = given.sort((a, b) => b.rows.length - a.rows.length);
  if (longest !== undefined) return longest;
  throw new AppError("instance-not-found", `Expected an instance '${instanceId}', but there is none.`);
}

async function giveUp(request: ReleaseRequest, source: MovingEngine): Promise<MovedInstance> {
  const { instanceId, stopRunning, actor } = request;
  const { status } = await source.instance(instanceId);
  if (status === "running") {
    const pause = { type: "pause-instance", stopRunning, reason: pauseReason, actor } as const;
    const paused = await source.command(instanceId, pause);
    if (!paused.ok) throw moveRefused(paused.rejection.reason);
  }
  try {
    return await releaseIdle(request, source);
  } catch (error) {
    if (error instanceof AppError && error.code === "move-refused") await goOn(request, source);
    throw error;
  }
}

async function releaseIdle({ instanceId, stopRunning }: ReleaseRequest, source: MovingEngine): Promise<MovedInstance> {
  for (const until = Date.now() + stopMsMax; ; await sleep(lookAgainMs)) {
    try {
      return await source.release(instanceId);
    } catch (error) {
      if (!stopRunning || !isBusy(error) || Date.now() > until) throw error;
    }
  }
}

async function adopt(
  request: MoveRequest,
  { source, given }: { readonly source: MovingEngine | undefined; readonly given: MovedInstance },
): Promise<void> {
  const { to, reason, actor } = request;
  try {
    await to.adopt(given, { reason, actor });
  } catch (error) {
    // Refused, it is nowhere, so it goes on where it was. After any other failure nobody knows: repeating the move does.
    if (source !== undefined && error instanceof AppError && error.code === "move-refused") {
      await source.adopt(given, { reason: error.message, actor });
      await goOn(request, source);
    }
    throw error;
  }
}

/** Ends the pause that the move began, unless somebody else has. */
async function goOn({ instanceId, actor }: Moving, engine: MovingEngine): Promise<void> {
  const { status } = await engine.instance(instanceId);
  if (status !== "paused" || !(await isPausedByMove(engine, instanceId))) return;
  const resumed = await engine.command(instanceId, { type: "resume-instance", actor });
  if (resumed.ok || (await engine.instance(instanceId)).status !== "paused") return;
  throw moveRefused(`Expected '${instanceId}' to be resumed where it is, but: ${resumed.rejection.reason}`);
}

async function isPausedByMove(engine: MovingEngine, instanceId: string): Promise<boolean> {
  let reason: string | undefined;
  for await (const { event } of engine.history({ instanceId })) {
    if (event.type === "instance-paused") reason = event.reason;
  }
  return reason === pauseReason;
}
