/** A refusal, with the status that the client should see. */
export class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.name = "HttpError";
    this.status = status;
  }
}

/** Sends an answer `{ status, headers?, body? }`; a body goes out as JSON. */
export function send(response, { status, headers = {}, body }) {
  const text = body === undefined ? "" : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** The answer to a request whose handler threw. What we did not expect stays in our log, not in the answer. */
export function failureOf(error) {
  if (error instanceof HttpError) return { status: error.status, body: { error: error.message } };
  console.error(error);
  return { status: 500, body: { error: "Something went wrong on our side." } };
}

/** Reads a JSON body of at most `bytesMax`. */
export async function readJson(request, bytesMax) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new HttpError(413, `A body has at most ${bytesMax} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new HttpError(400, "The body is not JSON.");
  }
}
