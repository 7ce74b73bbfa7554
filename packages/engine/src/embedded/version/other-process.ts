import type { Rejection } from "@tutti/kernel";

/** A migration goes to another version, not to another process. */
export function otherProcess(process: string, wanted: string): Rejection {
  const reason = `Expected another version of '${process}', but '${wanted}' is another process`;
  return { code: "migration-invalid", reason };
}
