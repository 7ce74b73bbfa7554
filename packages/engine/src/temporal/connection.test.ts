import { expect, test } from "vitest";
import { describeWithTemporal, startTemporalServer } from "../testing/temporal-server.ts";
import { connect } from "./connection.ts";

const silent = (): void => undefined;

describeWithTemporal("a connection to Temporal", () => {
  // What is sent where nothing can be sent any more throws in a timer of the client's, which ends the process.
  test.each(["before", "after"] as const)(
    "[TE41] closed while something is asked, it sends nothing again when the server ends %s that",
    async (ends) => {
      const server = await startTemporalServer();
      const log = { info: silent, warn: silent, error: silent };
      const namespace = server.namespace();
      const connection = await connect({ address: server.address, namespace, payloadCodecs: [], log });
      try {
        const { workflow } = connection.client;
        const handle = await workflow.start("anything", { workflowId: "stuck", taskQueue: "nobody's" });
        const answered = expect(handle.executeUpdate("ask")).rejects.toThrow();
        // The server has taken it, and nobody answers.
        await new Promise((resolve) => setTimeout(resolve, 500));
        if (ends === "before") await server.stop();
        await connection.close();
        await server.stop();
        await answered;
        await new Promise((resolve) => setTimeout(resolve, 2_000));
      } finally {
        await server.stop();
      }
    },
  );
});
