import { withoutControls } from "@tutti/agents";
import type { FailureNote } from "../failure-note.ts";
import type {
  Acceptance,
  MergeState,
  Plan,
  PlanUnit,
  ResolutionRecord,
  RunContext,
  UnitResult,
  Usage,
} from "../model.ts";
import { sumUsage } from "../usage.ts";

export interface ReportFacts {
  readonly feature: string;
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [id: string]: UnitResult };
  readonly merged: Pick<MergeState, "landed" | "resolutions" | "verifications" | "usage" | "setAside"> & {
    readonly commit: string;
  };
  readonly branch: string;
  readonly acceptances: readonly Acceptance[];
  /** What the planner agent used; null without one. */
  readonly planning: Usage | null;
  /** Of units whose last round failed. */
  readonly failed: readonly FailureNote[];
}

export interface Report {
  readonly title: string;
  readonly partial: boolean;
  /** Markdown. Text that came from agents is quoted, never interpreted. */
  readonly body: string;
}

/** A text of the plan or of a person: in one line, and not read as markup. */
function plain(text: string): string {
  return withoutControls(text.replaceAll(/\s+/g, " "))
    .replaceAll(/[\\`[\]]/g, "\\$&")
    .replaceAll("<", "&lt;")
    .trim();
}

/**
 * A text that an agent wrote, or a command: as code, where nothing is interpreted. Anywhere else `Fixes #1` would close
 * an issue, and `@name` call somebody.
 */
function code(text: string): string {
  const line = withoutControls(text.replaceAll(/\s+/g, " ")).replaceAll("`", "'").trim();
  return line === "" ? "" : `\`${line}\``;
}

function shorten(text: string, charactersMax = 160): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|");
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

function unitRow(facts: ReportFacts, unit: PlanUnit, landed: boolean): string[] {
  const usage = usageOf(facts, unit.id);
  const agents = usage === undefined ? "" : workText(usage);
  const result = facts.units[unit.id];
  if (result === undefined || !landed) return [unit.id, plain(unit.title), "not included", "", agents, ""];
  const tries = result.attempts === 1 ? "1 attempt" : `${result.attempts} attempts`;
  const rounds = result.round === 1 ? "" : ` in round ${result.round}`;
  const lines = `+${result.added} −${result.deleted} in ${result.changed.length}`;
  return [unit.id, plain(unit.title), `${tries}${rounds}`, lines, agents, code(shorten(result.summary))];
}

/** Everything that was spent on a unit: its rounds, also those that failed, its repairs and the conflicts it met. */
function usageOf({ units, merged, failed }: ReportFacts, id: string): Usage | undefined {
  const parts = [units[id]?.usage, merged.usage[id], failed.find(({ unit }) => unit === id)?.usage];
  return parts.every((part) => part === undefined) ? undefined : sumUsage(parts);
}

function resolutionRow(record: ResolutionRecord): string[] {
  return [code(record.path), record.between.join(" × "), record.rung, code(shorten(record.note))];
}

/** All agents' use together: planner, units, repairs, resolvers. */
export function totalUsage(facts: ReportFacts): Usage {
  const { plan, planning } = facts;
  return sumUsage([planning, ...plan.units.map(({ id }) => usageOf(facts, id))]);
}

function workText({ agentMs, inputTokens, outputTokens }: Usage): string {
  const seconds = `${(agentMs / 1_000).toFixed(1)} s`;
  return inputTokens + outputTokens === 0 ? seconds : `${seconds}, ${inputTokens} + ${outputTokens} tokens`;
}

/** Why each unit that is not in is missing, and who answers for that. */
function missingSection(facts: ReportFacts, missing: readonly PlanUnit[]): string {
  const rows = missing.map(({ id }) => {
    const aside = facts.merged.setAside.find(({ unit }) => unit === id);
    const why = aside ?? facts.failed.find(({ unit }) => unit === id);
    return why === undefined
      ? [id, facts.units[id] === undefined ? "not finished" : "not merged", ""]
      : [id, why.code, code(shorten(why.message, 300))];
  });
  const accepted = facts.acceptances.map(({ by = "a person", reason, at }) => {
    const when = at === undefined ? "" : ` on ${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
    return `Accepted by ${plain(by)}${when}: ${plain(reason)}`;
  });
  const { threshold } = facts.context.options;
  const policy = `Accepted by the run's own rule: at least ${threshold} of the planned units are in.`;
  return [table(["not included", "class", "why"], rows), ...(accepted.length === 0 ? [policy] : accepted)].join("\n\n");
}

function usageLines(facts: ReportFacts): string {
  const usage = totalUsage(facts);
  const cost = usage.costUsd === null ? "price unknown" : `$${usage.costUsd.toFixed(2)}`;
  const seconds = (usage.agentMs / 1_000).toFixed(1);
  const planning = facts.planning === null ? "" : ` Planning took ${workText(facts.planning)} of it.`;
  const who = "Agents (units, repairs and conflicts) worked";
  if (usage.inputTokens + usage.outputTokens === 0) return `${who} ${seconds} s and reported no tokens.${planning}`;
  return `${who} ${seconds} s and used ${usage.inputTokens} input and ${usage.outputTokens} output tokens (${cost}).${planning}`;
}

function requirementRows(plan: Plan, landed: ReadonlySet<string>): string[][] {
  return plan.requirements.map(({ id, text }) => {
    const serving = plan.units.filter((unit) => unit.requirements.includes(id));
    const names = serving.map((unit) => (landed.has(unit.id) ? unit.id : `${unit.id} (not included)`));
    return [plain(id), plain(text), names.join(", ")];
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
  const lines = checks.map((command) => `- ${code(command)} passed on the merged tree`);
  const red = facts.merged.verifications.filter((verification) => !verification.passed).length;
  const history = `${facts.merged.verifications.length} merged trees were checked, ${red} of them red and repaired.`;
  return [...lines, "", last === undefined ? "" : history].join("\n").trim();
}

/** What a reviewer wants to know, in one page. */
export function writeReport(facts: ReportFacts): Report {
  const { plan, merged, context } = facts;
  const landed = new Set(merged.landed);
  const missing = plan.units.filter((unit) => !landed.has(unit.id));
  const partial = missing.length > 0;
  const title = partial ? `[partial] ${facts.feature}` : facts.feature;
  const scripted = context.options.agent.startsWith("scripted");
  const parts = [
    `# ${partial ? "[partial] " : ""}${plain(facts.feature)}`,
    partial
      ? `**This is a partial result**: ${landed.size} of ${plan.units.length} planned units. Not included: ${missing.map((unit) => unit.id).join(", ")}.`
      : `All ${plan.units.length} planned units are in, merged and verified.`,
    scripted
      ? "The agents were scripted: their edits were written beforehand. Git, the tests and the merge are real."
      : `Agent: ${code(context.options.agent)}.`,
    "## Units",
    table(
      ["unit", "what", "how", "lines", "agents", "in the agent's words"],
      plan.units.map((unit) => unitRow(facts, unit, landed.has(unit.id))),
    ),
    ...(partial ? ["## Missing", missingSection(facts, missing)] : []),
    ...(plan.requirements.length === 0
      ? []
      : ["## Requirements", table(["", "requirement", "units"], requirementRows(plan, landed))]),
    "## Checks",
    checkSection(facts),
    "## Conflicts",
    conflictSection(merged.resolutions),
    "## Cost",
    usageLines(facts),
    `Run ${context.run}: branch ${code(facts.branch)} at ${merged.commit.slice(0, 12)}, from ${context.repository.base.slice(0, 12)}.`,
  ];
  return { title, partial, body: `${parts.join("\n\n")}\n` };
}
