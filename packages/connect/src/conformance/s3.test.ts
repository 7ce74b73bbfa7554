import { readdirSync } from "node:fs";
import type { Readable } from "node:stream";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { describeWithMinio } from "../testing/minio-server.ts";
import { openS3House } from "../testing/s3-house.ts";
import { type ArtifactHarness, artifactStoreSuite, contentOf } from "./artifact-store.suite.ts";

async function s3Harness(encrypts: boolean): Promise<ArtifactHarness> {
  const house = await openS3House({ encrypts });
  const { raw, bucket: Bucket } = house;
  return {
    open: (options = {}) => house.open({ encryption: encrypts ? "required" : "bucket", youngMs: 0, ...options }),
    async damage({ digest }, change) {
      const place = { Bucket, Key: `tests/${digest.slice("sha256-".length)}` };
      const { Body } = await raw.send(new GetObjectCommand(place));
      await raw.send(new PutObjectCommand({ ...place, Body: change(await contentOf(Body as Readable)) }));
    },
    async count() {
      const { KeyCount = 0 } = await raw.send(new ListObjectsV2Command({ Bucket }));
      return KeyCount + readdirSync(house.scratch).length;
    },
    remove: () => house.close(),
  };
}

describeWithMinio("S3", () => {
  artifactStoreSuite("artifacts in S3", () => s3Harness(false));
  artifactStoreSuite("artifacts in S3, encrypted by the server", () => s3Harness(true));
});
