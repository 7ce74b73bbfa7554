import { Client, Connection, isGrpcServiceError } from "@temporalio/client";
import type { DataConverter, PayloadCodec } from "@temporalio/common";
import { DefaultLogger, type LogEntry, makeTelemetryFilterString, NativeConnection, Runtime } from "@temporalio/worker";
import { AppError } from "@tutti/kernel";
import type { EngineLog } from "../embedded/turn/pump.ts";

/** How long the server may take to answer that it is there. */
const connectTimeoutMs = 5_000;
/** gRPC: DEADLINE_EXCEEDED and UNAVAILABLE. */
const away: ReadonlySet<number> = new Set([4, 14]);

export interface TemporalConnection {
  readonly client: Client;
  /** For workers. */
  readonly native: NativeConnection;
  /** What both make of payloads. */
  readonly dataConverter: DataConverter;
  close(): Promise<void>;
}

let isInstalled = false;

/** Temporal's runtime is one for the process: what it has to say goes to the log of the engine that came first. */
function install(log: EngineLog): void {
  if (isInstalled) return;
  isInstalled = true;
  const tell = ({ level, message, meta = {} }: LogEntry): void => {
    if (level === "ERROR") log.error(message, { ...meta });
    else log.warn(message, { ...meta });
  };
  // Who owns the process decides what its signals mean.
  const logging = { forward: {}, filter: makeTelemetryFilterString({ core: "WARN" }) };
  Runtime.install({ logger: new DefaultLogger("WARN", tell), shutdownSignals: [], telemetryOptions: { logging } });
}

/** Rejects with AppError `temporal-unreachable`. */
export async function connect(options: {
  readonly address: string;
  readonly namespace: string;
  readonly payloadCodecs: readonly PayloadCodec[];
  readonly log: EngineLog;
}): Promise<TemporalConnection> {
  const { address, namespace, log } = options;
  const dataConverter = { payloadCodecs: [...options.payloadCodecs] };
  install(log);
  try {
    const connection = await Connection.connect({ address, connectTimeout: connectTimeoutMs });
    try {
      const native = await NativeConnection.connect({ address });
      return {
        client: new Client({ connection, namespace, dataConverter }),
        native,
        dataConverter,
        close: async () => {
          await connection.close();
          await native.close();
        },
      };
    } catch (error) {
      await connection.close();
      throw error;
    }
  } catch (cause) {
    throw new AppError("temporal-unreachable", `Expected a Temporal server at ${address}, but none answers.`, {
      cause,
    });
  }
}

/** What a request to the server failed with, said in our words where the server is away. */
export function unreachable(error: unknown): unknown {
  if (!isGrpcServiceError(error) || !away.has(error.code)) return error;
  return new AppError("temporal-unreachable", `Expected the Temporal server to answer, but: ${error.details}.`, {
    cause: error,
  });
}
