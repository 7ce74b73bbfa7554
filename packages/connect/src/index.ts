export { type FolderOptions, openFolderArtifactStore } from "./artifact/folder.ts";
export { keyFromEnvironment } from "./artifact/key.ts";
export type { ArtifactKey } from "./artifact/seal.ts";
export { connectErrors } from "./errors.ts";
