import { createHost } from "@tutti/definition";
import { AppError } from "@tutti/kernel";

const host = createHost();

export function isDuration(text: string): boolean {
  return host.nextDue({ kind: "duration" }, text, 0).ok;
}

/** The instant a duration (`P7D`, `2h`) after `from`, both epoch ms; months and days are counted as timers count them. */
export function instantAfter(from: number, duration: string): number {
  const due = host.nextDue({ kind: "duration" }, duration, from);
  if (due.ok) return due.due;
  throw new AppError("trial-duration", `Expected a duration such as 2h or P7D, but found '${duration.slice(0, 80)}'`);
}
