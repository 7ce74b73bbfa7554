import type { QueueClass } from "@tutti/kernel";
import type { CommitBundle } from "@tutti/workspace";
import type { SharedRun } from "./exchange.ts";
import type { KeptTranscript } from "./transcript.ts";

/*
 * The data that flows through the flagship. The plan comes from a file or an agent; everything else is made here and
 * travels as variables of the processes in `definitions/`, so all of it is plain JSON.
 */

/** `tutti-plan/1`, as it was read: defaults filled in, nothing else changed. */
export interface Plan {
  readonly format: "tutti-plan/1";
  readonly feature: string;
  readonly requirements: readonly { readonly id: string; readonly text: string }[];
  /** Commands that must pass on the merged tree. */
  readonly checks: readonly string[];
  readonly prepare: readonly PrepareStep[];
  readonly regenerate: readonly RegenerateStep[];
  readonly units: readonly PlanUnit[];
}

/** Installs what a workspace needs. `outputs` are kept and reused while `inputs` have the same content. */
export interface PrepareStep {
  readonly run: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** How generated files are made anew when they conflict: `run` writes the files that the globs of `paths` name. */
export interface RegenerateStep {
  readonly paths: readonly string[];
  readonly run: string;
}

export interface PlanUnit {
  readonly id: string;
  readonly title: string;
  readonly intent: string;
  readonly requirements: readonly string[];
  readonly acceptance: readonly {
    readonly id: string;
    readonly given: string;
    readonly when: string;
    readonly then: string;
    readonly check?: string;
  }[];
  readonly touches: Touches;
  readonly provides: readonly string[];
  readonly needs: readonly string[];
  readonly dependsOn: readonly string[];
  readonly size: "small" | "medium" | "large";
  readonly resource: QueueClass;
  /** 1 first to 5 last. */
  readonly priority: number;
  /** Commands that must pass on the unit's own tree. */
  readonly verify: readonly string[];
  /** Agent for this unit; absent: the run's. */
  readonly agent?: string;
  /** Names the unit holds while it runs, from the gates: units that own the same path never run at once. */
  readonly locks: readonly string[];
}

/** Globs. The claim of a unit is all three together; a write outside it is a finding of the unit. */
export interface Touches {
  readonly owns: readonly string[];
  readonly may: readonly string[];
  readonly creates: readonly string[];
}

/** How a run was started; every number has its default in `options.ts`. */
export interface RunOptions {
  /** `scripted`, `cli:<command>`, or the name of an ACP agent. */
  readonly agent: string;
  /** Absolute path of the scripted agents' script. */
  readonly script?: string;
  readonly maxParallel: number;
  /** Attempts of one work loop. */
  readonly attempts: number;
  /** How often a failed unit is tried again as a whole before the run waits for a person. */
  readonly rounds: number;
  /** Culprits sent back to their work loop by the merge, in all. */
  readonly repairs: number;
  /** Share of the planned units that a partial result needs to be accepted without a person. */
  readonly threshold: number;
  readonly partial: "wait" | "accept";
  /** Whether a person approves the plan first. */
  readonly approve: boolean;
  /** Name of the branch to publish; absent: `tutti/<run>`. */
  readonly branch?: string;
  readonly sandbox: "auto" | "bubblewrap" | "none";
  readonly network: "none" | "host";
  /** Names of environment variables that agents may see. */
  readonly environment: readonly string[];
  readonly agentTimeoutMs: number;
  readonly agentSilenceMs: number;
  readonly checkTimeoutMs: number;
}

/** What every job of a run gets. */
export interface RunContext {
  /** Names everything the run keeps: the id of the instance at its top, also where a fork's variables have another. */
  readonly run: string;
  readonly repository: {
    /** The person's repository: absolute path. Only publish writes there, one branch. */
    readonly path: string;
    /** Tutti's own bare repository for it: absolute path. */
    readonly gitDir: string;
    /** Commit everything starts from, and the branch it was on; null when HEAD was detached. */
    readonly base: string;
    readonly branch: string | null;
  };
  readonly options: RunOptions;
  /** Where other machines find what the run begins with; absent: one machine does all of it. */
  readonly shared?: SharedRun;
}

/** One failed or passed command. `output` is its last part, plain text. */
export interface CheckResult {
  readonly command: string;
  readonly passed: boolean;
  readonly exit: number | null;
  readonly timedOut: boolean;
  readonly output: string;
  readonly durationMs: number;
}

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Null: not known. Never a guess. */
  readonly costUsd: number | null;
  /** Time agents spent, summed over attempts. */
  readonly agentMs: number;
}

/** What one attempt of an agent left. `failure` is set when the agent itself failed; its edits still count. */
export interface Applied {
  readonly claim: "completed" | "partial" | "none";
  readonly summary: string;
  readonly findings: readonly { readonly code: string; readonly path: string; readonly message: string }[];
  readonly failure: AppliedFailure | null;
  /** Where there is a store that other machines have, too. */
  readonly transcript?: KeptTranscript;
}

export interface AppliedFailure {
  readonly code: string;
  readonly message: string;
  readonly lastLines: readonly string[];
  /** False when another attempt would end the same way. */
  readonly retryable: boolean;
}

/** `passed` needs all of: every check, no finding, the agent's claim. `reason` says in a line what was missing. */
export interface Tested {
  readonly passed: boolean;
  readonly reason: string;
  readonly results: readonly CheckResult[];
}

export interface WorkResult {
  readonly commit: string;
  readonly attempts: number;
  readonly summary: string;
  readonly usage: Usage;
  /** What it takes to have the commit; empty when the run is not shared. */
  readonly bundles: readonly CommitBundle[];
}

/** What a finished unit hands to its collection. */
export interface UnitResult {
  readonly id: string;
  /** From the plan: what those that build on it, and resolvers, are told it was for. */
  readonly title: string;
  readonly intent: string;
  readonly commit: string;
  readonly base: string;
  readonly attempts: number;
  readonly round: number;
  readonly summary: string;
  readonly changed: readonly string[];
  readonly added: number;
  readonly deleted: number;
  readonly usage: Usage;
  /** Finished units whose commits conflict with this one now, with the paths. */
  readonly conflicts: readonly { readonly with: string; readonly paths: readonly string[] }[];
}

/** How one conflict was resolved: by which rung of the ladder, where, and who may be asked about it. */
export interface ResolutionRecord {
  readonly path: string;
  readonly rung: string;
  readonly between: readonly [string, string];
  readonly note: string;
}

export interface SetAside {
  readonly unit: string;
  readonly code: string;
  readonly message: string;
}

/** A person took responsibility for a part: a result below the threshold is published only with one of these. */
export interface Acceptance {
  readonly reason: string;
  /** Absent when the way it came did not tell. */
  readonly by?: string;
  /** Epoch ms. */
  readonly at?: number;
}

/** State of the merge between its steps. */
export interface MergeState {
  readonly tip: string;
  readonly landed: readonly string[];
  readonly waiting: readonly string[];
  readonly batch: readonly string[];
  readonly trial: string | null;
  /** What it takes to have the trial; empty when the run is not shared. */
  readonly bundles: readonly CommitBundle[];
  readonly commits: { readonly [unit: string]: string };
  /** Rounds that each unit was sent back to its work loop for. */
  readonly repaired: { readonly [unit: string]: number };
  /** What repairs and resolvers used, by the unit that was being merged. */
  readonly usage: { readonly [unit: string]: Usage };
  /** Finished units that are left out, since one of them stood in the way and the others were built on it. */
  readonly setAside: readonly SetAside[];
  readonly resolutions: readonly ResolutionRecord[];
  /** Resolutions of the batch being tried; they count once it has landed. */
  readonly trialResolutions: readonly ResolutionRecord[];
  readonly verifications: readonly {
    readonly commit: string;
    readonly units: readonly string[];
    readonly passed: boolean;
    readonly durationMs: number;
  }[];
}

export interface Published {
  readonly branch: string;
  readonly commit: string;
  /** `branch` in the person's repository; later also a pull request. */
  readonly where: "branch";
  readonly partial: boolean;
  /** The text of PULL_REQUEST.md. */
  readonly body: string;
}
