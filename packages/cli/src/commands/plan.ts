import { resolve } from "node:path";
import { checkPlan, type Plan, type PlanProblem, readPlan } from "@tutti/feature";
import { filesAt, inspectSource } from "@tutti/workspace";
import type { Command, Context } from "../command.ts";
import { planError, problemLine, readTextFile } from "../run/prepare.ts";
import { plural } from "../terminal/text.ts";

export const plan: Command = {
  name: "plan",
  summary: "Checks a plan against a repository, and shows its order, its locks and what is worth a second look.",
  options: {
    repo: { value: "DIR", help: "the git repository (default: here)" },
    base: { value: "REV", help: "branch, tag or commit to start from (default: what is checked out)" },
  },
  arguments: [{ name: "FILE", help: "the plan: YAML or JSON, format tutti-plan/1", required: true }],
  examples: ["tutti plan plan.yaml --repo ~/code/app"],
  async run(context) {
    const { input, cwd, out } = context;
    const file = input.argument(0) ?? "";
    const base = input.text("base");
    // Nothing runs here, so what is not committed does no harm.
    const source = await inspectSource({
      path: resolve(cwd, input.text("repo") ?? "."),
      allowDirty: true,
      ...(base === undefined ? {} : { base }),
    });
    const reading = readPlan(await readTextFile(resolve(cwd, file)), file);
    if (reading.plan === undefined) throw planError(file, reading.problems);
    const files = await filesAt({ gitDir: source.commonDir }, source.commit);
    const checked = checkPlan(reading.plan, { files, place: reading.place });
    if (checked.plan === undefined) throw planError(file, checked.problems);
    const levels = levelsOf(checked.plan);
    out.document({ plan: checked.plan, levels, problems: checked.problems });
    print(context, { plan: checked.plan, levels, problems: checked.problems });
    return 0;
  },
};

/** Units by the number of dependencies one behind the other: what could start together, if nobody had to wait. */
function levelsOf({ units }: Plan): string[][] {
  const depth = new Map<string, number>();
  const levels: string[][] = [];
  // The gates have shown that there is no cycle, so each round places at least one unit.
  while (depth.size < units.length) {
    const level = units.filter(({ id, dependsOn }) => !depth.has(id) && dependsOn.every((other) => depth.has(other)));
    for (const { id } of level) depth.set(id, levels.length);
    levels.push(level.map(({ id }) => id));
  }
  return levels;
}

function print(
  { out }: Context,
  found: {
    readonly plan: Plan;
    readonly levels: readonly (readonly string[])[];
    readonly problems: readonly PlanProblem[];
  },
): void {
  const { plan: checked, levels, problems } = found;
  const { bold, dim, yellow } = out.style;
  const units = new Map(checked.units.map((unit) => [unit.id, unit]));
  out.text(
    `${bold(checked.feature)}: ${plural(checked.units.length, "unit")}, at most ${Math.max(...levels.map((level) => level.length))} side by side`,
  );
  for (const [index, level] of levels.entries()) {
    for (const id of level) {
      const unit = units.get(id);
      const after =
        unit === undefined || unit.dependsOn.length === 0 ? "" : dim(`  after ${unit.dependsOn.join(", ")}`);
      out.text(`  ${index + 1}  ${id}  ${unit?.title ?? ""}${after}`);
    }
  }
  const locks = [...new Set(checked.units.flatMap((unit) => unit.locks))];
  if (locks.length > 0) out.text(`Never at once:\n${locks.map((lock) => `  ${lock}`).join("\n")}`);
  for (const problem of problems) out.text(yellow(problemLine(problem)));
  out.text("The plan can run.");
}
