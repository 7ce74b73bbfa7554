import { z } from "zod";

export type UnitStatus =
  | "waiting"
  | "ready"
  | "running"
  | "repairing"
  | "done"
  | "failed"
  | "skipped"
  | "cancelled"
  | "withdrawn";

export interface UnitView {
  readonly id: string;
  readonly title: string;
  readonly status: UnitStatus;
  /** Tries of the whole unit, and of the work loop within it; 0 before it started. */
  readonly round: number;
  readonly attempt: number;
  readonly attemptsMax: number;
  /** What it is doing, and its agent's last sign of life. */
  readonly step: string | null;
  readonly note: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly elapsedMs: number;
  readonly dependsOn: readonly string[];
  readonly locks: readonly string[];
  /** Why it has not started. */
  readonly waitsFor: string | null;
  readonly landed: boolean;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly lastLines: readonly string[];
  } | null;
}

/** Something only a person can end. `key` is the task's or the incident's. */
export interface RunNeed {
  readonly kind: "approval" | "failed-units" | "incident";
  readonly instanceId: string;
  readonly key: number;
  readonly code: string;
  readonly message: string;
  readonly units: readonly string[];
  readonly since: number;
}

export interface RunResolution {
  readonly path: string;
  readonly rung: string;
  readonly between: readonly string[];
  readonly note: string;
}

/**
 * `GET /v1/runs/{id}`: one run as a screen shows it, derived from the log. Times are epoch ms. The flagship's own
 * `RunView` is the same, to which the composition root's type test holds both.
 */
export interface RunViewMessage {
  readonly run: string;
  readonly feature: string;
  readonly repository: string;
  readonly base: string;
  readonly agent: string;
  /** The agents only play what a script says. */
  readonly scripted: boolean;
  readonly phase: "planning" | "approval" | "units" | "merging" | "publishing" | "ended";
  /** `waiting`: nothing goes on until a person does something; `needsYou` says what. */
  readonly status: "running" | "paused" | "waiting" | "completed" | "failed" | "cancelled";
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly elapsedMs: number;
  /** Every planned unit counts when it is done and when it has landed, publishing counts once. */
  readonly percent: number;
  /** Null: not known yet. */
  readonly etaMs: number | null;
  readonly totals: {
    readonly planned: number;
    readonly done: number;
    readonly running: number;
    readonly waiting: number;
    readonly failed: number;
    readonly skipped: number;
    readonly cancelled: number;
    readonly landed: number;
  };
  /** What the run itself is doing, outside its units. */
  readonly step: string | null;
  readonly units: readonly UnitView[];
  readonly findings: readonly { readonly code: string; readonly message: string }[];
  readonly resolutions: readonly RunResolution[];
  readonly verifications: number;
  readonly repairs: number;
  readonly needsYou: readonly RunNeed[];
  readonly published: {
    readonly branch: string;
    readonly commit: string;
    readonly partial: boolean;
    readonly body: string;
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A row of `GET /v1/runs`, newest first. */
export interface RunSummary {
  readonly run: string;
  readonly feature: string;
  readonly repository: string;
  readonly status: RunViewMessage["status"];
  readonly startedAt: number;
  readonly endedAt: number | null;
}

const time = z.number();
const unitStatus = z.enum([
  "waiting",
  "ready",
  "running",
  "done",
  "failed",
  "skipped",
  "cancelled",
  "withdrawn",
  "repairing",
]);

const unit: z.ZodType<UnitView> = z.object({
  id: z.string(),
  title: z.string(),
  status: unitStatus,
  round: z.int(),
  attempt: z.int(),
  attemptsMax: z.int(),
  step: z.string().nullable(),
  note: z.string().nullable(),
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  elapsedMs: time,
  dependsOn: z.array(z.string()).readonly(),
  locks: z.array(z.string()).readonly(),
  waitsFor: z.string().nullable(),
  landed: z.boolean(),
  error: z.object({ code: z.string(), message: z.string(), lastLines: z.array(z.string()).readonly() }).nullable(),
});

const need: z.ZodType<RunNeed> = z.object({
  kind: z.enum(["approval", "failed-units", "incident"]),
  instanceId: z.string(),
  key: z.int(),
  code: z.string(),
  message: z.string(),
  units: z.array(z.string()).readonly(),
  since: time,
});

const resolution: z.ZodType<RunResolution> = z.object({
  path: z.string(),
  rung: z.string(),
  between: z.array(z.string()).readonly(),
  note: z.string(),
});

export const runViewSchema: z.ZodType<RunViewMessage> = z.object({
  run: z.string(),
  feature: z.string(),
  repository: z.string(),
  base: z.string(),
  agent: z.string(),
  scripted: z.boolean(),
  phase: z.enum(["planning", "approval", "units", "merging", "publishing", "ended"]),
  status: z.enum(["running", "paused", "waiting", "completed", "failed", "cancelled"]),
  startedAt: time,
  endedAt: time.nullable(),
  elapsedMs: time,
  percent: z.int(),
  etaMs: time.nullable(),
  totals: z.object({
    planned: z.int(),
    done: z.int(),
    running: z.int(),
    waiting: z.int(),
    failed: z.int(),
    skipped: z.int(),
    cancelled: z.int(),
    landed: z.int(),
  }),
  step: z.string().nullable(),
  units: z.array(unit).readonly(),
  findings: z.array(z.object({ code: z.string(), message: z.string() })).readonly(),
  resolutions: z.array(resolution).readonly(),
  verifications: z.int(),
  repairs: z.int(),
  needsYou: z.array(need).readonly(),
  published: z.object({ branch: z.string(), commit: z.string(), partial: z.boolean(), body: z.string() }).nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});

const summary: z.ZodType<RunSummary> = z.object({
  run: z.string(),
  feature: z.string(),
  repository: z.string(),
  status: z.enum(["running", "paused", "waiting", "completed", "failed", "cancelled"]),
  startedAt: time,
  endedAt: time.nullable(),
});

export const runListSchema: z.ZodType<{ readonly runs: readonly RunSummary[] }> = z.object({
  runs: z.array(summary).readonly(),
});
