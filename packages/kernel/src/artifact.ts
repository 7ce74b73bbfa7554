/**
 * Names content by what is in it. Plain JSON, so that it may stand in variables, events and messages in the place of
 * what it names; whoever has it can tell whether what a store gives is that.
 */
export type ArtifactReference = {
  /** `sha256-<64 hex>` of the content as it was put. */
  readonly digest: string;
  /** Size of the content as it was put. */
  readonly bytes: number;
  /** As in `application/json`: for whoever shows or opens it. */
  readonly mediaType: string;
};

export interface ArtifactPutOptions {
  readonly mediaType: string;
  /** Ends the put; nothing of it is left. */
  readonly signal?: AbortSignal;
}

/** Artifacts that were last put before `putBefore` (epoch ms) are removed, except those that `keep` names. */
export interface ArtifactSweep {
  readonly putBefore: number;
  keep(digest: string): boolean;
}

export interface ArtifactsSwept {
  readonly removed: number;
  readonly bytes: number;
}

/**
 * Content-addressed storage for what is too large for the log, and for what several machines need. Several processes may
 * use one store at once. Refusals are AppErrors: `artifact-not-found`, `artifact-damaged`, `artifact-too-large`,
 * `artifact-invalid`, and what keeps the store itself from answering.
 */
export interface ArtifactStore {
  /** Durable when it resolves, and not there at all before. Putting the same content again makes it young again. */
  put(content: Uint8Array | AsyncIterable<Uint8Array>, options: ArtifactPutOptions): Promise<ArtifactReference>;
  /** Rejects at the end at the latest when the content is not what `reference` names: do not act on what came before it. */
  get(reference: ArtifactReference, options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  has(reference: ArtifactReference): Promise<boolean>;
  /** An address from which anybody can read the content for `validMs`; undefined where the store has none to give. */
  link(reference: ArtifactReference, options: { readonly validMs: number }): Promise<string | undefined>;
  /**
   * Removes what nobody needs any more. What is put again at this very moment may be removed with the rest: `keep` names
   * what runs that are open refer to, and `putBefore` lies well in the past.
   */
  sweep(policy: ArtifactSweep): Promise<ArtifactsSwept>;
  close(): Promise<void>;
}
