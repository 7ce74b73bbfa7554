import type { Engine } from "../port.ts";
import { connect } from "./connection.ts";
import { TemporalEngine, type TemporalEngineOptions } from "./engine.ts";

export { bundleProcessWorkflow } from "./bundle.ts";
export type { TemporalEngineOptions } from "./engine.ts";

const silent = (): void => undefined;

/** Connects, and takes part in the work. Rejects with AppError `temporal-unreachable`. */
export async function createTemporalEngine(options: TemporalEngineOptions): Promise<Engine> {
  const log = options.log ?? { info: silent, warn: silent, error: silent };
  const connection = await connect(options.address, options.namespace ?? "default", log);
  const engine = new TemporalEngine(options, connection);
  try {
    await engine.open();
  } catch (error) {
    await engine.close({ graceMs: 0 });
    throw error;
  }
  return engine;
}
