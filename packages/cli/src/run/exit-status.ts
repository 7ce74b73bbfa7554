import type { RunView } from "@tutti/feature";
import type { ErrorTable } from "@tutti/kernel";

/** Checks red, conflicts parked, budget: worth more to a script than "waits for a person". */
const tellingStatuses: ReadonlySet<number> = new Set([3, 4, 9]);

/** What a command that waited for a run ends with, as scripts rely on it. */
export async function exitStatus(
  view: Pick<RunView, "status" | "phase" | "totals" | "needsYou" | "error">,
): Promise<number> {
  switch (view.status) {
    case "completed":
    case "running":
      return 0;
    case "cancelled":
      return 7;
    case "failed":
      return (await table())[view.error?.code ?? ""]?.exit ?? 1;
    default:
      return waitingStatus(view, await table());
  }
}

/** The flagship is loaded only for a run that did not simply land. */
async function table(): Promise<ErrorTable> {
  return (await import("@tutti/feature")).jobErrors;
}

function waitingStatus(
  { phase, totals, needsYou }: Pick<RunView, "phase" | "totals" | "needsYou">,
  jobErrors: ErrorTable,
): number {
  for (const need of needsYou) {
    const { exit } = jobErrors[need.code] ?? { exit: 0 };
    if (need.kind !== "approval" && tellingStatuses.has(exit)) return exit;
    if (need.kind === "incident" && phase === "publishing") return 6;
    if (need.kind === "failed-units" && totals.done === 0) return 5;
  }
  return 8;
}
