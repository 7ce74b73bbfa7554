import { AppError, type Rejection } from "@tutti/kernel";
import type { RefusalRow } from "../../port.ts";
import type { InTurn } from "../turn/scope.ts";
import type { Named } from "../version/programs.ts";

/** Refused starts that are listed; older ones are let go of. */
export const refusalsMax = 10_000;

type Cause = Pick<RefusalRow, "cause" | "name"> & Partial<Pick<RefusalRow, "correlationKey" | "messageId">>;

interface Refused extends Cause {
  readonly process: string;
  readonly named: Pick<Named, "hash">;
  /** The number of the message that did not start it. */
  readonly message?: number;
  readonly why: Rejection | Error | { readonly code: string; readonly message: string };
}

/** Writes down that something did not begin what it should have: nobody who could be told waits for it. */
export function refuseStart({ scope, draft }: InTurn, refused: Refused): string {
  const { process, named, cause, name, correlationKey = null, messageId = null, message = null, why } = refused;
  const reason = "reason" in why ? why.reason : why.message;
  const version = scope.programs.loaded(named.hash)?.document.version ?? "";
  const what = { process, version, cause, name, correlationKey, messageId, code: codeOf(why), reason, at: draft.now };
  scope.warn("a process could not begin", what);
  draft.changes.push({ type: "refusal-put", refusal: { ...what, message } });
  draft.changes.push({ type: "refusals-forget", keep: refusalsMax });
  return reason;
}

function codeOf(why: Refused["why"]): string {
  if (why instanceof Error) return why instanceof AppError ? why.code : "invariant-broken";
  return why.code;
}
