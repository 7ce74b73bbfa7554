import type { RunView } from "@tutti/feature";
import { failureReport } from "@tutti/feature/failure-report";

/** What a person can type to end a wait that is theirs, without `tutti` and the state folder; the best way first. */
export function waysOut(view: RunView): readonly string[] {
  const { run, status, needsYou } = view;
  const ways = new Set<string>();
  if (status === "paused") ways.add(`resume ${run}`);
  if (needsYou.some(({ kind }) => kind === "approval")) ways.add(`approve ${run}`).add(`reject ${run}`);
  for (const way of failureReport(view)?.next ?? []) ways.add(way);
  return [...ways];
}
