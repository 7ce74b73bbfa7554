import type { ProgramDocument } from "@tutti/kernel";
import type { SharedLog } from "../../embedded/shared-log.ts";
import { createTemporalEngine } from "../../temporal/index.ts";
import { testHost } from "../../testing/host.ts";
import type { TemporalServer } from "../../testing/temporal-server.ts";

/** Who does the same work as another one. */
export interface Contestant {
  /** One instance, from its start to its end. */
  once(): Promise<void>;
  close(): Promise<void>;
}

const ends = /^instance-(completed|failed|cancelled)$/;

export async function openTutti(options: {
  readonly server: TemporalServer;
  readonly log: SharedLog;
  readonly bundle: { readonly code: string };
  readonly program: ProgramDocument;
  readonly steps: number;
  readonly local: boolean;
  readonly slots: number;
}): Promise<Contestant> {
  const { server, log, bundle, program, steps, local, slots } = options;
  const engine = await createTemporalEngine({
    address: server.address,
    namespace: server.namespace(),
    store: log,
    host: testHost,
    workflowBundle: bundle,
    workflowTaskTimeoutMs: 10_000,
  });
  await engine.adjustQueue("standard", slots);
  await engine.deploy([program]);
  engine.work("work", async () => ({ type: "completed", result: {} }), { short: local });
  const ended = new Map<string, PromiseWithResolvers<void>>();
  const endOf = (instanceId: string): PromiseWithResolvers<void> => {
    const found = ended.get(instanceId) ?? Promise.withResolvers<void>();
    ended.set(instanceId, found);
    return found;
  };
  const follow = async (): Promise<void> => {
    for await (const { instanceId, event } of engine.history({ follow: true })) {
      if (ends.test(event.type)) endOf(instanceId).resolve();
    }
  };
  const followed = follow();
  const items = Array.from({ length: steps }, (_, index) => index);
  const variables = program.variables.length === 0 ? {} : { items };
  let started = 0;
  return {
    async once() {
      const request = { requestId: `r${++started}`, process: program.id, variables, actor: "bench" };
      const instanceId = await engine.start(request);
      await endOf(instanceId).promise;
      ended.delete(instanceId);
    },
    async close() {
      await engine.close();
      await followed;
    },
  };
}
