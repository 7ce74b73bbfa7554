import type { AnyMessage, Stream } from "@agentclientprotocol/sdk";
import type { Json } from "@tutti/kernel";
import type { RunningProcess } from "../process/process.ts";
import type { Transcript } from "../transcript.ts";

/**
 * Joins the SDK's connection to a process that we watch ourselves: lines that are not messages (banners, warnings)
 * are passed by instead of breaking the connection, and everything goes into the transcript.
 */
export class Wire {
  readonly stream: Stream;
  /** Answers to `session/prompt` carry fields that the SDK's types do not know. */
  onResult: ((result: { readonly [name: string]: unknown }) => void) | undefined;
  /**
   * What the agent tells while it works. It does not go through the SDK, which would drop a whole update (and print
   * a warning) for one kind or field that it does not know yet.
   */
  onUpdate: ((params: unknown) => void) | undefined;
  readonly #transcript: Transcript;
  #controller: ReadableStreamDefaultController<AnyMessage> | undefined;
  #running: RunningProcess | undefined;
  #open = true;

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
    this.stream = {
      readable: new ReadableStream<AnyMessage>({
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => this.close(),
      }),
      writable: new WritableStream<AnyMessage>({ write: (message) => this.#send(message) }),
    };
  }

  attach(running: RunningProcess): void {
    this.#running = running;
  }

  /** One line of the agent's standard output; says whether it was a message. */
  receive(line: string): boolean {
    const message = messageIn(line);
    this.#transcript.write({ direction: "from-agent", data: (message as Json | undefined) ?? line });
    if (message === undefined) return false;
    if ("result" in message && typeof message.result === "object" && message.result !== null) {
      this.onResult?.(message.result as { readonly [name: string]: unknown });
    }
    if ("method" in message && message.method === "session/update") this.onUpdate?.(message.params);
    else if (this.#open) this.#controller?.enqueue(message);
    return true;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#controller?.close();
  }

  #send(message: AnyMessage): void {
    this.#transcript.write({ direction: "to-agent", data: message as unknown as Json });
    this.#running?.write(`${JSON.stringify(message)}\n`);
  }
}

function messageIn(line: string): AnyMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(line) as { readonly jsonrpc?: unknown; readonly method?: unknown; readonly id?: unknown };
    const known = value.jsonrpc === "2.0" && (typeof value.method === "string" || value.id !== undefined);
    return known ? (value as AnyMessage) : undefined;
  } catch {
    return undefined;
  }
}
