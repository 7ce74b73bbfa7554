import type { HistoryRequest, Views } from "@tutti/engine";
import { AppError, queueClasses } from "@tutti/kernel";
import {
  adjustQueueSchema,
  cursorText,
  forkInstanceSchema,
  type Health,
  parseCursor,
  problemMediaType,
  problemType,
  runCommandSchema,
  startRunSchema,
} from "@tutti/protocol";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { streamSSE } from "hono/streaming";
import type { Sharing } from "../compose.ts";
import type { EngineName } from "../engines/place.ts";
import { problemOf } from "../problem.ts";
import { beginRun } from "../run/begin.ts";
import { commandRun } from "../run/control.ts";
import { forkInstance } from "../run/fork.ts";
import type { RunReader } from "../run/reader.ts";
import type { StateFolder } from "../state.ts";
import { beginsOn } from "./begins.ts";
import { body } from "./body.ts";
import { type ProcessFacts, processRoutes } from "./process-routes.ts";
import { type WorkerFacts, workerRoutes } from "./worker-routes.ts";

export interface AppFacts extends ProcessFacts, WorkerFacts {
  readonly runs: RunReader;
  readonly state: StateFolder;
  sharing(begins?: EngineName): Sharing;
  health(): Promise<Health>;
  /** Answers at once; the owner ends when its jobs have, or `graceMs` have passed. */
  stop(graceMs: number): void;
  /** Somebody asked something: the owner is in use. */
  touch(): void;
}

const views = [
  "instances",
  "jobs",
  "tasks",
  "incidents",
  "queues",
  "subscriptions",
  "messages",
  "versions",
  "rollouts",
  "refusals",
  "schedules",
] as const satisfies readonly (keyof Views)[];

const bodyBytesMax = 16 * 1024 * 1024;
const heartbeatMs = 15_000;
const stopGraceMsMax = 10 * 60_000;

/** The local API: what the REST face will be, on a socket that only this user can open. */
export function ownerApp(facts: AppFacts): Hono {
  const { engine, runs, state } = facts;
  const app = new Hono();
  app.use(async (_context, next) => {
    facts.touch();
    await next();
  });
  const tooLarge = new AppError(
    "request-invalid",
    `Expected a body of at most ${bodyBytesMax} bytes, but it is larger`,
  );
  app.use(bodyLimit({ maxSize: bodyBytesMax, onError: () => problemResponse(tooLarge) }));
  app.onError(async (error) => problemResponse(error));
  app.notFound((context) => problemResponse(new AppError("path-unknown", `There is nothing at ${context.req.path}`)));

  app.get("/v1/health", async (context) => context.json(await facts.health()));
  app.post("/v1/stop", (context) => {
    const graceMs = Number(context.req.query("graceMs") ?? 5_000);
    facts.stop(Number.isFinite(graceMs) ? Math.min(Math.max(0, graceMs), stopGraceMsMax) : 5_000);
    return context.json({ stopping: true }, 202);
  });

  app.get("/v1/runs", async (context) => context.json({ runs: await runs.list() }));
  app.post("/v1/runs", async (context) => {
    const start = await body(context, startRunSchema);
    const begins = beginsOn(context);
    const id = await beginRun(engine(begins), { state, start, sharing: facts.sharing(begins) });
    return context.json({ id }, 201);
  });
  app.get("/v1/runs/:id", async (context) => context.json(await runs.view(context.req.param("id"))));
  app.post("/v1/runs/:id/commands", async (context) => {
    const command = await body(context, runCommandSchema);
    return context.json(await commandRun({ engine: engine(), state }, context.req.param("id"), command));
  });
  app.get("/v1/runs/:id/events", (context) => events(context, facts));

  // The engine's own views, for what has no path of its own yet.
  app.get("/v1/instances/:id", async (context) => context.json(await engine().instance(context.req.param("id"))));
  processRoutes(app, facts);
  workerRoutes(app, facts);
  app.post("/v1/instances/:id/forks", async (context) => {
    const asked = await body(context, forkInstanceSchema);
    return context.json({ id: await forkInstance(engine(), context.req.param("id"), asked) }, 201);
  });
  for (const view of views) {
    app.get(`/v1/${view}`, async (context) => {
      const { after, limit, ...filter } = context.req.query();
      const page = {
        ...(after === undefined ? {} : { after }),
        ...(limit === undefined ? {} : { limit: Number(limit) }),
      };
      return context.json(await engine(beginsOn(context)).query(view, filter, page));
    });
  }
  app.put("/v1/queues/:class", async (context) => {
    const queue = queueClasses.find((name) => name === context.req.param("class"));
    if (queue === undefined) {
      throw new AppError("request-invalid", `Expected a queue of ${queueClasses.join(", ")}`);
    }
    const { slots } = await body(context, adjustQueueSchema);
    await engine().adjustQueue(queue, slots);
    return context.json({ queue, slots });
  });
  return app;
}

/** Events after the cursor, and those that follow when asked to; each carries its cursor as the event's id. */
function events(context: Context, { engine, watch }: AppFacts): Response {
  const from = context.req.header("last-event-id") ?? context.req.query("after");
  const after = from === undefined ? undefined : parseCursor(from);
  if (from !== undefined && after === undefined) {
    throw new AppError("cursor-invalid", `Expected a cursor such as 12.0, but got '${from.slice(0, 50)}'`);
  }
  return streamSSE(context, async (stream) => {
    const ended = new AbortController();
    stream.onAbort(() => ended.abort());
    const unwatch = watch();
    const heartbeat = setInterval(() => void stream.write(": \n\n"), heartbeatMs);
    const request: HistoryRequest = {
      rootId: context.req.param("id") as string,
      follow: context.req.query("follow") === "true",
      signal: ended.signal,
      ...(after === undefined ? {} : { after }),
    };
    try {
      for await (const record of engine().history(request)) {
        await stream.writeSSE({ id: cursorText(record.cursor), event: "event", data: JSON.stringify(record) });
      }
    } finally {
      clearInterval(heartbeat);
      unwatch();
    }
  });
}

export async function problemResponse(error: unknown): Promise<Response> {
  const { code, message, place, advice, exit, status, details } = await problemOf(error);
  const problem = { type: problemType(code), title: code, status, code, detail: message, place, advice, exit, details };
  return new Response(JSON.stringify(problem), { status, headers: { "content-type": problemMediaType } });
}
