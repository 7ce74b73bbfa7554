import { AppError, type ArtifactStore } from "@tutti/kernel";
import { digest } from "../name.ts";

/** A store that forgets: for tests of what is put and got, not of keeping. `stored` may be changed. */
export interface MemoryArtifacts extends ArtifactStore {
  readonly stored: Map<string, Buffer>;
}

export function memoryArtifacts(): MemoryArtifacts {
  const stored = new Map<string, Buffer>();
  return {
    stored,
    async put(content, { mediaType }) {
      const pieces: Uint8Array[] = [];
      if (content instanceof Uint8Array) pieces.push(content);
      else for await (const piece of content) pieces.push(piece);
      const all = Buffer.concat(pieces);
      const name = `sha256-${digest(all)}`;
      stored.set(name, all);
      return { digest: name, bytes: all.length, mediaType };
    },
    async *get(reference) {
      const all = stored.get(reference.digest);
      if (all === undefined) throw new AppError("artifact-not-found", `no ${reference.digest}`);
      if (`sha256-${digest(all)}` !== reference.digest) throw new AppError("artifact-damaged", reference.digest);
      yield all;
    },
    has: async (reference) => stored.has(reference.digest),
    link: async () => undefined,
    sweep: async () => ({ removed: 0, bytes: 0 }),
    close: async () => undefined,
  };
}
