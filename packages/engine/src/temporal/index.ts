import { type SharedLog, soleLog } from "../embedded/shared-log.ts";
import type { Store } from "../embedded/store.ts";
import type { Engine } from "../port.ts";
import { connect } from "./connection.ts";
import { type TemporalEngineOptions as OnLog, TemporalEngine } from "./engine.ts";

export { bundleProcessWorkflow } from "./bundle.ts";
export { claimCheck, encryption, type PayloadKey } from "./payload-codecs.ts";
export type { Release } from "./release.ts";

export interface TemporalEngineOptions extends Omit<OnLog, "store"> {
  /**
   * The log and the programs, closed by the engine: `openPostgresLog`, which any number of processes share, or a store
   * that this process alone writes.
   */
  readonly store: SharedLog | Store;
}

const silent = (): void => undefined;

/** Connects, and takes part in the work. Rejects with AppErrors `temporal-unreachable` and `namespace-unknown`. */
export async function createTemporalEngine(options: TemporalEngineOptions): Promise<Engine> {
  const log = options.log ?? { info: silent, warn: silent, error: silent };
  const { address, namespace = "default", payloadCodecs = [] } = options;
  const connection = await connect({ address, namespace, payloadCodecs, log });
  const store = "append" in options.store ? options.store : soleLog(options.store);
  const engine = new TemporalEngine({ ...options, store }, connection);
  try {
    await engine.open();
  } catch (error) {
    await engine.close({ graceMs: 0 });
    throw error;
  }
  return engine;
}
