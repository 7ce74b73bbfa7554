import { join } from "node:path";
import { type AgentOutcome, jsonIn, renderPrompt } from "@tutti/agents";
import type { JobHandler, JobOutcome, Json } from "@tutti/kernel";
import { filesAt } from "@tutti/workspace";
import { runAgent } from "../agent-run.ts";
import type { FeatureDeps } from "../deps.ts";
import { asJson, completed, failed, type JobRun, jobHandler } from "../job.ts";
import type { Plan, RunContext, Usage } from "../model.ts";
import { checkPlan } from "../plan/gates.ts";
import type { PlanProblem } from "../plan/problem.ts";
import { checkSchema } from "../plan/read.ts";
import { withWorkspace } from "../scratch-workspace.ts";
import { addUsage, noUsage } from "../usage.ts";

interface PlanInput {
  readonly feature: string;
  readonly context: RunContext;
  /** A plan that was given; null: a planner agent makes one. */
  readonly planned: Json;
}

interface Checked {
  readonly plan?: Plan;
  readonly problems: readonly PlanProblem[];
}

/** How often a planner agent may repair what the gates found. */
const planningsMax = 3;

/**
 * `feature.plan`: a plan that passed every gate, with its locks. A plan that cannot pass is the BPMN error
 * `plan-invalid`; its details list every problem.
 */
export function planHandler(deps: FeatureDeps): JobHandler {
  return jobHandler<PlanInput>(["feature", "context"], async (run) => {
    const { context, planned } = run.input;
    const files = await filesAt({ gitDir: context.repository.gitDir }, context.repository.base);
    const check = (value: unknown): Checked => checkValue(value, files);
    if (planned !== null && planned !== undefined) return answer(check(planned), null);
    return askPlanner(deps, run, check);
  });
}

function checkValue(value: unknown, files: readonly string[]): Checked {
  const reading = checkSchema(value, () => undefined);
  return reading.plan === undefined
    ? { problems: reading.problems }
    : checkPlan(reading.plan, { files, place: reading.place });
}

/** The name of an agent is a command for this machine, and what a planner writes may come from the repository. */
function withoutOwnAgents(checked: Checked, { options }: RunContext): Checked {
  const problems = (checked.plan?.units ?? [])
    .filter(({ agent }) => agent !== undefined && agent !== options.agent)
    .map(
      ({ id, agent }): PlanProblem => ({
        code: "plan-agent",
        severity: "error",
        message: `Expected '${id}' without an agent of its own, but it names '${agent}'`,
      }),
    );
  return problems.length === 0 ? checked : { problems: [...checked.problems, ...problems] };
}

/** Problems as lines: what a planner agent is to repair, and what a person reads. */
function listed(problems: readonly PlanProblem[]): string {
  return problems.map(({ severity, code, message }) => `${severity} ${code}: ${message}`).join("\n");
}

function answer({ plan, problems }: Checked, planning: Usage | null): JobOutcome {
  const findings = problems.map(({ code, severity, message }) => ({ code, severity, message }));
  if (plan !== undefined) return completed({ plan, findings, planning });
  const errors = problems.filter((problem) => problem.severity === "error");
  const message = `${errors.length} problems: ${errors[0]?.message ?? "unknown"}`;
  return { type: "error", code: "plan-invalid", message, details: { problems: findings } };
}

async function askPlanner(
  deps: FeatureDeps,
  run: JobRun<PlanInput>,
  check: (value: unknown) => Checked,
): Promise<JobOutcome> {
  let last: Checked = { problems: [] };
  let usage: Usage = noUsage;
  for (let attempt = 1; attempt <= planningsMax; attempt += 1) {
    const { outcome, agentMs } = await plan(deps, run, { attempt, findings: listed(last.problems) });
    usage = addUsage(usage, outcome.usage, agentMs);
    if (!outcome.ok) {
      const details = asJson({ lastLines: outcome.lastLines });
      return failed(outcome.code, outcome.message, { retryable: outcome.retryable, details });
    }
    last = withoutOwnAgents(check(outcome.result ?? jsonIn(outcome.summary)), run.input.context);
    if (last.plan !== undefined) return answer(last, usage);
    run.note(`the gates refused plan ${attempt} of ${planningsMax}`);
  }
  return answer(last, usage);
}

/** The planner reads the repository in a workspace of its own; what it writes there is thrown away. */
async function plan(
  deps: FeatureDeps,
  run: JobRun<PlanInput>,
  round: { readonly attempt: number; readonly findings: string },
): Promise<{ readonly outcome: AgentOutcome; readonly agentMs: number }> {
  const { feature, context } = run.input;
  const { attempt, findings } = round;
  const [chosen, persona] = await Promise.all([deps.agentFor(context, null), deps.persona("planner")]);
  const request = {
    repository: { gitDir: context.repository.gitDir },
    run: context.run,
    unit: "plan",
    attempt,
    purpose: "plan",
    commit: context.repository.base,
  };
  const input = { feature, findings, limits: "" };
  return withWorkspace({ deps, at: run, request }, async (workspace) => {
    const transcript = join(deps.stateDir, "transcripts", context.run, "plan", `${attempt}.jsonl`);
    const prompt = renderPrompt(persona, input);
    const task = {
      kind: "plan",
      id: "plan",
      attempt,
      tier: "thinking",
      prompt,
      input,
      workspace: workspace.tree,
    } as const;
    return runAgent(deps, run, { context, chosen, task, scratch: workspace.scratch, transcript });
  });
}
