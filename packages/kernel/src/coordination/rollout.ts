import type { Host, VariableScope } from "../host.ts";
import type { JsonObject } from "../json.ts";
import type { Expression } from "../program.ts";
import { textHash } from "../text-hash.ts";

/**
 * Which version of a process a new instance gets. Pure, so that every engine decides alike. The rules are Q20 … in
 * SPEC-coordination.md.
 */
export interface RolloutPlan {
  /** The version that everybody gets who does not get the candidate. */
  readonly stable: string;
  readonly candidate: string;
  /** Of all routing keys; 0 to 100, in steps of 0.01. */
  readonly percent: number;
  /** Asked in order before the percentage; the first condition that holds over the start's variables decides. */
  readonly segments?: readonly RolloutSegment[];
  readonly guard?: RolloutGuard;
}

export interface RolloutSegment {
  readonly when: Expression;
  readonly gets: "stable" | "candidate";
}

/** Takes the candidate back by itself. */
export interface RolloutGuard {
  /** Judges the rate only once so many of the candidate's instances have completed or failed. */
  readonly endedMin: number;
  /** Of those, this share may have failed; 0 to 1. */
  readonly failureRateMax: number;
  /** This many incidents may come up in the candidate's instances. Absent: any number. */
  readonly incidentsMax?: number;
}

/** Counts of a candidate's instances since its rollout began. */
export interface RolloutFigures {
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly incidents: number;
}

/** A plan at work. */
export interface Rollout {
  readonly process: string;
  readonly plan: RolloutPlan;
  /** Epoch ms. */
  readonly since: number;
  readonly figures: RolloutFigures;
  /** The guard has taken the candidate back: nobody gets it any more. */
  readonly rolledBack: { readonly at: number; readonly reason: string } | null;
}

export const noFigures: RolloutFigures = { started: 0, completed: 0, failed: 0, cancelled: 0, incidents: 0 };

const buckets = 10_000;
const segmentsMax = 100;

/** Why a plan cannot be followed, in the form "expected X, but Y"; undefined when it can. */
export function planProblem(plan: RolloutPlan): string | undefined {
  const { stable, candidate, percent, segments = [], guard } = plan;
  if (stable === candidate) return `expected two versions, but both are '${stable}'`;
  const steps = percent * (buckets / 100);
  // 0.07 × 100 is 7.000000000000001: what is within rounding of a whole step is one.
  if (!(percent >= 0 && percent <= 100) || Math.abs(steps - Math.round(steps)) > 1e-6) {
    return `expected a percentage from 0 to 100 in steps of 0.01, but got ${percent}`;
  }
  if (segments.length > segmentsMax) return `expected at most ${segmentsMax} segments, but got ${segments.length}`;
  if (guard === undefined) return undefined;
  const { endedMin, failureRateMax, incidentsMax = 0 } = guard;
  if (!Number.isInteger(endedMin) || endedMin < 1) return `expected endedMin to be 1 or more, but got ${endedMin}`;
  if (!(failureRateMax >= 0 && failureRateMax <= 1)) {
    return `expected failureRateMax from 0 to 1, but got ${failureRateMax}`;
  }
  if (Number.isInteger(incidentsMax) && incidentsMax >= 0) return undefined;
  return `expected incidentsMax to be 0 or more, but got ${incidentsMax}`;
}

export interface Routing {
  /** Stays with its version: a customer, a tenant, a business key. */
  readonly routingKey: string;
  /** What the instance starts with. */
  readonly variables: JsonObject;
}

/** The version for a new instance. The same key gets the same answer as long as the plan says the same. */
export function versionFor(rollout: Rollout, { routingKey, variables }: Routing, host: Pick<Host, "evaluate">): string {
  const { plan, process, rolledBack } = rollout;
  if (rolledBack !== null) return plan.stable;
  const scope: VariableScope = { get: (name) => variables[name], isInteger: () => false };
  for (const { when, gets } of plan.segments ?? []) {
    const result = host.evaluate(when, scope);
    // A start that says nothing about the segment is not in it.
    if (result.ok && result.value === true) return plan[gets];
  }
  return bucketOf(routingKey, process) < Math.round(plan.percent * (buckets / 100)) ? plan.candidate : plan.stable;
}

/** 0 to 9 999, evenly, and the same for ever: a raised percentage takes no key away from the candidate. */
export function bucketOf(routingKey: string, process: string): number {
  return textHash(`${routingKey}\n${process}`) % buckets;
}

/** One more of what is counted, and the candidate taken back if that was one too many. */
export function counted<R extends Rollout>(rollout: R, what: keyof RolloutFigures, at: number): R {
  const figures = { ...rollout.figures, [what]: rollout.figures[what] + 1 };
  const reason = rollout.rolledBack === null ? guardReason(rollout.plan, figures) : undefined;
  return { ...rollout, figures, ...(reason === undefined ? {} : { rolledBack: { at, reason } }) };
}

function guardReason({ guard, candidate }: RolloutPlan, figures: RolloutFigures): string | undefined {
  if (guard === undefined) return undefined;
  const { completed, failed, incidents } = figures;
  const ended = completed + failed;
  if (guard.incidentsMax !== undefined && incidents > guard.incidentsMax) {
    return `Expected at most ${guard.incidentsMax} incidents in version '${candidate}', but there were ${incidents}.`;
  }
  if (ended < guard.endedMin || failed <= guard.failureRateMax * ended) return undefined;
  const allowed = Math.floor(guard.failureRateMax * ended);
  return `Expected at most ${allowed} failures in ${ended} instances of version '${candidate}', but there were ${failed}.`;
}
