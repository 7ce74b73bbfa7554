export { type FolderOptions, openFolderArtifactStore } from "./artifact/folder.ts";
export { keyFromEnvironment } from "./artifact/key.ts";
export { openS3ArtifactStore, type S3Options } from "./artifact/s3.ts";
export type { S3Access, S3Timing } from "./artifact/s3-client.ts";
export type { ArtifactKey } from "./artifact/seal.ts";
export { connectErrors } from "./errors.ts";
