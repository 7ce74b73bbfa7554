import type { ErrorTable } from "@tutti/kernel";

export const connectErrors: ErrorTable = {
  "artifact-not-found": {
    exit: 1,
    status: 404,
    advice: "Look whether the store is the one that it was put into, and whether it was swept.",
  },
  "artifact-damaged": {
    exit: 1,
    status: 500,
    advice: "Retry what made it: putting the same content again replaces it. Then look for what damaged the store.",
  },
  "artifact-too-large": {
    exit: 2,
    status: 413,
    advice: "Make it smaller or split it; the message names the limit that was reached.",
  },
  "artifact-invalid": {
    exit: 2,
    status: 422,
    advice: "Give a reference as the store gave it, and a media type such as application/json.",
  },
  "artifact-key-missing": {
    exit: 2,
    status: 500,
    advice: "Give the key that it was encrypted with, in TUTTI_ARTIFACT_KEY or TUTTI_ARTIFACT_KEY_FILE.",
  },
  "artifact-key-wrong": {
    exit: 2,
    status: 500,
    advice: "Give the key that it was encrypted with; the message names the ids of both keys.",
  },
  "artifact-key-invalid": {
    exit: 2,
    status: 500,
    advice: "Make a key with `openssl rand -hex 32`, and keep a file with it to yourself (chmod 600).",
  },
  "artifact-credentials-missing": {
    exit: 2,
    status: 500,
    advice: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, where Tutti runs; they are read from nowhere else.",
  },
  "artifact-store-denied": {
    exit: 2,
    status: 502,
    advice: "Check the credentials in the environment, and that they may read, write, list and delete in the bucket.",
  },
  "artifact-bucket-not-found": { exit: 2, status: 502, advice: "Make the bucket, or name one that is there." },
  "artifact-store-unreachable": {
    exit: 1,
    status: 503,
    advice: "Check the endpoint and the network; what was going on can be retried.",
  },
  "artifact-encryption-unavailable": {
    exit: 2,
    status: 502,
    advice: "Give the S3 server a key for encryption, or leave out encryption=required.",
  },
  "artifact-setting-invalid": {
    exit: 2,
    status: 422,
    advice: "Name the store of artifacts as folder, or as s3://bucket/prefix?endpoint=https://host.",
  },
  "artifact-store-failed": {
    exit: 1,
    status: 503,
    advice: "Read the system's own words in the message: most often a full disk, or a folder that may not be written.",
  },
};
