import type { Engine } from "@tutti/engine";
import { heartbeatSchema, hireWorkerSchema, jobDoneSchema, type WorkerNews } from "@tutti/protocol";
import type { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { body } from "./body.ts";
import { RemoteWorker, type Workers } from "./workers.ts";

export interface WorkerFacts {
  readonly work: Engine["work"];
  readonly workers: Workers;
  /** Somebody is there, until the function that it gives is called. */
  watch(): () => void;
}

/** What workers in other processes say and are told. */
export function workerRoutes(app: Hono, { work, workers, watch }: WorkerFacts): void {
  app.post("/v1/workers", async (context) => {
    const hire = await body(context, hireWorkerSchema);
    const news = new Mailbox();
    // Refused before the stream begins, so that the refusal is an answer.
    const worker = new RemoteWorker(work, hire, (each) => news.put(each));
    workers.add(worker);
    return streamSSE(context, async (stream) => {
      const unwatch = watch();
      stream.onAbort(() => news.close());
      try {
        for (let each = await news.take(); each !== undefined; each = await news.take()) {
          await stream.writeSSE({ event: "worker", data: JSON.stringify(each) });
          if (each.type === "drained") break;
        }
      } finally {
        workers.remove(worker);
        unwatch();
        await worker.lost();
      }
    });
  });
  app.post("/v1/workers/:id/outcomes", async (context) => {
    const done = await body(context, jobDoneSchema);
    workers.get(context.req.param("id")).done(done);
    return context.json({});
  });
  app.post("/v1/workers/:id/heartbeats", async (context) => {
    await body(context, heartbeatSchema);
    workers.get(context.req.param("id")).heartbeat();
    return context.json({});
  });
  app.post("/v1/workers/:id/drain", (context) => {
    void workers.get(context.req.param("id")).drain();
    return context.json({}, 202);
  });
}

/** What was said and not sent yet, in order. */
class Mailbox {
  readonly #news: WorkerNews[] = [];
  #open = true;
  #wake: (() => void) | undefined;

  put(news: WorkerNews): void {
    this.#news.push(news);
    this.#wake?.();
  }

  close(): void {
    this.#open = false;
    this.#wake?.();
  }

  /** Undefined once it is closed. */
  async take(): Promise<WorkerNews | undefined> {
    while (this.#open && this.#news.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#open ? this.#news.shift() : undefined;
  }
}
