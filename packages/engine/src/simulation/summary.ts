import type { Totals } from "./pool.ts";

/** What a run did and found, in four lines. */
export function summary({ counts, failures, elapsedMs }: Totals): string {
  const of = (what: string): number => counts.get(what) ?? 0;
  const kinds = [...counts.keys()].filter((what) => /^(died at|left|disk|clock)/.test(what)).sort();
  const commands = of("accepted commands") + of("refused commands");
  return [
    `${of("schedules")} schedules, ${of("crashes")} crashes, ${of("actions")} actions, ${of("turns")} turns`,
    `${commands} commands (${of("accepted commands")} accepted), ${of("starts")} starts answered`,
    `${kinds.length} kinds of faults: ${kinds.map((kind) => `${kind} ×${of(kind)}`).join(", ")}`,
    `${failures.length} failing seeds in ${(elapsedMs / 1_000).toFixed(1)} s`,
  ].join("\n");
}
