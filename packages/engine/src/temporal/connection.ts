import { Client, Connection, isGrpcServiceError } from "@temporalio/client";
import type { DataConverter, PayloadCodec } from "@temporalio/common";
import { DefaultLogger, type LogEntry, makeTelemetryFilterString, NativeConnection, Runtime } from "@temporalio/worker";
import { AppError } from "@tutti/kernel";
import type { EngineLog } from "../embedded/turn/pump.ts";
import { Resending } from "./resending.ts";

/** How long the server may take to answer that it is there. */
const connectTimeoutMs = 5_000;
/** How often it is told that the workers ask a server that does not answer. They do so several times a second. */
const retriesToldMs = 30_000;
/** gRPC: NOT_FOUND. */
const notFound = 5;
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
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = ({ level, message, meta = {} }: LogEntry): void => {
    // Those who do jobs have none, as it should be; and that an instance failed is in its history.
    if (message.startsWith("No workflows registered") || message === "Workflow failed") return;
    if (meta["target"] === "temporalio_client::retry") {
      if (Date.now() - toldAt < retriesToldMs) return;
      toldAt = Date.now();
    }
    if (level === "ERROR") log.error(message, { ...meta });
    else log.warn(message, { ...meta });
  };
  // Who owns the process decides what its signals mean.
  const logging = { forward: {}, filter: makeTelemetryFilterString({ core: "WARN" }) };
  Runtime.install({ logger: new DefaultLogger("WARN", tell), shutdownSignals: [], telemetryOptions: { logging } });
}

/**
 * Rejects with AppErrors `temporal-unreachable` and `namespace-unknown`, and then leaves nothing that would keep the
 * process from ending.
 */
export async function connect(options: {
  readonly address: string;
  readonly namespace: string;
  readonly payloadCodecs: readonly PayloadCodec[];
  readonly log: EngineLog;
}): Promise<TemporalConnection> {
  const { address, namespace, log } = options;
  const dataConverter = { payloadCodecs: [...options.payloadCodecs] };
  const resending = new Resending();
  const interceptors = [resending.interceptor];
  const connection = Connection.lazy({ address, connectTimeout: connectTimeoutMs, interceptors });
  const close = async (): Promise<void> => {
    await resending.rest();
    await connection.close();
  };
  try {
    await connection.ensureConnected();
    await requireNamespace(connection, { address, namespace });
    // Only now: Temporal's runtime ends with the last connection of its own, and without one never.
    install(log);
    const native = await NativeConnection.connect({ address });
    return {
      client: new Client({ connection, namespace, dataConverter }),
      native,
      dataConverter,
      close: async () => {
        await close();
        await native.close();
      },
    };
  } catch (cause) {
    await close();
    if (cause instanceof AppError) throw cause;
    const message = `Expected a Temporal server at ${address}, but none answers.`;
    throw new AppError("temporal-unreachable", message, { cause });
  }
}

async function requireNamespace(
  { workflowService }: Connection,
  { address, namespace }: { readonly address: string; readonly namespace: string },
): Promise<void> {
  try {
    await workflowService.describeNamespace({ namespace });
  } catch (cause) {
    if (!isGrpcServiceError(cause) || cause.code !== notFound) throw cause;
    const message = `Expected a namespace '${namespace}' on the Temporal server at ${address}, but there is none.`;
    throw new AppError("namespace-unknown", message, { cause });
  }
}

/** What a request to the server failed with, said in our words where the server is away, or does not take it. */
export function notDone(error: unknown): unknown {
  for (let found = error; found instanceof Error; found = found.cause) {
    if (!isGrpcServiceError(found)) continue;
    const [code, wanted] = away.has(found.code)
      ? (["temporal-unreachable", "answer"] as const)
      : (["temporal-refused", "take what it is asked"] as const);
    const message = `Expected the Temporal server to ${wanted}, but: ${found.details}`;
    return new AppError(code, message.endsWith(".") ? message : `${message}.`, { cause: error });
  }
  return error;
}
