import { join } from "node:path";
import { type AgentOutcome, type AgentTask, type ModelTier, renderPrompt } from "@tutti/agents";
import { AppError, type JobHandler } from "@tutti/kernel";
import { type CommitBundle, captureWorkspace } from "@tutti/workspace";
import { runAgent } from "../agent-run.ts";
import type { FeatureDeps } from "../deps.ts";
import { arrived } from "../exchange.ts";
import { identityAfter } from "../identity.ts";
import { asJson, completed, type JobRun, jobHandler } from "../job.ts";
import type { Applied, Plan, PlanUnit, RunContext, Usage } from "../model.ts";
import { prepareWorkspace, removeBrought } from "../prepare.ts";
import { type Bench, withWorkspace } from "../scratch-workspace.ts";
import { fileName, lastLines } from "../text.ts";
import { type KeptTranscript, keepTranscript } from "../transcript.ts";
import { addUsage } from "../usage.ts";

interface Input {
  readonly feature: string;
  readonly context: RunContext;
  readonly plan: Pick<Plan, "requirements" | "prepare">;
  readonly unit: PlanUnit;
  readonly round: number;
  readonly attempt: number;
  readonly tier: ModelTier;
  readonly base: string;
  /** Where the work loop began: the result is one commit on it, and is measured against it. */
  readonly origin: string;
  /** Where this attempt begins: `origin`, or what the attempt before left. */
  readonly start: string;
  readonly checks: readonly string[];
  readonly feedback: readonly string[];
  readonly usage: Usage | null;
  /** What it takes to have `origin` and `start`. */
  readonly bundles?: readonly CommitBundle[];
}

type Run = JobRun<Input>;

const names = ["feature", "context", "plan", "unit", "round", "attempt", "tier", "origin", "start"] as const;
const findingsMax = 50;

/**
 * Job `unit.apply`: an agent edits in a workspace of its own, and what it left is captured, whatever it says about
 * it. An agent that fails is data for the work loop. A repeated job begins again in a new workspace.
 */
export function unitApply(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(names, async (given) => {
    const { origin, start, bundles = [], usage: used } = given.input;
    const at = await arrived(deps.exchange, given, bundles);
    const { context, unit } = at.input;
    const repository = { gitDir: context.repository.gitDir };
    const place = {
      repository,
      run: context.run,
      unit: unit.id,
      attempt: attemptOf(at),
      purpose: "apply",
      commit: start,
    };
    return withWorkspace({ deps, at, request: place }, async (bench) => {
      const { outcome, agentMs, brought, transcript } = await work(deps, at, bench);
      await removeBrought(bench.tree, brought);
      at.note(`capturing ${unit.id}`);
      const { commit, findings } = await capture(at, bench);
      const usage = addUsage(used, outcome.usage, agentMs);
      const applied = { ...appliedOf(outcome, findings), ...(transcript === undefined ? {} : { transcript }) };
      // What the attempt before left is of no use to anybody any more.
      const kept = bundles.filter((bundle) => bundle.commit !== start || start === origin);
      const sent = await deps.exchange.send(context, { commit, have: origin, signal: at.signal });
      return completed({ commit, applied, usage, bundles: [...kept, ...sent] });
    });
  });
}

/** Counts on through the rounds, so that refs, transcripts and scripts tell all attempts of a unit apart. */
function attemptOf({ input }: Run): number {
  return (input.round - 1) * input.context.options.attempts + input.attempt;
}

async function work(
  deps: FeatureDeps,
  at: Run,
  bench: Bench,
): Promise<{
  outcome: AgentOutcome;
  agentMs: number;
  brought: readonly string[];
  transcript: KeptTranscript | undefined;
}> {
  const { context, unit, plan, attempt, base, start } = at.input;
  const chosen = await deps.agentFor(context, unit);
  const { tree, scratch } = bench;
  const cage = chosen.commandCage;
  const { failed, brought } = await prepareWorkspace(deps, at, { context, steps: plan.prepare, tree, scratch, cage });
  // On an untouched base it is the world that failed; later the agent's own work may be why, and it must see that.
  if (failed !== null && attempt === 1 && start === base) {
    const said = lastLines(failed.output, 5).join("\n");
    throw new AppError("prepare-failed", `${failed.command} failed on the base: ${said}`);
  }
  const notes = failed === null ? [] : [`${failed.command} fails now:\n${failed.output}`];
  const run = {
    context,
    chosen,
    task: await taskOf(deps, at, { tree, notes }),
    scratch: join(scratch, "agent"),
    transcript: join(deps.stateDir, "transcripts", fileName(context.run), fileName(unit.id), `${attemptOf(at)}.jsonl`),
  };
  const ended = await runAgent(deps, at, run);
  return { ...ended, brought, transcript: await keepTranscript(deps, run.transcript) };
}

async function taskOf(
  deps: FeatureDeps,
  at: Run,
  { tree, notes }: { tree: string; notes: readonly string[] },
): Promise<AgentTask> {
  const { feature, plan, unit, tier, checks = unit.verify } = at.input;
  const requirements = plan.requirements.filter(({ id }) => unit.requirements.includes(id));
  const findings = [...at.input.feedback, ...notes];
  const serves = requirements.map(({ id, text }) => `- ${id}: ${text}`).join("\n");
  const persona = await deps.persona("implementer");
  const prompt = renderPrompt(persona, {
    title: unit.title,
    intent: serves === "" ? unit.intent : `${unit.intent}\n\nIt serves:\n${serves}`,
    acceptance: unit.acceptance.map((each) => `Given ${each.given}, when ${each.when}, then ${each.then}.`),
    owns: unit.touches.owns,
    may: unit.touches.may,
    creates: unit.touches.creates,
    verify: checks,
    feature,
    findings: findings.join("\n\n"),
  });
  const input = asJson({ feature, unit, requirements, checks, feedback: findings });
  return { kind: "implement", id: unit.id, attempt: attemptOf(at), tier, prompt, input, workspace: tree };
}

/**
 * Captured against where the work loop began, not against the attempt before: what one attempt wrote outside its
 * claim stays a finding until it is gone. A tree that cannot be captured leaves the attempt without a trace.
 */
async function capture(at: Run, bench: Bench): Promise<{ commit: string; findings: Applied["findings"] }> {
  const { context, unit, origin, start } = at.input;
  const repository = { gitDir: context.repository.gitDir };
  try {
    const { commit, findings } = await captureWorkspace(
      repository,
      { ...bench, base: origin },
      {
        message: `${unit.title}\n\n${unit.intent}\n\nTutti-Unit: ${unit.id}\n`,
        identity: await identityAfter(repository, [origin]),
        claim: unit.touches,
        signal: at.signal,
      },
    );
    return {
      commit,
      findings: findings.slice(0, findingsMax).map(({ kind, path, message }) => ({ code: kind, path, message })),
    };
  } catch (error) {
    const refused = ["workspace-unusable", "capture-too-large"];
    if (!(error instanceof AppError) || !refused.includes(error.code)) throw error;
    return { commit: start, findings: [{ code: error.code, path: "", message: error.message }] };
  }
}

function appliedOf(outcome: AgentOutcome, findings: Applied["findings"]): Applied {
  if (outcome.ok) return { claim: outcome.claim, summary: outcome.summary, findings, failure: null };
  const { code, message, lastLines: said, retryable } = outcome;
  return { claim: "none", summary: "", findings, failure: { code, message, lastLines: said, retryable } };
}
