import type { ModelTier } from "@tutti/agents";
import type { Applied, CheckResult, PlanUnit, Tested } from "./model.ts";
import { lastLines } from "./text.ts";

const linesShown = 40;
const findingsShown = 10;
const entriesMax = 5;
const bytesMax = 16 * 1024;

/** What one attempt left undone, for the next one to read. The same facts give the same text. */
export function diagnose(facts: {
  readonly unit: Pick<PlanUnit, "touches">;
  readonly attempt: number;
  readonly applied: Applied;
  readonly tested: Tested;
}): string {
  const { unit, attempt, applied, tested } = facts;
  const parts = [`Attempt ${attempt} did not pass: ${tested.reason}.`];
  if (applied.failure !== null) parts.push(describeFailure(applied.failure));
  for (const finding of applied.findings.slice(0, findingsShown)) {
    parts.push(`${finding.message}. ${remedy(finding.code, unit)}`);
  }
  const more = applied.findings.length - findingsShown;
  if (more > 0) parts.push(`And ${more} more findings of the same kinds.`);
  for (const result of tested.results.filter(({ passed }) => !passed)) parts.push(describeCheck(result));
  if (applied.failure === null && applied.claim !== "completed") {
    parts.push("You said that something is left: finish it, or say that it is complete.");
  }
  return parts.join("\n\n");
}

export function describeCheck({ command, exit, timedOut, output }: CheckResult): string {
  const how = timedOut ? "did not end in time" : exit === null ? "was ended by a signal" : `ended with status ${exit}`;
  const lines = lastLines(output, linesShown);
  return [`\`${command}\` ${how}${lines.length === 0 ? " and printed nothing." : ":"}`, ...lines].join("\n");
}

function describeFailure({ code, message, lastLines: said }: NonNullable<Applied["failure"]>): string {
  const lines = said.length === 0 ? [] : ["Its last lines:", ...said];
  return [`The agent itself failed (${code}): ${message} What it had edited until then is kept.`, ...lines].join("\n");
}

function remedy(code: string, { touches }: Pick<PlanUnit, "touches">): string {
  const claim = [...touches.owns, ...touches.may, ...touches.creates].join(", ");
  switch (code) {
    case "outside-claim":
      return `Put it back as it was, and stay within: ${claim}.`;
    case "secret-like":
      return "Take it out; read it from the environment where the program runs.";
    case "file-too-large":
      return "Leave it out, or make it smaller.";
    case "nested-repository":
      return "Do not run git init or git clone inside the working directory.";
    case "capture-too-large":
      return "Add what the build makes to .gitignore, or do not build inside the working directory.";
    case "workspace-unusable":
      return "Do not remove or move the working directory, and let .gitattributes fit the files.";
    default:
      return "It was not taken over: use plain files, folders and links that stay inside the working directory.";
  }
}

/** The newest diagnoses: at most five and 16 KiB together, an older one is dropped before a newer one is cut. */
export function keepFeedback(feedback: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let left = bytesMax;
  for (const entry of feedback.slice(-entriesMax).reverse()) {
    const bytes = Buffer.from(entry);
    if (bytes.length > left && kept.length > 0) break;
    kept.unshift(
      bytes.length <= left
        ? entry
        : bytes
            .subarray(0, left)
            .toString("utf8")
            .replace(/\ufffd+$/, ""),
    );
    left -= Math.min(bytes.length, left);
  }
  return kept;
}

const tiers: readonly ModelTier[] = ["mini", "standard", "thinking", "pro", "max"];
const failuresPerTier = 2;

/** One tier up after every second failed attempt. */
export function nextTier(tier: ModelTier, failures: number): ModelTier {
  if (failures % failuresPerTier !== 0) return tier;
  return tiers[Math.min(tiers.indexOf(tier) + 1, tiers.length - 1)] ?? tier;
}
