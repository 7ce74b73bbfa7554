import { request as httpRequest } from "node:http";
import { Readable } from "node:stream";
import { currentPostgresOwner } from "@tutti/engine";
import { AppError } from "@tutti/kernel";
import { beginsHeader, requestHeader } from "./begins.ts";
import { startMsMax } from "./client.ts";

/** Who asked goes away sooner, unless it is something that takes this long. */
const answerMsMax = startMsMax;

/** Sends a request on to whoever owns the store, and gives their answer as it comes. */
export async function forward(store: string, request: Request): Promise<Response> {
  const owner = await currentPostgresOwner(store);
  const note = owner?.note as { readonly socket?: unknown } | undefined;
  if (owner === undefined || typeof note?.socket !== "string") {
    throw new AppError("owner-unreachable", "Expected an owner of the store, but there is none at this moment");
  }
  const { socket } = note;
  const { pathname, search } = new URL(request.url);
  const body = Buffer.from(await request.arrayBuffer());
  const headers = Object.fromEntries(
    ["content-type", "accept", beginsHeader, requestHeader].flatMap((name) => given(name, request.headers)),
  );
  return new Promise((resolve, reject) => {
    const path = `${pathname}${search}`;
    const fail = (error: Error): void =>
      reject(
        new AppError(
          "owner-unreachable",
          `Expected the owner of the store, process ${owner.pid} on ${owner.host}, at ${socket}, but ${error.message}`,
          { cause: error },
        ),
      );
    const sent = httpRequest({ socketPath: socket, method: request.method, path, headers, agent: false }, (answer) => {
      const type = answer.headers["content-type"];
      // What a worker is told comes for as long as it works, and may be nothing for a long time.
      if (type?.startsWith("text/event-stream") === true) sent.setTimeout(0);
      resolve(
        new Response(Readable.toWeb(answer) as ReadableStream, {
          status: answer.statusCode ?? 502,
          headers: type === undefined ? {} : { "content-type": type },
        }),
      );
    });
    // Who asked is gone: the owner has to know, for it may have given them a job.
    request.signal.addEventListener("abort", () => sent.destroy());
    sent.setTimeout(answerMsMax, () => sent.destroy(new Error(`it did not answer in ${answerMsMax} ms`)));
    sent.on("error", fail);
    sent.end(body);
  });
}

function given(name: string, headers: Headers): [string, string][] {
  const value = headers.get(name);
  return value === null ? [] : [[name, value]];
}
