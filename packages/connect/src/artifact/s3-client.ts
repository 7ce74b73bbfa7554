import { S3Client } from "@aws-sdk/client-s3";
import { AppError } from "@tutti/kernel";

export interface S3Access {
  /** Absent: Amazon's own of the region. */
  readonly endpoint?: string;
  readonly region: string;
  /** Where the credentials are, and nowhere else: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. */
  readonly environment: { readonly [name: string]: string | undefined };
  readonly timing?: S3Timing;
}

/** Each request is tried `attemptsMax` times, with pauses that double and vary. */
export interface S3Timing {
  readonly connectMs: number;
  /** So long a connection may be silent, in an answer too. */
  readonly silenceMs: number;
  readonly attemptsMax: number;
}

export const defaultTiming: S3Timing = { connectMs: 5_000, silenceMs: 30_000, attemptsMax: 5 };
/** For the whole of an answer's head: a server that copies parts together takes its time. */
const answerMsMax = 120_000;

/** Throws `artifact-credentials-missing`. */
export function s3Client({ endpoint, region, environment, timing = defaultTiming }: S3Access): S3Client {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN: sessionToken } = environment;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw new AppError(
      "artifact-credentials-missing",
      "Expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, for the artifacts in S3, but they are not there",
    );
  }
  const { connectMs, silenceMs, attemptsMax } = timing;
  return new S3Client({
    region,
    // Servers other than Amazon's seldom have a name for each bucket.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    credentials: {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    maxAttempts: attemptsMax,
    retryMode: "standard",
    requestHandler: {
      connectionTimeout: connectMs,
      socketTimeout: silenceMs,
      requestTimeout: answerMsMax,
      throwOnRequestTimeout: true,
    },
  });
}
