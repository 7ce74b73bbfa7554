import { AppError } from "@tutti/kernel";
import {
  independentCommits,
  mergeCommits,
  mergeDisjoint,
  type ParkedConflict,
  type Repository,
  type Resolution,
  treeOf,
} from "@tutti/workspace";
import type { FeatureDeps } from "./deps.ts";
import type { Running } from "./job.ts";
import type { MergeState, Plan, PlanUnit, ResolutionRecord, RunContext, UnitResult } from "./model.ts";
import { describeParked, resolverLadder, type SideStory } from "./resolver.ts";
import { noUsage, sumUsage } from "./usage.ts";

/** What is being merged, and by which plan. */
export interface MergeScene {
  readonly deps: FeatureDeps;
  readonly at: Running;
  readonly context: RunContext;
  readonly plan: Plan;
  readonly units: { readonly [unit: string]: UnitResult };
  readonly state: MergeState;
}

export interface Landing {
  readonly commit: string;
  readonly tree: string;
  readonly resolutions: readonly ResolutionRecord[];
  /** What resolvers used, by the unit that was being merged. */
  readonly usage: MergeState["usage"];
}

/** A conflict of one unit that no rung of the ladder settled. */
export interface Parked {
  readonly unit: string;
  readonly conflicts: readonly ParkedConflict[];
  readonly usage: MergeState["usage"];
}

/**
 * Merges units onto the tip, in the object database: those that touch different paths as one commit, the others one
 * by one, their conflicts up the ladder. A unit that the tip contains already lands without a merge. When nobody
 * settles a conflict nothing is merged.
 */
export async function landUnits(scene: MergeScene, ids: readonly string[]): Promise<Landing | Parked> {
  const { context, state } = scene;
  const repository = { gitDir: context.repository.gitDir };
  const open: string[] = [];
  for (const id of ids) if (!(await contains(repository, state.tip, commitOf(state, id)))) open.push(id);
  const together = await landTogether(scene, open);
  let tip = together.commit;
  const landed = [...state.landed, ...together.landed];
  const resolutions: ResolutionRecord[] = [];
  let usage: MergeState["usage"] = {};
  for (const id of open.filter((each) => !together.landed.includes(each))) {
    const one = await landOne(scene, { tip, landed, id });
    usage = { ...usage, ...one.usage };
    if ("conflicts" in one) return { ...one, usage };
    tip = one.commit;
    landed.push(id);
    resolutions.push(...one.resolutions);
  }
  return { commit: tip, tree: await treeOf(repository, tip), resolutions, usage };
}

/** The same where a person is not asked: throws `conflict-parked` with the paths. */
export async function mustLand(scene: MergeScene, ids: readonly string[]): Promise<Landing> {
  const landing = await landUnits(scene, ids);
  if (!("conflicts" in landing)) return landing;
  const { message, details } = describeParked(landing.conflicts);
  throw new AppError("conflict-parked", `${message} (merging ${landing.unit})`, {
    details: { ...details, unit: landing.unit },
  });
}

/** Whether `commit` is `tip` or in its history. */
export async function contains(repository: Repository, tip: string, commit: string): Promise<boolean> {
  const [only, other] = await independentCommits(repository, [tip, commit]);
  return only === tip && other === undefined;
}

async function landTogether(
  { context, plan, state }: MergeScene,
  ids: readonly string[],
): Promise<{ commit: string; landed: readonly string[] }> {
  if (ids.length < 2) return { commit: state.tip, landed: [] };
  const repository = { gitDir: context.repository.gitDir };
  const land = (chosen: readonly string[]) =>
    mergeDisjoint(repository, {
      onto: state.tip,
      commits: new Map(chosen.map((id) => [id, commitOf(state, id)])),
      message: messageFor(plan, chosen),
    });
  const all = await land(ids);
  // The message names what is in the commit, so it is made anew when something was left out.
  return all.left.length === 0 || all.landed.length === 0 ? all : await land(all.landed);
}

async function landOne(
  scene: MergeScene,
  { tip, landed, id }: { tip: string; landed: readonly string[]; id: string },
): Promise<Omit<Landing, "tree"> | Parked> {
  const { context, plan, state, deps, at } = scene;
  const unit = unitOf(plan, id);
  const rivalOf = (path: string): string | undefined =>
    landed.findLast((other) => scene.units[other]?.changed.includes(path));
  const rivals = [...new Set((scene.units[id]?.changed ?? []).map(rivalOf))];
  const verify = [...rivals, id].flatMap((each) => (each === undefined ? [] : checksOf(plan, each)));
  let used = noUsage;
  at.note(`merging ${id}`);
  const outcome = await mergeCommits(
    { gitDir: context.repository.gitDir },
    {
      run: context.run,
      ours: { commit: tip, intent: landed.map((each) => unitOf(plan, each).title).join("; ") },
      theirs: { commit: commitOf(state, id), intent: unit.intent },
      message: messageFor(plan, [id]),
      ladder: resolverLadder(deps, at, {
        context,
        commit: tip,
        verify: [...new Set(verify)],
        plan,
        onUsage: (more) => {
          used = sumUsage([used, more]);
        },
        storyOf: (path) => ({ ours: storyOf(plan, rivalOf(path)), theirs: storyOf(plan, id) }),
      }),
    },
  );
  const usage = used === noUsage ? {} : { [id]: used };
  if (outcome.type === "parked") return { unit: id, conflicts: outcome.conflicts, usage };
  const record = ({ path, rule, note, leftOut }: Resolution): ResolutionRecord => ({
    path,
    rung: rule,
    between: [rivalOf(path) ?? "base", id],
    note: leftOut.length === 0 ? note : `${note} (left out: ${leftOut.length} added lines)`,
  });
  return { commit: outcome.commit, resolutions: outcome.resolutions.map(record), usage };
}

/** The checks of the merged tree: the plan's, and those of both units wherever a conflict was resolved. */
export function mergeChecks(plan: Plan, resolutions: readonly ResolutionRecord[]): readonly string[] {
  const between = new Set(resolutions.flatMap((each) => each.between));
  const units = plan.units.filter(({ id }) => between.has(id));
  return [...new Set([...plan.checks, ...units.flatMap(({ id }) => checksOf(plan, id))])];
}

/** Every command that proves a unit: its own and those of its acceptance criteria. */
export function checksOf(plan: Plan, id: string): readonly string[] {
  const { verify, acceptance } = unitOf(plan, id);
  return [...new Set([...verify, ...acceptance.flatMap(({ check }) => (check === undefined ? [] : [check]))])];
}

export function unitOf(plan: Plan, id: string): PlanUnit {
  const unit = plan.units.find((each) => each.id === id);
  if (unit === undefined) throw new AppError("input-missing", `The plan has no unit '${id}', which is to be merged.`);
  return unit;
}

export function commitOf(state: MergeState, id: string): string {
  const commit = state.commits[id];
  if (commit === undefined) throw new AppError("input-missing", `There is no commit for unit '${id}'.`);
  return commit;
}

function storyOf(plan: Plan, id: string | undefined): SideStory {
  if (id === undefined) return { title: "What was there before", intent: "" };
  const { title, intent } = unitOf(plan, id);
  return { title, intent };
}

function messageFor(plan: Plan, ids: readonly string[]): string {
  const [first = ""] = ids;
  if (ids.length === 1) return `Merge ${first}: ${unitOf(plan, first).title}\n`;
  const lines = ids.map((id) => `- ${id}: ${unitOf(plan, id).title}`);
  return `Merge ${ids.length} units that touch different paths\n\n${lines.join("\n")}\n`;
}
