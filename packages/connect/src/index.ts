export { keyFromEnvironment } from "./artifact/key.ts";
export type { ArtifactKey } from "./artifact/seal.ts";
export { openArtifactStore } from "./artifact/setting.ts";
export { connectErrors } from "./errors.ts";
