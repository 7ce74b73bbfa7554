import { AppError, type Rollout, type RolloutGuard, type RolloutPlan, type RolloutSegment } from "@tutti/kernel";
import type { Input } from "../../args/input.ts";
import type { Command, Context } from "../../command.ts";
import { planRollout, queryAll } from "../../process/owner-calls.ts";
import { rolloutText } from "../../process/rollout-text.ts";
import { ownerHere, withAccess } from "../../run/access.ts";
import { rowsOf } from "../../run/reader.ts";

/** What changes a plan. */
const planOptions = [
  ...["candidate", "stable", "percent", "stable-when", "candidate-when"],
  ...["failures-max", "ended-min", "incidents-max"],
] as const;

export const processRollout: Command = {
  name: "process rollout",
  summary: "Shares new instances of a process between two of its versions: 10, 50, then 100 percent.",
  about:
    "An instance keeps the version it began with, and one routing key stays with one version as the percentage grows. What is not named stays as it was planned. The guard takes the candidate back by itself; --percent 0 does it by hand. --end gives everybody what was deployed last. Without options it shows the plan.",
  options: {
    candidate: { value: "VERSION", help: "the version on trial (default: what was deployed last)" },
    stable: { value: "VERSION", help: "what the others get (default: the version deployed before)" },
    percent: { value: "N", help: "how many get the candidate, in steps of 0.01" },
    "stable-when": {
      value: "CEL",
      repeated: true,
      help: "who gets the stable version whatever the percentage: tier == 'gold'",
    },
    "candidate-when": { value: "CEL", repeated: true, help: "who gets the candidate; asked after --stable-when" },
    "failures-max": { value: "SHARE", help: "guard: at most this share of the candidate's may fail, as 0.2" },
    "ended-min": { value: "N", help: "guard: judge the share once so many have ended (default: 10)" },
    "incidents-max": { value: "N", help: "guard: so many incidents may come up" },
    end: { help: "end the rollout" },
  },
  arguments: [{ name: "PROCESS", help: "id of the process", required: true }],
  examples: [
    "tutti process rollout order --percent 10 --failures-max 0.2",
    "tutti process rollout order --percent 100",
    "tutti process rollout order --end",
  ],
  async run(context) {
    const { input } = context;
    const process = input.argument(0) ?? "";
    if (planOptions.every((name) => input.list(name).length === 0) && !input.flag("end")) return show(context, process);
    await refuseOddConditions(segmentsOf(input));
    const client = await ownerHere(context);
    const [before] = await queryAll(client, "rollouts", { process });
    const versions = (await queryAll(client, "versions", { process })).map(({ version }) => version);
    const plan = input.flag("end") ? null : planOf(input, before?.plan, versions);
    return tell(context, process, await planRollout(client, process, plan));
  },
};

function show(context: Context, process: string): Promise<number> {
  return withAccess(context, async ({ reader }) => {
    const [rollout = null] = await rowsOf(reader, "rollouts", { process });
    return tell(context, process, rollout);
  });
}

function tell({ out }: Context, process: string, rollout: Rollout | null): number {
  out.document({ process, rollout });
  out.text(rollout === null ? `${process}: everybody gets what was deployed last.` : rolloutText(rollout));
  return 0;
}

/** `versions`: the newest first. */
function planOf(input: Input, before: RolloutPlan | undefined, versions: readonly string[]): RolloutPlan {
  const candidate = input.text("candidate") ?? before?.candidate ?? versions[0];
  const stable = input.text("stable") ?? before?.stable ?? versions.find((version) => version !== candidate);
  const percent = input.number("percent", { min: 0, max: 100, fraction: true }) ?? before?.percent;
  if (candidate === undefined || stable === undefined) {
    throw new AppError("option-invalid", `Expected two versions to be deployed, but there is ${versions[0] ?? "none"}`);
  }
  if (percent === undefined) throw new AppError("input-needed", "Expected --percent, but there is none");
  const segments = segmentsOf(input);
  const guard = guardOf(input, before?.guard);
  return {
    ...{ stable, candidate, percent },
    ...(segments.length > 0 ? { segments } : before?.segments === undefined ? {} : { segments: before.segments }),
    ...(guard === undefined ? {} : { guard }),
  };
}

function segmentsOf(input: Input): readonly RolloutSegment[] {
  return (["stable", "candidate"] as const).flatMap((gets) =>
    input.list(`${gets}-when`).map((text) => ({ when: { language: "cel" as const, text }, gets })),
  );
}

function guardOf(input: Input, before: RolloutGuard | undefined): RolloutGuard | undefined {
  const failureRateMax = input.number("failures-max", { min: 0, max: 1, fraction: true }) ?? before?.failureRateMax;
  const endedMin = input.number("ended-min", { min: 1, max: 1_000_000 }) ?? before?.endedMin;
  const incidentsMax = input.number("incidents-max", { min: 0, max: 1_000_000 }) ?? before?.incidentsMax;
  if (failureRateMax === undefined && endedMin === undefined && incidentsMax === undefined) return undefined;
  return {
    endedMin: endedMin ?? 10,
    failureRateMax: failureRateMax ?? 1,
    ...(incidentsMax === undefined ? {} : { incidentsMax }),
  };
}

/** One that cannot be read would never hold, and nobody would notice. */
async function refuseOddConditions(segments: readonly RolloutSegment[]): Promise<void> {
  if (segments.length === 0) return;
  const { createHost } = await import("@tutti/definition");
  const scope = { get: () => undefined, isInteger: () => false };
  for (const { when } of segments) {
    const result = createHost().evaluate(when, scope);
    if (result.ok || result.code === "variable-missing") continue;
    throw new AppError("option-invalid", `Expected a condition, but '${when.text}' is none: ${result.message}`);
  }
}
