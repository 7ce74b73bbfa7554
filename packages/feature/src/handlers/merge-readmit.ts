import type { JobHandler } from "@tutti/kernel";
import type { FeatureDeps } from "../deps.ts";
import { arrived } from "../exchange.ts";
import { failures, writePassed } from "../failure-note.ts";
import { completed, jobHandler } from "../job.ts";
import type { MergeScene } from "../landing.ts";
import { type Trouble, withCompany } from "../merge-step.ts";
import type { MergeState, Plan, RunContext, SetAside, UnitResult, WorkResult } from "../model.ts";
import { addByUnit } from "../usage.ts";

interface Input {
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [unit: string]: UnitResult };
  readonly state: MergeState;
  readonly trouble: Trouble;
  /** By unit; nothing for one that the run goes on without. `work` is null when it is just to be tried again. */
  readonly settled: { readonly [unit: string]: { readonly work: WorkResult | null; readonly rounds: number } };
}

/**
 * Job `merge.readmit`: what becomes of the unit that stood in the way. A repaired commit replaces the captured one,
 * and the unit waits to be merged again; without an answer it is left out, with all that was built on it.
 */
export function mergeReadmit(deps: FeatureDeps): JobHandler {
  return jobHandler<Input>(["context", "plan", "units", "state", "trouble", "settled"], async (given) => {
    const { [given.input.trouble.unit.id]: answer } = given.input.settled;
    const at = await arrived(deps.exchange, given, answer?.work?.bundles);
    const { context, plan, units, state, trouble } = at.input;
    const { id } = trouble.unit;
    const scene: MergeScene = { deps, at, context, plan, units, state };
    const next = answer === undefined ? await leaveOut(scene, trouble) : takeBack(state, { id, ...answer });
    if (answer?.work != null && trouble.code === "merge-red") {
      const round = trouble.round + answer.rounds - 1;
      await writePassed({ gitDir: context.repository.gitDir }, context.run, { unit: id, round });
    }
    const repairs = Object.values(next.repaired).reduce((sum, rounds) => sum + rounds, 0);
    return completed({ state: next, repairs });
  });
}

function takeBack(
  state: MergeState,
  { id, work, rounds }: { readonly id: string; readonly work: WorkResult | null; readonly rounds: number },
): MergeState {
  const waiting = [...state.waiting.filter((other) => other !== id), id];
  if (work === null) return { ...state, waiting };
  return {
    ...state,
    waiting,
    commits: { ...state.commits, [id]: work.commit },
    repaired: { ...state.repaired, [id]: (state.repaired[id] ?? 0) + rounds },
    usage: addByUnit(state.usage, { [id]: work.usage }),
  };
}

async function leaveOut(scene: MergeScene, { unit, code, message }: Trouble): Promise<MergeState> {
  const { state, context } = scene;
  const left = await withCompany(scene, unit.id);
  const failed = await failures({ gitDir: context.repository.gitDir }, context.run);
  const note = failed.find((each) => each.unit === unit.id);
  const why = note === undefined ? message : `${message}; its repair failed: ${note.message}`;
  const setAside = left.map(
    (id): SetAside =>
      id === unit.id
        ? { unit: id, code, message: why }
        : { unit: id, code: "built-on", message: `It builds on ${unit.id}, which was left out` },
  );
  return {
    ...state,
    waiting: state.waiting.filter((id) => !left.includes(id)),
    setAside: [...state.setAside, ...setAside],
  };
}
