import { AppError, type JobHandler } from "@tutti/kernel";
import { bisect } from "@tutti/workspace";
import { type CheckOutcome, failedChecks } from "../checks.ts";
import type { FeatureDeps } from "../deps.ts";
import { describeCheck, keepFeedback } from "../diagnosis.ts";
import { completed, jobHandler } from "../job.ts";
import { checksOf, type Landing, type MergeScene, mustLand, unitOf } from "../landing.ts";
import { type Culprit, checkTree, keptWithout, type MergeVerdict, withCompany } from "../merge-step.ts";
import type { CheckResult, MergeState, Plan, RunContext, UnitResult } from "../model.ts";
import { addByUnit } from "../usage.ts";

interface Input {
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [unit: string]: UnitResult };
  readonly state: MergeState;
  readonly verdict: MergeVerdict;
}

/**
 * Job `merge.bisect`: finds the unit whose arrival turns the batch red, in about log₂ n verifications, and says where
 * its work loop goes on (`trouble`). When the tree is red before any unit, no unit is blamed: `checks-red-before-merge`.
 */
export function mergeBisect(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "plan", "units", "state", "verdict"], async (at) => {
    const { context, plan, units, state, verdict } = at.input;
    const trials = new Trials({ deps, at, context, plan, units, state }, verdict);
    at.note(`looking for what turns ${state.batch.length} units red`);
    await refuseRedTip(trials);
    const { culprits } = await bisect({
      items: state.batch,
      isGreen: async (subset) => (await trials.check(subset)).passed,
      keyOf: async (subset) => (await trials.land(subset)).tree,
    });
    const [id] = culprits;
    if (id === undefined)
      throw new AppError("checks-red-before-merge", "The checks are red, but no unit turns them so.");
    const culprit = await describeCulprit(trials, id);
    const { batch, trial } = state;
    const verification = { commit: trial ?? "", units: batch, passed: false, durationMs: verdict.durationMs };
    const next: MergeState = {
      ...state,
      waiting: state.waiting.filter((other) => other !== id),
      batch: [],
      trial: null,
      bundles: [],
      trialResolutions: [],
      verifications: [...state.verifications, verification],
      usage: addByUnit(state.usage, trials.usage),
    };
    return completed({ state: next, trouble: culprit });
  });
}

type Verdict = Pick<CheckOutcome, "passed" | "results">;

/** Merges and verifies parts of the batch, each at most once. */
class Trials {
  readonly scene: MergeScene;
  usage: MergeState["usage"] = {};
  readonly #verdict: MergeVerdict;
  readonly #landings = new Map<string, Promise<Landing>>();
  readonly #verdicts = new Map<string, Promise<Verdict>>();

  constructor(scene: MergeScene, verdict: MergeVerdict) {
    this.scene = scene;
    this.#verdict = verdict;
  }

  land(ids: readonly string[]): Promise<Landing> {
    const name = ids.join("\0");
    const landing = this.#landings.get(name) ?? this.#land(ids);
    this.#landings.set(name, landing);
    return landing;
  }

  async #land(ids: readonly string[]): Promise<Landing> {
    const landing = await mustLand(this.scene, ids);
    this.usage = addByUnit(this.usage, landing.usage);
    return landing;
  }

  async check(ids: readonly string[]): Promise<Verdict> {
    // The whole batch was verified just before; that is why we are here.
    if (ids.length === this.scene.state.batch.length) return this.#verdict;
    const { commit, tree, resolutions } = await this.land(ids);
    const verdict = this.#verdicts.get(tree) ?? checkTree(this.scene, { commit, plan: this.scene.plan, resolutions });
    this.#verdicts.set(tree, verdict);
    return verdict;
  }
}

async function refuseRedTip(trials: Trials): Promise<void> {
  const { passed, results } = await trials.check([]);
  if (passed) return;
  const reason = failedChecks(results) ?? "a check failed";
  throw new AppError("checks-red-before-merge", `The checks fail before anything is merged: ${reason}`, {
    details: { results: results.filter((each) => !each.passed).map(describeCheck) },
  });
}

async function describeCulprit(trials: Trials, id: string): Promise<Culprit> {
  const { plan, units, state } = trials.scene;
  const unit = unitOf(plan, id);
  const [red, green] = await smallestRed(trials, id);
  const [{ results }, { commit: start }, { commit: base }] = await Promise.all([
    trials.check(red),
    trials.land(red),
    trials.land(green),
  ]);
  const bundles = await trials.scene.deps.exchange.send(trials.scene.context, {
    commit: start,
    signal: trials.scene.at.signal,
  });
  const company = green.length === 0 ? "what has landed" : `what has landed and ${green.join(", ")}`;
  const alone = green.length === 0 ? "" : ` with ${green.join(", ")}`;
  return {
    unit,
    code: "merge-red",
    message: `The checks fail once ${id} is merged${alone}: ${failedChecks(results) ?? "a check failed"}`,
    kept: keptWithout(state, await withCompany(trials.scene, id)),
    // A round of its own for every repair, so that its attempts are told apart from all others.
    round: (units[id]?.round ?? 1) + 1 + (state.repaired[id] ?? 0),
    base,
    start,
    bundles,
    feedback: keepFeedback([complaint(company, results)]),
    checks: [...new Set([...plan.checks, ...checksOf(plan, id)])],
  };
}

/** The culprit alone when that is red by itself, else together with those that went before it. */
async function smallestRed(trials: Trials, id: string): Promise<readonly [string[], string[]]> {
  if (!(await trials.check([id])).passed) return [[id], []];
  const { batch } = trials.scene.state;
  const before = batch.slice(0, batch.indexOf(id));
  return [[...before, id], before];
}

function complaint(company: string, results: readonly CheckResult[]): string {
  const red = results.filter(({ passed }) => !passed).map(describeCheck);
  return [`Your change passed alone, but merged with ${company} the checks fail:`, ...red].join("\n\n");
}
