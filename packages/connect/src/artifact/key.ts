import { readFileSync, statSync } from "node:fs";
import { AppError } from "@tutti/kernel";
import { type ArtifactKey, artifactKey, keyBytes } from "./seal.ts";

const othersMask = 0o077;

/**
 * The key that the environment gives: the variable has 64 hex digits, or the one called so with `_FILE` names a file with
 * them. Undefined without either. Throws `artifact-key-invalid`.
 */
export function keyFromEnvironment(
  environment: { readonly [name: string]: string | undefined },
  variable = "TUTTI_ARTIFACT_KEY",
): ArtifactKey | undefined {
  const [text, path] = [environment[variable], environment[`${variable}_FILE`]];
  if (text !== undefined && path !== undefined) {
    throw invalid(`Expected either ${variable} or ${variable}_FILE, but there are both`);
  }
  if (text !== undefined) return parse(text, variable);
  return path === undefined ? undefined : parse(readKeyFile(path), path);
}

function readKeyFile(path: string): string {
  try {
    const status = statSync(path);
    if (!status.isFile()) throw invalid(`Expected ${path} to be a file with a key, but it is none`);
    if ((status.mode & othersMask) !== 0)
      throw invalid(`Expected ${path} to be its owner's alone, but others may use it`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw invalid(`Expected ${path} to be a file with a key, but: ${(cause as Error).message}`, cause);
  }
}

function parse(text: string, place: string): ArtifactKey {
  const hex = text.trim();
  if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length !== keyBytes * 2) {
    throw invalid(
      `Expected ${place} to have ${keyBytes * 2} hex digits, but it has ${hex.length} characters that are not`,
    );
  }
  return artifactKey(Buffer.from(hex, "hex"));
}

function invalid(message: string, cause?: unknown): AppError {
  return new AppError("artifact-key-invalid", message, { cause });
}
