import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contentOf } from "../conformance/artifact-store.suite.ts";
import { describeWithMinio } from "../testing/minio-server.ts";
import { openS3House, type S3House } from "../testing/s3-house.ts";
import { openArtifactStore } from "./setting.ts";

const mediaType = "text/plain";
const content = Buffer.from("some content");
const key = "0123456789abcdef".repeat(4);
const stateDir = mkdtempSync(join(tmpdir(), "tutti-state-"));
afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

test("[CN50] 'folder' is a folder beside everything else, encrypted when there is a key", async () => {
  const plain = await openArtifactStore({ setting: "folder", stateDir, environment: {} });
  const { digest } = await plain.put(content, { mediaType });
  const shard = join(stateDir, "artifacts", digest.slice(7, 9));
  expect(readdirSync(shard)).toEqual([digest.slice(7)]);
  const sealed = await openArtifactStore({ setting: "folder", stateDir, environment: { TUTTI_ARTIFACT_KEY: key } });
  await sealed.put(content, { mediaType });
  expect(readdirSync(shard)).toEqual([`${digest.slice(7)}.sealed`]);
});

test.each([
  ["", "'folder' or s3://"],
  ["/some/folder", "'folder' or s3://"],
  ["https://hush.example.com/bucket", "'folder' or s3://"],
  ["s3://user:hush@bucket/prefix", "credentials in the environment alone"],
  ["s3://", "a bucket"],
  ["s3://B_cket", "a bucket"],
  ["s3://bucket/a//b", "a prefix"],
  ["s3://bucket?endpiont=http://hush", "only endpoint, region, encryption"],
  ["s3://bucket?endpoint=http://user:hush@host", "an endpoint as https://host:port"],
  ["s3://bucket?endpoint=host:9000", "an endpoint as https://host:port"],
  ["s3://bucket?encryption=no", "encryption=required or =bucket"],
])("[CN51] '%s' is refused, and what is secret in it is not repeated", async (setting, expected) => {
  const error: Error = await openArtifactStore({ setting, stateDir, environment: {} }).then(
    () => new Error("it was opened"),
    (reason) => reason,
  );
  expect(error).toMatchObject({ code: "artifact-setting-invalid" });
  expect(error.message).toMatch(new RegExp(expected.replaceAll("?", "\\?")));
  expect(error.message).not.toContain("hush");
});

test("[CN51] a key for the folder is refused where artifacts are in S3, so that nobody takes them for encrypted", async () => {
  const environment = { TUTTI_ARTIFACT_KEY: key };
  const opening = openArtifactStore({ setting: "s3://bucket", stateDir, environment });
  await expect(opening).rejects.toMatchObject({ code: "artifact-setting-invalid" });
});

describeWithMinio("a bucket that is named", () => {
  let house: S3House;
  beforeAll(async () => {
    house = await openS3House({ encrypts: false });
  });
  afterAll(() => house?.close());

  test("[CN50] is used with the credentials of the environment, below its prefix", async () => {
    const { endpoint, environment } = house.server;
    const setting = `s3://${house.bucket}/ours/runs?endpoint=${endpoint}`;
    const store = await openArtifactStore({ setting, stateDir, environment });
    const reference = await store.put(content, { mediaType });
    const other = await house.open({ prefix: "ours/runs/" });
    expect(await contentOf(other.get(reference))).toEqual(content);
    expect(existsSync(join(stateDir, "artifacts", "sending"))).toBe(true);
    const required = await openArtifactStore({ setting: `${setting}&encryption=required`, stateDir, environment });
    await expect(required.put(Buffer.from("more"), { mediaType })).rejects.toMatchObject({
      code: "artifact-encryption-unavailable",
    });
    await Promise.all([store, other, required].map((each) => each.close()));
  });
});
