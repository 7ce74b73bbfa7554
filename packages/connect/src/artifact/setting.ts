import { join } from "node:path";
import { AppError, type ArtifactStore } from "@tutti/kernel";
import { openFolderArtifactStore } from "./folder.ts";
import { keyFromEnvironment } from "./key.ts";
import type { S3Options } from "./s3.ts";

type S3Place = Pick<S3Options, "bucket" | "prefix" | "endpoint" | "region" | "encryption">;

const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const prefixPattern = /^(?:[\w.-]+\/)*$/;
const parameters = new Set(["endpoint", "region", "encryption"]);

/**
 * Opens the store that a person named: `folder` (`<stateDir>/artifacts`, encrypted when the environment has a key), or
 * `s3://bucket/prefix?endpoint=…&region=…&encryption=required` with the credentials of the environment. Throws
 * `artifact-setting-invalid`, and what keeps the store from being used.
 */
export async function openArtifactStore(options: {
  readonly setting: string;
  /** Absolute path. */
  readonly stateDir: string;
  readonly environment: { readonly [name: string]: string | undefined };
}): Promise<ArtifactStore> {
  const { setting, stateDir, environment } = options;
  const folder = join(stateDir, "artifacts");
  const key = keyFromEnvironment(environment);
  if (setting === "folder") return openFolderArtifactStore({ folder, ...(key === undefined ? {} : { key }) });
  const place = s3Place(setting, environment["AWS_REGION"]);
  if (key !== undefined) {
    throw invalid("no key in the environment (S3 has encryption=required)", "one");
  }
  // Who keeps artifacts in a folder does not wait for Amazon's client to load.
  const { openS3ArtifactStore } = await import("./s3.ts");
  return openS3ArtifactStore({ ...place, environment, scratch: join(folder, "sending") });
}

function s3Place(setting: string, usualRegion = "us-east-1"): S3Place {
  const url = URL.parse(setting);
  // The text itself may hold what nobody is to see, so it is not repeated.
  if (url?.protocol !== "s3:") throw invalid("'folder' or s3://bucket/prefix?endpoint=…", "something else");
  if (url.username !== "" || url.password !== "")
    throw invalid("credentials in the environment alone", "some in the address");
  const bucket = url.host;
  if (!bucketPattern.test(bucket)) throw invalid("a bucket of 3 to 63 small letters, digits, dots and dashes", bucket);
  const path = url.pathname.replace(/^\//, "");
  const prefix = path === "" || path.endsWith("/") ? path : `${path}/`;
  if (!prefixPattern.test(prefix)) throw invalid("a prefix of letters, digits, '.', '_', '-' and '/'", prefix);
  const unknown = [...url.searchParams.keys()].find((name) => !parameters.has(name));
  if (unknown !== undefined) throw invalid(`only ${[...parameters].join(", ")} after the '?'`, unknown);
  const endpoint = url.searchParams.get("endpoint");
  if (endpoint !== null && !/^https?:\/\/[^/@]+\/?$/.test(endpoint)) {
    throw invalid("an endpoint as https://host:port", "something else");
  }
  const encryption = url.searchParams.get("encryption") ?? "bucket";
  if (encryption !== "bucket" && encryption !== "required") throw invalid("encryption=required or =bucket", encryption);
  const region = url.searchParams.get("region") ?? usualRegion;
  return { bucket, prefix, region, encryption, ...(endpoint === null ? {} : { endpoint }) };
}

function invalid(expected: string, actual: string): AppError {
  return new AppError("artifact-setting-invalid", `Expected ${expected} for the store of artifacts, but got ${actual}`);
}
