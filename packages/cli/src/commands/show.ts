import { join } from "node:path";
import {
  type Applied,
  bringTranscripts,
  type CheckResult,
  type RunContext,
  type RunView,
  type UnitResult,
  type UnitView,
} from "@tutti/feature";
import { AppError, type InstanceView, type JsonObject } from "@tutti/kernel";
import { adoptWorkspace, listWorkspaces, type WorkspaceStatus, workspaceStatus } from "@tutti/workspace";
import { nearest } from "../args/nearest.ts";
import { namedArtifacts } from "../artifacts.ts";
import type { Command, Context } from "../command.ts";
import { codeOf } from "../problem.ts";
import { withRun } from "../run/access.ts";
import { plural } from "../terminal/text.ts";
import { runArgument } from "./arguments.ts";

/** One work loop of a unit: each round has one, and each repair. */
interface Loop {
  readonly round: number;
  readonly attempts: number;
  readonly status: InstanceView["status"];
  readonly summary: string | null;
  readonly findings: readonly string[];
  readonly checks: readonly CheckResult[];
}

export const show: Command = {
  name: "show",
  summary:
    "Shows a unit: what it is for, its attempts and checks, where it is being worked on, what it changed, its conflicts, its transcripts.",
  options: {},
  arguments: [{ name: "UNIT", help: "id of the unit", required: true }, runArgument],
  examples: ["tutti show sessions", "tutti show sessions oauth-k3x9aa --json"],
  run: (context) =>
    withRun(context, context.input.argument(1), async (access, run) => {
      const view = await access.view(run);
      const root = await access.runs.root(run);
      const id = context.input.argument(0) ?? "";
      const unit = view.units.find((each) => each.id === id) ?? unknown(view, id);
      const instances = await access.runs.unit(run, id);
      const loops = instances.filter(({ process }) => process === "work-loop").map(loopOf);
      const result = resultOf(root, id);
      const plan = planUnit(root, id);
      const workspaces = await workspacesOf(context.state.path, root, id);
      const transcripts = join(context.state.path, "transcripts", run, id);
      await bring(context, instances, transcripts);
      context.out.document({ run, unit, plan, loops, workspaces, result, transcripts });
      print(context, { unit, loops, workspaces, result, plan, transcripts });
      return 0;
    }),
};

/** The last transcript of each loop, where it was made on another machine. */
async function bring(context: Context, instances: readonly InstanceView[], folder: string): Promise<void> {
  const artifacts = namedArtifacts(context.state, context.environment);
  if (artifacts === undefined) return;
  const kept = instances.flatMap(
    ({ variables }) => (variables["applied"] as unknown as Applied | null)?.transcript ?? [],
  );
  try {
    await bringTranscripts(kept, { folder, artifacts: () => artifacts.open() });
  } catch (error) {
    // All the rest can be shown.
    if (!(error instanceof AppError)) throw error;
    context.out.note(`Transcripts of other machines cannot be had: ${error.message}`);
  } finally {
    await artifacts.close();
  }
}

/** Where the unit is being worked on or checked right now. */
interface OpenWorkspace extends WorkspaceStatus {
  readonly attempt: number;
  readonly tree: string;
}

async function workspacesOf(stateDir: string, root: InstanceView, unit: string): Promise<readonly OpenWorkspace[]> {
  const { repository } = root.variables["context"] as unknown as RunContext;
  const entries = (await listWorkspaces(stateDir, root.instanceId)).filter((entry) => entry.unit === unit);
  const found = entries.map(async (entry): Promise<OpenWorkspace[]> => {
    try {
      const workspace = await adoptWorkspace(stateDir, entry);
      const status = await workspaceStatus({ gitDir: repository.gitDir }, workspace);
      return [{ attempt: entry.attempt, tree: workspace.tree, ...status }];
    } catch (error) {
      // It is just being made, or went meanwhile.
      if (codeOf(error) === "workspace-not-found") return [];
      throw error;
    }
  });
  return (await Promise.all(found)).flat();
}

function unknown(view: RunView, id: string): never {
  const meant = nearest(
    id,
    view.units.map((unit) => unit.id),
  );
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  throw new AppError("unit-unknown", `Expected a unit of ${view.run}, but there is no '${id}'${hint}`);
}

interface PlannedUnit {
  readonly intent: string;
  readonly verify: readonly string[];
  readonly touches: {
    readonly owns: readonly string[];
    readonly may: readonly string[];
    readonly creates: readonly string[];
  };
}

function planUnit(root: InstanceView, id: string): PlannedUnit | null {
  const plan = root.variables["plan"] as { readonly units?: readonly (PlannedUnit & { readonly id: string })[] } | null;
  return plan?.units?.find((unit) => unit.id === id) ?? null;
}

function resultOf(root: InstanceView, id: string): UnitResult | null {
  const item = root.collections.flatMap(({ items }) => items).find(({ key }) => key === id);
  const results = (root.variables["units"] ?? {}) as JsonObject;
  return (item?.result ?? results[id] ?? null) as unknown as UnitResult | null;
}

function loopOf({ variables, status }: InstanceView): Loop {
  const applied = variables["applied"] as
    | { readonly summary?: string; readonly findings?: readonly { code: string; path: string; message: string }[] }
    | undefined;
  const tested = variables["tested"] as { readonly results?: readonly CheckResult[] } | undefined;
  return {
    round: Number(variables["round"]),
    attempts: Number(variables["attempt"] ?? 0),
    status,
    summary: applied?.summary ?? null,
    findings: (applied?.findings ?? []).map(({ code, path, message }) => `${code} ${path}: ${message}`),
    checks: tested?.results ?? [],
  };
}

function print(
  { out }: Context,
  found: {
    readonly unit: UnitView;
    readonly loops: readonly Loop[];
    readonly workspaces: readonly OpenWorkspace[];
    readonly result: UnitResult | null;
    readonly plan: PlannedUnit | null;
    readonly transcripts: string;
  },
): void {
  const { unit, loops, workspaces, result, plan, transcripts } = found;
  const { bold, dim } = out.style;
  out.text(`${bold(unit.id)}: ${unit.title} (${unit.status}${unit.landed ? ", landed" : ""})`);
  if (plan !== null) out.text(`  ${plan.intent}`);
  if (unit.dependsOn.length > 0) out.text(`  depends on ${unit.dependsOn.join(", ")}`);
  if (unit.locks.length > 0) out.text(`  holds ${unit.locks.join("; ")}`);
  if (unit.waitsFor !== null) out.text(`  waits: ${unit.waitsFor}`);
  for (const loop of loops) printLoop(out, loop);
  for (const { tree, branch, commit, author, message } of workspaces) {
    const [subject = ""] = message.split("\n");
    out.text(`  in ${tree}, branch ${branch}, on ${commit.slice(0, 12)} (${subject}, by ${author})`);
  }
  if (unit.error !== null) out.text(`  ${out.style.red(unit.error.code)}: ${unit.error.message}`);
  if (result !== null) {
    const changed = `+${result.added} −${result.deleted} in ${plural(result.changed.length, "file")}`;
    out.text(`  commit ${result.commit.slice(0, 12)}, ${changed}: ${result.changed.join(", ")}`);
    for (const { with: other, paths } of result.conflicts) out.text(`  conflicts with ${other} in ${paths.join(", ")}`);
  }
  out.text(dim(`  transcripts in ${transcripts}`));
}

function printLoop(out: Context["out"], loop: Loop): void {
  const { green, red } = out.style;
  out.text(
    `  round ${loop.round}: ${plural(loop.attempts, "attempt")}, ${loop.status}${loop.summary === null ? "" : `. ${loop.summary}`}`,
  );
  for (const finding of loop.findings) out.text(`    ${red("✗")} ${finding}`);
  for (const { command, passed, output } of loop.checks) {
    out.text(`    ${passed ? green("✓") : red("✗")} ${command}`);
    if (!passed) for (const line of output.trim().split("\n").slice(-8)) out.text(`        ${line}`);
  }
}
