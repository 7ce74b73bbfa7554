import { AppError, type InstanceView, isJsonObject, type Json, type JsonObject } from "@tutti/kernel";
import { openBlobReader, type Repository, type Resolution, resolveByPerson } from "@tutti/workspace";
import { conflictText } from "./conflict-text.ts";
import type { OpenConflict } from "./merge-step.ts";

/** A conflict that waits for a person: met when `unit` was merged, or when what it builds on was. */
export interface WaitingConflict extends OpenConflict {
  readonly unit: string;
}

/** Every conflict of a run that waits, from the views of its open instances; each path and unit once. */
export function openConflicts(open: readonly InstanceView[]): readonly WaitingConflict[] {
  const found = open.flatMap((instance) =>
    instance.incidents.flatMap(({ kind, error }) => {
      if (kind !== "items-failed") return conflictsIn(error.details, null);
      const items = listOf(error.details?.["items"]);
      return [...items.flatMap((item) => conflictsIn(item["details"], item["item"])), ...troubleOf(instance)];
    }),
  );
  const unique = new Map(found.map((conflict) => [`${conflict.unit}\0${conflict.path}`, conflict]));
  return [...unique.values()];
}

function troubleOf({ variables }: InstanceView): WaitingConflict[] {
  const trouble = variables["trouble"];
  if (!isJsonObject(trouble) || !isJsonObject(trouble["unit"])) return [];
  return conflictsIn(trouble, trouble["unit"]["id"]);
}

function conflictsIn(details: Json | undefined, unit: Json | undefined): WaitingConflict[] {
  if (!isJsonObject(details)) return [];
  const named = String(unit ?? details["unit"] ?? "");
  return listOf(details["conflicts"]).map((each) => ({ ...(each as unknown as OpenConflict), unit: named }));
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((entry: Json) => isJsonObject(entry)) : [];
}

/** The file in conflict: its three versions between markers; null when one of them is no text. */
export async function readConflict(repository: Repository, conflict: OpenConflict): Promise<string | null> {
  const reader = openBlobReader(repository);
  try {
    const read = async (side: { readonly blob: string } | null): Promise<string | null> => {
      const bytes = side === null ? Buffer.alloc(0) : await reader.read(side.blob);
      return bytes === undefined || bytes.includes(0) ? null : bytes.toString("utf8");
    };
    const [base, ours, theirs] = [await read(conflict.base), await read(conflict.ours), await read(conflict.theirs)];
    return base === null || ours === null || theirs === null ? null : conflictText({ base, ours, theirs });
  } finally {
    reader.close();
  }
}

const marker = /^(?:<{7}|>{7}|\|{7})(?: |$)/m;

/**
 * What a person decided about a conflict; `content` null deletes the file. It is recorded beside the run's commits, and
 * the next try (`retry`) takes it; nothing else happens. Rejects with `conflict-markers` while some are left.
 */
export async function resolveConflict(
  repository: Repository,
  decision: {
    readonly run: string;
    readonly conflict: OpenConflict;
    readonly content: string | Uint8Array | null;
    readonly note: string;
  },
): Promise<Resolution> {
  const { run, conflict, content, note } = decision;
  if (content !== null && marker.test(Buffer.from(content).toString("utf8"))) {
    throw new AppError("conflict-markers", `Expected ${conflict.path} without conflict markers, but some are left`);
  }
  return resolveByPerson(repository, run, { conflict, content, note });
}
