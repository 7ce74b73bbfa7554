import { AppError } from "@tutti/kernel";
import {
  adoptInstanceSchema,
  broadcastSignalSchema,
  deploySchema,
  instanceCommandSchema,
  migrateInstanceSchema,
  moveInstanceSchema,
  planRolloutSchema,
  publishMessageSchema,
  releaseInstanceSchema,
  startInstanceSchema,
} from "@tutti/protocol";
import type { Context, Hono } from "hono";
import type { HouseEngine } from "../engines/joined-engine.ts";
import { isNowhere } from "../engines/joined-reader.ts";
import type { EngineName } from "../engines/place.ts";
import { featureProcess } from "../run/reader.ts";
import { beginsOn, requestIdOf } from "./begins.ts";
import { body } from "./body.ts";

export interface ProcessFacts {
  /** What is new begins on the named one. */
  engine(begins?: EngineName): HouseEngine;
  /** Processes that the house itself needs as they are. */
  readonly ownProcesses: ReadonlySet<string>;
}

/** What a person does with processes of their own. */
export function processRoutes(app: Hono, { engine, ownProcesses }: ProcessFacts): void {
  app.post("/v1/deployments", async (context) => {
    const { programs, rollout } = await body(context, deploySchema);
    const own = programs.find(({ id }) => ownProcesses.has(id));
    if (own !== undefined) {
      throw new AppError("process-reserved", `Expected processes of your own, but '${own.id}' is one of Tutti's`);
    }
    const chosen = engine(beginsOn(context));
    const deployment = await chosen.deploy(programs);
    // Here, so that a caller that is lost now leaves no version that everybody gets.
    if (rollout !== undefined) await chosen.rollout(rollout.process, rollout.plan);
    return context.json(deployment, 201);
  });
  app.post("/v1/instances", async (context) => {
    const request = await body(context, startInstanceSchema);
    if (ownProcesses.has(request.process)) {
      throw new AppError("process-reserved", `Expected a process of your own, but '${request.process}' is Tutti's`);
    }
    return context.json({ id: await engine(beginsOn(context)).start(request) }, 201);
  });
  app.post("/v1/messages", async (context) => {
    const message = { ...named(context), ...(await body(context, publishMessageSchema)) };
    return context.json(await engine(beginsOn(context)).publish(message));
  });
  app.post("/v1/signals", async (context) => {
    await engine(beginsOn(context)).broadcast({ ...named(context), ...(await body(context, broadcastSignalSchema)) });
    return context.json({});
  });
  app.put("/v1/processes/:id/rollout", async (context) => {
    const { plan } = await body(context, planRolloutSchema);
    return context.json(await engine(beginsOn(context)).rollout(context.req.param("id"), plan));
  });
  app.post("/v1/instances/:id/migrations", async (context) => {
    const request = await body(context, migrateInstanceSchema);
    await refuseRun(engine(), context.req.param("id"));
    return context.json(await engine().migrate(context.req.param("id"), request));
  });
  app.post("/v1/instances/:id/moves", async (context) => {
    const id = context.req.param("id");
    const order = await body(context, moveInstanceSchema);
    await refuseMoveOfRun(engine(), id);
    return context.json({ moved: await engine().move(id, order) });
  });
  app.post("/v1/instances/:id/releases", async (context) => {
    const id = context.req.param("id");
    const order = await body(context, releaseInstanceSchema);
    await refuseMoveOfRun(engine(), id);
    return context.json(await engine().release(id, order));
  });
  app.post("/v1/instances/adoptions", async (context) => {
    const { instance, ...by } = await body(context, adoptInstanceSchema);
    const own = instance.programs.find(({ id }) => ownProcesses.has(id));
    if (own !== undefined) {
      throw new AppError("process-reserved", `Expected a process of your own, but '${own.id}' is Tutti's`);
    }
    await engine(beginsOn(context)).adopt(instance, by);
    return context.json({ id: instance.instanceId }, 201);
  });
  app.post("/v1/instances/:id/commands", async (context) => {
    const id = context.req.param("id");
    const command = await body(context, instanceCommandSchema);
    // Whose task it is may do it, in a run too.
    if (!command.type.endsWith("-task")) await refuseRun(engine(), id);
    const requestId = requestIdOf(context);
    const outcome = await engine().command(id, command, requestId === undefined ? {} : { requestId });
    if (outcome.ok) return context.json({ position: outcome.position });
    const { code, reason } = outcome.rejection;
    throw new AppError("command-refused", reason, { details: { code, instance: id } });
  });
}

/** The id of what has none of its own, and may be said again. */
function named(context: Context): { readonly id?: string } {
  const id = requestIdOf(context);
  return id === undefined ? {} : { id };
}

/** One whose move was cut short is nowhere until that is repeated. */
async function refuseMoveOfRun(engine: HouseEngine, instanceId: string): Promise<void> {
  await refuseRun(engine, instanceId).catch((error: unknown) => {
    if (!isNowhere(error)) throw error;
  });
}

/** What a run does is in git, too: only its own commands know how to change both. */
async function refuseRun(engine: HouseEngine, instanceId: string): Promise<void> {
  const { rootId } = await engine.instance(instanceId);
  const root = await engine.instance(rootId);
  if (root.process !== featureProcess) return;
  throw new AppError("instance-of-run", `Expected an instance of a process, but '${instanceId}' belongs to a run`);
}
