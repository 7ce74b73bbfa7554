import { randomUUID } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { EngineReader, HistoryRequest, Page, Views } from "@tutti/engine";
import { AppError, type InstanceView } from "@tutti/kernel";
import {
  cursorText,
  type EventRecord,
  eventRecordSchema,
  type Health,
  healthSchema,
  problemMediaType,
  problemSchema,
} from "@tutti/protocol";
import type { z } from "zod";
import { patiently } from "../engines/patience.ts";
import { RemoteError } from "../problem.ts";
import { checkSocketFolder, type StateFolder } from "../state.ts";
import { beginsHeader, requestHeader } from "./begins.ts";

const answerMsMax = 30_000;
/** The base of a large repository has a long way, and the first run on Temporal waits until there are workers. */
export const startMsMax = 1_800_000;
const answerBytesMax = 64 * 1024 * 1024;

interface Request {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: unknown;
  readonly timeoutMs?: number;
  /** Of one that may be sent again. */
  readonly id?: string;
}

/** Speaks to the owner over its socket. Problems it answers with are thrown as they are. */
export class OwnerClient {
  readonly #socket: string;
  readonly #patience: StateFolder["patience"];
  readonly #headers: { readonly [name: string]: string };

  /** Throws `state-unusable` when somebody else could be listening there. */
  constructor(state: StateFolder) {
    checkSocketFolder(state);
    this.#socket = state.socket;
    this.#patience = state.patience;
    this.#headers = { [beginsHeader]: state.engine ?? "embedded" };
  }

  health(timeoutMs = 5_000): Promise<Health> {
    return this.ask({ method: "GET", path: "/v1/health", timeoutMs }, healthSchema);
  }

  async ask<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
    return schema.parse(await this.json(request));
  }

  /** Who has patience waits while Temporal is away. What is asked again then is the same request. */
  json(request: Request): Promise<unknown> {
    const asked = this.#patience === undefined ? request : { ...request, id: randomUUID() };
    return patiently(this.#patience, () => this.#once(asked));
  }

  async #once(request: Request): Promise<unknown> {
    const response = await this.#send(request);
    const text = await readAll(response);
    const type = response.headers["content-type"] ?? "";
    if (type.startsWith(problemMediaType)) throw remoteError(text);
    return JSON.parse(text) as unknown;
  }

  /** Server-sent events as records, from the cursor on. Ends with the answer, or when the signal aborts. */
  async *events(run: string, options: Pick<HistoryRequest, "after" | "follow" | "signal">): AsyncIterable<EventRecord> {
    const { after, follow = false, signal } = options;
    const query = new URLSearchParams({ follow: String(follow) });
    if (after !== undefined) query.set("after", cursorText(after));
    const path = `/v1/runs/${encodeURIComponent(run)}/events?${query}`;
    for await (const data of this.stream({ method: "GET", path }, signal)) yield eventRecordSchema.parse(data);
  }

  /** Server-sent events of an answer. Ends with the answer, or when the signal aborts. */
  async *stream(request: Request, signal: AbortSignal | undefined): AsyncIterable<unknown> {
    const response = await this.#send({ ...request, timeoutMs: 0 });
    if ((response.headers["content-type"] ?? "").startsWith(problemMediaType)) {
      throw remoteError(await readAll(response));
    }
    const stop = (): void => void response.destroy();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for await (const data of eventData(response)) yield JSON.parse(data) as unknown;
    } catch (error) {
      // An owner that ends in the middle of a stream is seen by what the caller asks next.
      if (signal?.aborted !== true && !isHangUp(error)) throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      response.destroy();
    }
  }

  #send({ method, path, body, timeoutMs = answerMsMax, id }: Request): Promise<IncomingMessage> {
    return new Promise<IncomingMessage>((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        ...this.#headers,
        ...(id === undefined ? {} : { [requestHeader]: id }),
        ...(text === undefined ? {} : { "content-type": "application/json" }),
      };
      const request = httpRequest({ socketPath: this.#socket, method, path, headers, agent: false }, resolve);
      if (timeoutMs > 0) {
        request.setTimeout(timeoutMs, () => {
          request.destroy(new AppError("owner-silent", `Expected an answer to ${method} ${path} in ${timeoutMs} ms`));
        });
      }
      request.on("error", (error) => reject(connectionError(error, this.#socket)));
      request.end(text);
    });
  }
}

function connectionError(error: Error, socket: string): Error {
  if (error instanceof AppError) return error;
  return new AppError("owner-unreachable", `Expected an owner at ${socket}, but ${error.message}`, { cause: error });
}

/** Whether nobody listens there, as opposed to somebody who does not answer. */
export function isAbsent(error: unknown): boolean {
  const cause = error instanceof AppError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code === "ENOENT" || cause?.code === "ECONNREFUSED" || cause?.code === "ENOTDIR";
}

function isHangUp(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE" || (error as Error).message === "aborted";
}

function remoteError(text: string): RemoteError {
  const { code, detail: message, place, advice, exit, status, details } = problemSchema.parse(JSON.parse(text));
  return new RemoteError({ code, message, place, advice, exit, status, details });
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > answerBytesMax)
      throw new AppError("owner-silent", `Expected at most ${answerBytesMax} bytes of answer`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The data of each server-sent event; comments and other fields are left out. */
async function* eventData(response: IncomingMessage): AsyncIterable<string> {
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response as AsyncIterable<string>) {
    rest += chunk;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const lines = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 2);
      const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
      if (data.length > 0) yield data.join("\n");
    }
  }
}

/** The owner's engine, as far as it can be read from outside. */
export function remoteReader(client: OwnerClient): Pick<EngineReader, "instance" | "query" | "history"> {
  return {
    instance: async (id) =>
      (await client.json({ method: "GET", path: `/v1/instances/${encodeURIComponent(id)}` })) as InstanceView,
    query: async <V extends keyof Views>(
      view: V,
      filter: Views[V]["filter"] = {},
      page: { readonly after?: string; readonly limit?: number } = {},
    ) => {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries({ ...filter, ...page })) query.set(name, String(value));
      return (await client.json({ method: "GET", path: `/v1/${view}?${query}` })) as Page<Views[V]["row"]>;
    },
    history: (request = {}) => client.events(request.rootId ?? "", request),
  };
}
