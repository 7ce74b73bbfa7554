import { z } from "zod";
import type { Plan, PlanUnit } from "../model.ts";
import { planLimits } from "./limits.ts";

/** Also part of refs, folders and file names, so it is kept plain. */
const unitId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "a unit id of letters, digits, _ . and - (at most 64)");
const line = z.string().min(1).max(planLimits.lineCharactersMax);
const prose = z.string().min(1).max(planLimits.proseCharactersMax);
const command = z.string().min(1).max(planLimits.commandCharactersMax);
const globs = z.array(z.string().min(1).max(planLimits.lineCharactersMax)).max(planLimits.pathsMax).default([]);
const names = z.array(line).max(planLimits.listMax).default([]);

const touches = z.strictObject({
  owns: globs.meta({ description: "Globs that this unit alone may write while it runs." }),
  may: globs.meta({ description: "Globs that others may write at the same time; differences are merged." }),
  creates: globs.meta({ description: "Paths that this unit makes; no other unit creates them." }),
});

const criterion = z.strictObject({ id: line, given: prose, when: prose, then: prose, check: command.optional() });

const prepareStep = z.union([
  command.transform((run) => ({ run, inputs: [] as string[], outputs: [] as string[] })),
  z.strictObject({ run: command, inputs: globs, outputs: globs }),
]);

const regenerateStep = z.strictObject({
  paths: z.array(z.string().min(1).max(planLimits.lineCharactersMax)).min(1).max(planLimits.pathsMax),
  run: command,
});

const unit = z.strictObject({
  id: unitId,
  title: line,
  intent: prose.meta({ description: "What is to be true when it is done: the agent and resolvers are told." }),
  requirements: names.meta({ description: "Ids of the requirements that it serves." }),
  acceptance: z.array(criterion).max(planLimits.listMax).default([]),
  touches: touches.default({ owns: [], may: [], creates: [] }).meta({ description: "All that it may write." }),
  provides: names.meta({ description: "Names of what others can build on." }),
  needs: names.meta({ description: "Names that a unit it depends on, directly or not, provides." }),
  dependsOn: z
    .array(z.string().min(1).max(64))
    .max(planLimits.unitsMax)
    .default([])
    .meta({ description: "Ids of units whose work it starts from." }),
  size: z.enum(["small", "medium", "large"]).default("medium"),
  resource: z
    .enum(["light", "standard", "heavy", "lightweight", "medium", "heavyweight"])
    .default("standard")
    .transform((name) => resourceClass[name]),
  priority: z.int().min(1).max(5).default(3).meta({ description: "1 first to 5 last." }),
  verify: z
    .array(command)
    .max(planLimits.listMax)
    .default([])
    .meta({ description: "Commands that must pass on the unit's own tree." }),
  agent: line.optional().meta({ description: "Agent for this unit; default: the run's." }),
});

/** Both lineages' names for the three classes. */
const resourceClass = {
  light: "light",
  lightweight: "light",
  standard: "standard",
  medium: "standard",
  heavy: "heavy",
  heavyweight: "heavy",
} as const;

const schema = z.strictObject({
  format: z.literal("tutti-plan/1"),
  feature: line,
  requirements: z
    .array(z.strictObject({ id: line, text: prose }))
    .max(planLimits.listMax)
    .default([]),
  checks: z
    .array(command)
    .max(planLimits.listMax)
    .default([])
    .meta({ description: "Commands that must pass on every merged tree." }),
  prepare: z
    .array(prepareStep)
    .max(planLimits.listMax)
    .default([])
    .meta({ description: "Installs what a workspace needs; outputs are kept while inputs have the same content." }),
  regenerate: z
    .array(regenerateStep)
    .max(planLimits.listMax)
    .default([])
    .meta({ description: "How generated files are made anew when they conflict." }),
  units: z.array(unit).min(1).max(planLimits.unitsMax),
});

/** A plan as its author wrote it, with the defaults filled in; `locks` come from the gates. */
export type UnitDraft = Omit<PlanUnit, "locks">;
export type PlanDraft = Omit<Plan, "units"> & { readonly units: readonly UnitDraft[] };

// zod gives optional keys the type `| undefined`; it never sets one, which is what the drafts promise.
export const planSchema: z.ZodType<PlanDraft> = schema as unknown as z.ZodType<PlanDraft>;
