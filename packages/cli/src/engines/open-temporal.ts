import { createHost } from "@tutti/definition";
import type { Engine, EngineLog } from "@tutti/engine";
import type { Release } from "@tutti/engine/temporal";
import type { QueueClass } from "@tutti/kernel";
import type { StateFolder } from "../state.ts";
import { openPayloads } from "./payloads.ts";
import type { TemporalPlace } from "./place.ts";
import { openTemporalLog } from "./temporal-log.ts";

export interface OpenTemporal {
  readonly engine: Engine;
  /** Ends handlers within `graceMs` and releases the log and the artifacts. */
  close(graceMs: number): Promise<void>;
}

/** Connects to Temporal and works on its workflows. Rejects with `temporal-unreachable`. */
export async function openTemporal(options: {
  readonly state: StateFolder;
  readonly place: Required<TemporalPlace>;
  readonly log: EngineLog;
  /** Default: all. */
  readonly queues?: readonly QueueClass[];
  /** Default: nowhere. */
  readonly places?: readonly string[];
  /** Default: workflows are worked on whatever release they are of, as long as none is current. */
  readonly release?: Release;
}): Promise<OpenTemporal> {
  const { state, place, log, queues, places = [], release } = options;
  const [{ createTemporalEngine }, { workflowBundle }] = await Promise.all([
    import("@tutti/engine/temporal"),
    import("./workflow-bundle.ts"),
  ]);
  const bundle = await workflowBundle();
  const payloads = await openPayloads(state, process.env);
  let store: Awaited<ReturnType<typeof openTemporalLog>> | undefined;
  try {
    store = await openTemporalLog(state);
    const engine = await createTemporalEngine({
      ...place,
      places,
      ...(queues === undefined ? {} : { queues }),
      ...(release === undefined ? {} : { release }),
      ...{ store, host: createHost(), workflowBundle: bundle, payloadCodecs: payloads.codecs, log },
    });
    const close = async (graceMs: number): Promise<void> => {
      await engine.close({ graceMs });
      await payloads.close();
    };
    return { engine, close };
  } catch (error) {
    await Promise.all([store?.close(), payloads.close()]);
    throw error;
  }
}
