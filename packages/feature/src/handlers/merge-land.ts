import type { JobHandler } from "@tutti/kernel";
import type { FeatureDeps } from "../deps.ts";
import { completed, jobHandler } from "../job.ts";
import { landUnits, type MergeScene, type Parked, unitOf } from "../landing.ts";
import { type Conflicted, keptWithout, withCompany } from "../merge-step.ts";
import type { MergeState, Plan, RunContext, UnitResult } from "../model.ts";
import { describeParked, openConflict } from "../resolver.ts";
import { addByUnit } from "../usage.ts";

interface Input {
  readonly feature: string;
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [unit: string]: UnitResult };
  readonly state: MergeState;
}

/**
 * Job `merge.land`: makes the commit that the batch would be. Nothing has landed yet. A conflict that no rung of the
 * ladder settles is `trouble`: a person resolves the paths and retries, or goes on without the unit.
 */
export function mergeLand(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "plan", "units", "state"], async (at) => {
    const { context, plan, units, state } = at.input;
    at.note(`merging ${state.batch.length} units`);
    const scene: MergeScene = { deps, at, context, plan, units, state };
    const landing = await landUnits(scene, state.batch);
    const usage = addByUnit(state.usage, landing.usage);
    if ("conflicts" in landing) {
      // A resolver that was ended settles nothing, and that is no conflict.
      at.signal.throwIfAborted();
      const next: MergeState = { ...state, batch: [], trial: null, bundles: [], trialResolutions: [], usage };
      return completed({ state: next, trouble: await describe(scene, landing) });
    }
    const { commit: trial, resolutions: trialResolutions } = landing;
    const bundles = await deps.exchange.send(context, { commit: trial, signal: at.signal });
    const next: MergeState = { ...state, trial, bundles, trialResolutions, usage };
    return completed({ state: next, trouble: null });
  });
}

async function describe(scene: MergeScene, { unit, conflicts }: Parked): Promise<Conflicted> {
  const { message } = describeParked(conflicts);
  return {
    unit: unitOf(scene.plan, unit),
    code: "conflict-parked",
    message: `${message} (merging ${unit})`,
    kept: keptWithout(scene.state, await withCompany(scene, unit)),
    paths: conflicts.map(({ conflict }) => conflict.path),
    conflicts: conflicts.map(openConflict),
  };
}
