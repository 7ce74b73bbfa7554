import { Client, Connection } from "@temporalio/client";
import { NativeConnection, Worker } from "@temporalio/worker";
import type { TemporalServer } from "../../testing/temporal-server.ts";
import type { Audit } from "./audit.ts";
import type { HandWrittenActivities, HandWrittenInput } from "./hand-written-workflow.ts";
import type { Contestant } from "./tutti.ts";

/** A workflow that does the steps itself, and a worker for it. `audit` has each step in the log. */
export async function openHandWritten(options: {
  readonly server: TemporalServer;
  readonly audit: Audit | undefined;
  readonly bundle: { readonly code: string };
  readonly steps: number;
  readonly atOnce: boolean;
  readonly local: boolean;
}): Promise<Contestant> {
  const { server, audit, bundle, steps, atOnce, local } = options;
  const { address } = server;
  const namespace = server.namespace();
  const activities: HandWrittenActivities = {
    async work({ instanceId, n, record }) {
      if (record) await audit?.write(instanceId, n);
      return {};
    },
  };
  const taskQueue = "by-hand";
  const native = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    ...{ connection: native, namespace, taskQueue, workflowBundle: bundle, activities },
    maxConcurrentActivityTaskExecutions: 1_000,
  });
  const ended = worker.run();
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection, namespace });
  const input: HandWrittenInput = { steps, atOnce, local, record: audit !== undefined };
  let started = 0;
  return {
    async once() {
      const workflowId = `by-hand-${++started}`;
      await workflow.execute("handWritten", { taskQueue, workflowId, args: [input], workflowTaskTimeout: "10s" });
    },
    async close() {
      worker.shutdown();
      await ended;
      await connection.close();
      await native.close();
    },
  };
}
