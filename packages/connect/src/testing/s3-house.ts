import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import type { ArtifactStore } from "@tutti/kernel";
import { openS3ArtifactStore, type S3Options } from "../artifact/s3.ts";
import { s3Client } from "../artifact/s3-client.ts";
import { type MinioServer, startMinio } from "./minio-server.ts";

/** A server with one bucket, and what a test needs to look at it from outside. */
export interface S3House {
  readonly server: MinioServer;
  readonly bucket: string;
  readonly raw: S3Client;
  /** Folder for what is on its way. */
  readonly scratch: string;
  open(options?: Partial<S3Options>): Promise<ArtifactStore>;
  close(): Promise<void>;
}

const region = "us-east-1";

export async function openS3House(options: { readonly encrypts: boolean }): Promise<S3House> {
  const server = await startMinio(options);
  const { endpoint, environment } = server;
  const scratch = mkdtempSync(join(tmpdir(), "tutti-s3-"));
  const raw = s3Client({ endpoint, region, environment });
  const bucket = "artifacts";
  await raw.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    ...{ server, bucket, raw, scratch },
    open: (wanted = {}) =>
      openS3ArtifactStore({
        ...{ endpoint, region, environment, bucket, scratch },
        ...{ prefix: "tests/", encryption: "bucket" },
        ...wanted,
      }),
    async close() {
      raw.destroy();
      await server.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
