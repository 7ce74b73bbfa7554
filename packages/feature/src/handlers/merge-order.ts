import { AppError, type JobHandler } from "@tutti/kernel";
import { nextBatch } from "@tutti/workspace";
import type { FeatureDeps } from "../deps.ts";
import { completed, jobHandler } from "../job.ts";
import { commitOf, unitOf } from "../landing.ts";
import type { MergeState, Plan, RunContext, UnitResult } from "../model.ts";

interface Input {
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [unit: string]: UnitResult };
  /** Empty before the first time. */
  readonly state: MergeState | Record<string, never>;
}

/**
 * Job `merge.order`: the next batch is one topological level's largest set (greedily) without a measured conflict
 * inside, smaller differences first. No batch: nothing is left.
 */
export function mergeOrder(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "plan", "units", "state"], async (at) => {
    const { context, plan, units } = at.input;
    const state = isBegun(at.input.state) ? at.input.state : begin(at.input);
    at.note(`${state.waiting.length} units wait to be merged`);
    const { gitDir, base } = context.repository;
    const conflicts = await deps.conflicts.measure(
      { gitDir },
      {
        run: `${context.run}#merge`,
        base,
        commits: new Map(state.waiting.map((id) => [id, commitOf(state, id)])),
      },
    );
    const waiting = state.waiting.map((id) => {
      const { added, deleted } = resultOf(units, id);
      return { id, dependsOn: unitOf(plan, id).dependsOn, lines: added + deleted };
    });
    const batch = nextBatch(waiting, conflicts);
    return completed({ state: { ...state, batch, trial: null, trialResolutions: [] } satisfies MergeState });
  });
}

function isBegun(state: Input["state"]): state is MergeState {
  return typeof state["tip"] === "string";
}

/** Only units that were finished take part; the rest was accepted as missing. */
function begin({ context, plan, units }: Input): MergeState {
  const waiting = plan.units.map(({ id }) => id).filter((id) => units[id] !== undefined);
  return {
    tip: context.repository.base,
    landed: [],
    waiting,
    batch: [],
    trial: null,
    bundles: [],
    commits: Object.fromEntries(waiting.map((id) => [id, resultOf(units, id).commit])),
    repaired: {},
    usage: {},
    setAside: [],
    resolutions: [],
    trialResolutions: [],
    verifications: [],
  };
}

function resultOf(units: Input["units"], id: string): UnitResult {
  const result = units[id];
  if (result === undefined) throw new AppError("input-missing", `There is no result of unit '${id}'.`);
  return result;
}
