import type { MergeState, Plan, PlanUnit, ResolutionRecord, RunContext, UnitResult, Usage } from "../model.ts";

export interface ReportFacts {
  readonly feature: string;
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [id: string]: UnitResult };
  readonly merged: Pick<MergeState, "landed" | "resolutions" | "verifications"> & { readonly commit: string };
  readonly branch: string;
}

export interface Report {
  readonly title: string;
  readonly partial: boolean;
  /** Markdown. Text that came from agents is quoted, never interpreted. */
  readonly body: string;
}

/** Keeps a text in one cell of a table, and from being read as markup. */
function cell(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|").replaceAll("<", "&lt;").trim();
}

function shorten(text: string, charactersMax = 160): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

function unitRow(unit: PlanUnit, result: UnitResult | undefined): string[] {
  if (result === undefined) return [unit.id, unit.title, "not included", "", ""];
  const tries = result.attempts === 1 ? "1 attempt" : `${result.attempts} attempts`;
  return [
    unit.id,
    unit.title,
    tries,
    `+${result.added} −${result.deleted} in ${result.changed.length}`,
    shorten(result.summary),
  ];
}

function resolutionRow(record: ResolutionRecord): string[] {
  return [record.path, record.between.join(" × "), record.rung, shorten(record.note)];
}

/** All agents' use together; a cost is given only when every part of it is known. */
export function totalUsage(results: readonly { readonly usage: Usage }[]): Usage {
  const sum = (pick: (usage: Usage) => number): number => results.reduce((total, { usage }) => total + pick(usage), 0);
  const priced = results.every(({ usage }) => usage.costUsd !== null);
  return {
    inputTokens: sum((usage) => usage.inputTokens),
    outputTokens: sum((usage) => usage.outputTokens),
    costUsd: priced ? sum((usage) => usage.costUsd ?? 0) : null,
    agentMs: sum((usage) => usage.agentMs),
  };
}

function usageLines(usage: Usage): string {
  const cost = usage.costUsd === null ? "price unknown" : `$${usage.costUsd.toFixed(2)}`;
  const seconds = (usage.agentMs / 1_000).toFixed(1);
  if (usage.inputTokens + usage.outputTokens === 0) return `Agents worked ${seconds} s and reported no tokens.`;
  return `Agents worked ${seconds} s and used ${usage.inputTokens} input and ${usage.outputTokens} output tokens (${cost}).`;
}

function requirementRows(plan: Plan, landed: ReadonlySet<string>): string[][] {
  return plan.requirements.map(({ id, text }) => {
    const serving = plan.units.filter((unit) => unit.requirements.includes(id));
    const names = serving.map((unit) => (landed.has(unit.id) ? unit.id : `${unit.id} (not included)`));
    return [id, text, names.join(", ")];
  });
}

function conflictSection(resolutions: readonly ResolutionRecord[]): string {
  if (resolutions.length === 0) return "No two units conflicted.";
  return table(["file", "between", "resolved by", "how"], resolutions.map(resolutionRow));
}

function checkSection(facts: ReportFacts): string {
  const { checks } = facts.plan;
  const last = facts.merged.verifications.at(-1);
  if (checks.length === 0) return "The plan names no checks for the merged tree; each unit passed its own.";
  const lines = checks.map((command) => `- \`${command.replaceAll("`", "'")}\` passed on the merged tree`);
  const red = facts.merged.verifications.filter((verification) => !verification.passed).length;
  const history = `${facts.merged.verifications.length} merged trees were checked, ${red} of them red and repaired.`;
  return [...lines, "", last === undefined ? "" : history].join("\n").trim();
}

/** What a reviewer wants to know, in one page. */
export function writeReport(facts: ReportFacts): Report {
  const { plan, units, merged, context } = facts;
  const landed = new Set(merged.landed);
  const missing = plan.units.filter((unit) => !landed.has(unit.id));
  const partial = missing.length > 0;
  const title = partial ? `[partial] ${facts.feature}` : facts.feature;
  const scripted = context.options.agent.startsWith("scripted");
  const results = Object.values(units);
  const parts = [
    `# ${cell(title)}`,
    partial
      ? `**This is a partial result**: ${landed.size} of ${plan.units.length} planned units. Not included: ${missing.map((unit) => unit.id).join(", ")}.`
      : `All ${plan.units.length} planned units are in, merged and verified.`,
    scripted
      ? "The agents were scripted: their edits were written beforehand. Git, the tests and the merge are real."
      : `Agent: ${cell(context.options.agent)}.`,
    "## Units",
    table(
      ["unit", "what", "how", "lines", "in the agent's words"],
      plan.units.map((unit) => unitRow(unit, landed.has(unit.id) ? units[unit.id] : undefined)),
    ),
    ...(plan.requirements.length === 0
      ? []
      : ["## Requirements", table(["", "requirement", "units"], requirementRows(plan, landed))]),
    "## Checks",
    checkSection(facts),
    "## Conflicts",
    conflictSection(merged.resolutions),
    "## Cost",
    usageLines(totalUsage(results)),
    `Run ${context.run}: branch \`${facts.branch}\` at ${merged.commit.slice(0, 12)}, from ${context.repository.base.slice(0, 12)}.`,
  ];
  return { title, partial, body: `${parts.join("\n\n")}\n` };
}
