import { hash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { AppError } from "@tutti/kernel";
import { type ReleasedInstance, releasedInstanceSchema } from "@tutti/protocol";
import { z } from "zod";
import { unwritten } from "./new-file.ts";

/** Counts what a file says in another way than before. */
const format = "tutti-instance/1";

const fileSchema = z.strictObject({ format: z.literal(format), digest: z.string(), instance: z.unknown() });

/** An instance on its way, as a file that says whether it is whole. */
export interface InstanceFile {
  /** Durable when it returns. Otherwise there is no file, and it rejects with `file-unwritable`. */
  write(instance: ReleasedInstance): void;
  /** Nothing was written. */
  discard(): void;
}

/** Rejects with `file-exists` and `file-unwritable`, before anything is given up. */
export function createInstanceFile(path: string): InstanceFile {
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (cause) {
    throw unwritten(path, cause);
  }
  const discard = (): void => {
    closeSync(file);
    rmSync(path);
  };
  return {
    write(instance) {
      try {
        writeFileSync(file, `${JSON.stringify({ format, digest: digestOf(instance), instance })}\n`);
        fsyncSync(file);
      } catch (cause) {
        discard();
        const { instanceId } = instance;
        const message = `Expected to write all of ${path}, but ${(cause as Error).message}. '${instanceId}' was given up: export it again`;
        throw new AppError("file-unwritable", message, { cause });
      }
      closeSync(file);
    },
    discard,
  };
}

/** Rejects with `file-unreadable` and `instance-file-damaged`. */
export function readInstanceFile(path: string): ReleasedInstance {
  const damaged = (what: string): AppError =>
    new AppError("instance-file-damaged", `Expected ${path} to be as \`tutti process export\` wrote it, but ${what}`);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("file-unreadable", `Expected to read ${path}, but ${(cause as Error).message}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged("it is no JSON, or not all of it");
  }
  const file = fileSchema.safeParse(value);
  if (!file.success) throw damaged(`it is not of the format ${format}`);
  const { digest, instance } = file.data;
  if (digest !== digestOf(instance)) throw damaged("it was changed: its digest is another");
  const found = releasedInstanceSchema.safeParse(instance);
  if (!found.success) throw damaged(`it has no instance: ${found.error.issues[0]?.message ?? ""}`);
  return found.data;
}

/** Of what is written; a value that was read is written in the same order. */
function digestOf(instance: unknown): string {
  return `sha256:${hash("sha256", JSON.stringify(instance), "hex")}`;
}
