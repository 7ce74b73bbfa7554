import { AppError, type JsonObject } from "@tutti/kernel";
import { idCharsMax } from "./embedded/limits.ts";
import { toPayload } from "./embedded/turn/payload.ts";
import type { InstanceCommand } from "./port.ts";

/* What every engine checks of what a caller gives, before anything is decided. */

/** What only the engine can know. Types keep honest callers from sending these; the others come over the wire. */
const ownCommands: ReadonlySet<string> = new Set([
  "create-instance",
  "fire-timer",
  "deliver-message",
  "deliver-signal",
  "end-child",
  "continue",
  "migrate-instance",
  "fork-instance",
]);

/** Throws AppError `limit-invalid` or `payload-invalid`. */
export function checkId(what: string, id: string): void {
  if (typeof id === "string" && id.length > 0 && id.length <= idCharsMax) {
    // The database could not keep half a character: another id would come back than the one that was given.
    if (id.isWellFormed()) return;
    throw new AppError("payload-invalid", `Expected a ${what} of whole characters, but it has half of one.`);
  }
  throw new AppError(
    "limit-invalid",
    `Expected a ${what} of 1 to ${idCharsMax} characters, but got ${String(id).length}.`,
  );
}

/** Throws AppError `payload-invalid`. */
export function checkedPayload(what: string, value: unknown, charsMax: number): JsonObject {
  const payload = toPayload(value, charsMax);
  if (!payload.ok) throw new AppError("payload-invalid", `The ${what} cannot be taken: ${payload.reason}.`);
  return payload.value;
}

/** Throws AppError `payload-invalid`. */
export function checkedCommand(command: InstanceCommand, charsMax: number): InstanceCommand {
  const checked = checkedPayload("command", command, charsMax) as unknown as InstanceCommand;
  if (!ownCommands.has(checked.type)) return checked;
  throw new AppError(
    "payload-invalid",
    `Expected a command that callers may send, but '${checked.type}' is the engine's own.`,
  );
}
