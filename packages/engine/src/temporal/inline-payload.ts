/*
 * Where nothing takes large payloads elsewhere, they are in the history. A server takes 2 MiB of each, and ends the
 * instance that gives more. Both sides of the sandbox import this.
 */

const bytesMax = 2_000_000;
const bytesOfCharMax = 3;

/** For what comes from outside: some of them may be in one payload. */
export const inlinePayload = { payloadCharsMax: 600_000 } as const;

/** What is wrong with a payload of this JSON; undefined: the server takes it. */
export function tooLargeInline(json: string): string | undefined {
  if (json.length * bytesOfCharMax <= bytesMax) return undefined;
  const others = json.match(/[^ -~]/g)?.length ?? 0;
  const bytes = json.length + others * (bytesOfCharMax - 1);
  if (bytes <= bytesMax) return undefined;
  return `Expected at most ${bytesMax} bytes where there is no store of artifacts, but it has up to ${bytes}.`;
}
