import type { ArtifactStore } from "../artifact.ts";
import { AppError } from "../problem.ts";

/** A store that forgets: for tests of what is put and got, not of keeping. `stored` may be changed. */
export interface MemoryArtifacts extends ArtifactStore {
  readonly stored: Map<string, Uint8Array>;
}

/** `sha256` gives 64 hex digits. */
export function memoryArtifacts(sha256: (content: Uint8Array) => string): MemoryArtifacts {
  const stored = new Map<string, Uint8Array>();
  return {
    stored,
    async put(content, { mediaType }) {
      const pieces: Uint8Array[] = [];
      if (content instanceof Uint8Array) pieces.push(content);
      else for await (const piece of content) pieces.push(piece);
      const all = joined(pieces);
      const digest = `sha256-${sha256(all)}`;
      stored.set(digest, all);
      return { digest, bytes: all.length, mediaType };
    },
    async *get({ digest }) {
      const all = stored.get(digest);
      if (all === undefined) throw new AppError("artifact-not-found", `There is no artifact ${digest}`);
      if (`sha256-${sha256(all)}` !== digest) throw new AppError("artifact-damaged", `${digest} has another content`);
      yield all;
    },
    has: async ({ digest }) => stored.has(digest),
    link: async () => undefined,
    sweep: async () => ({ removed: 0, bytes: 0 }),
    close: async () => undefined,
  };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
