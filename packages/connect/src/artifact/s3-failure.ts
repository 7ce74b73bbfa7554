import { S3ServiceException } from "@aws-sdk/client-s3";
import { AppError } from "@tutti/kernel";

interface Asked {
  readonly bucket: string;
  readonly endpoint?: string;
}

/** Of an object, not of its bucket. */
export function isMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.name === "NoSuchKey" || error.name === "NotFound");
}

/** Whether the same may succeed a little later: nobody answered, or somebody who was overloaded. */
export function isTransient(error: unknown): boolean {
  if (error instanceof AppError) return false;
  return !(error instanceof S3ServiceException) || (error.$metadata.httpStatusCode ?? 500) >= 500;
}

/** What a request came to after its last attempt, in our words, with the server's name for it. */
export function requestFailure(error: unknown, { bucket, endpoint = "Amazon S3" }: Asked): unknown {
  if (error instanceof AppError) return error;
  const failure = (code: string, message: string): AppError => new AppError(code, message, { cause: error });
  const { name, message } = error as Error;
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status === undefined || status >= 500) {
    if (name === "NotImplemented" || /KMS/i.test(message)) return unencrypted(failure, endpoint, message);
    const said = status === undefined ? message || name : `${status} ${name}`;
    return failure("artifact-store-unreachable", `Expected the S3 server at ${endpoint} to answer, but: ${said}`);
  }
  if (status === 401 || status === 403) {
    const reason = name === "Unknown" || name === "403" ? "it gives no reason" : name;
    return failure("artifact-store-denied", `The S3 server at ${endpoint} refuses the bucket '${bucket}': ${reason}`);
  }
  if (status === 404) {
    return failure("artifact-bucket-not-found", `There is no bucket '${bucket}' at ${endpoint}`);
  }
  if (/KMS|encryption/i.test(`${name} ${message}`)) return unencrypted(failure, endpoint, message);
  return failure("artifact-store-failed", `The S3 server at ${endpoint} answers ${status} ${name}: ${message}`);
}

function unencrypted(failure: (code: string, message: string) => AppError, endpoint: string, said: string): AppError {
  return failure("artifact-encryption-unavailable", `The S3 server at ${endpoint} cannot encrypt: ${said}`);
}
