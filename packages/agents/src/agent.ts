import type { Json, JsonObject } from "@tutti/kernel";
import type { Cage } from "./cage/cage.ts";

export type AgentTaskKind = "plan" | "implement" | "resolve" | "review";

/** Cheapest first. An adapter maps the tier to a model; the work loop escalates it. */
export type ModelTier = "mini" | "standard" | "thinking" | "pro" | "max";

/** What one agent is asked to do, once. */
export interface AgentTask {
  readonly kind: AgentTaskKind;
  /** Unit id; `plan` for the planner; for a conflict `resolve:<path>`. */
  readonly id: string;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly tier: ModelTier;
  /** The whole task as text, for agents that are models. */
  readonly prompt: string;
  /** The same task as data, for agents that are programs. */
  readonly input: JsonObject;
  /** Absolute directory the agent works in and may write to; null when the task needs no files. */
  readonly workspace: string | null;
}

/**
 * Names a process group beyond its pid, so that it can be ended after a crash without hitting a stranger that was
 * given the same pid since. Plain JSON: write it down before trusting it.
 */
export interface ProcessGroup {
  /** Pid of the leader, which is the group's id. */
  readonly pid: number;
  /** When the leader started, in the form this system tells it; opaque. */
  readonly startTime: string;
  /** Value of TUTTI_PROCESS in the environment of every process of the group; finds those that left the group. */
  readonly marker: string;
}

/** `wallMs` counts from the start; `silenceMs` from the last byte the agent wrote, on either stream. */
export interface AgentLimits {
  readonly wallMs: number;
  /** Default 120 000. */
  readonly silenceMs?: number;
  /** Both streams together. */
  readonly outputBytesMax: number;
  /** Resident memory of all its processes together, looked at once a second; Linux only. Absent: no limit. */
  readonly memoryBytesMax?: number;
  /** Looked at once a second; Linux only. Absent: no limit. */
  readonly processesMax?: number;
}

/** `text` is plain (control characters removed), at most 4 000 characters. Counts in `usage` are totals so far. */
export type AgentProgress =
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "message"; readonly text: string }
  | { readonly type: "tool"; readonly name: string; readonly status: string; readonly text: string }
  | ({ readonly type: "usage" } & AgentUsage);

export interface AgentUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Null or absent: not known. Never a guess. */
  readonly costUsd?: number | null;
}

export interface AgentContext {
  /** Ends the agent: nothing it started is alive 5 s after the abort. */
  readonly signal: AbortSignal;
  /** Called for every sign of life worth showing. Must not throw. */
  progress(event: AgentProgress): void;
  /** Absolute directory for this run alone (HOME, temporary files, artifacts). Made when missing, never removed here. */
  readonly scratch: string;
  /** Absolute path; one JSON line is appended per thing that passed between the agent and us. */
  readonly transcript: string;
  readonly limits: AgentLimits;
  readonly cage: Cage;
  /** Called right after each process start. Record it durably: whoever recovers ends it. Throw, and it ends at once. */
  onSpawn?(group: ProcessGroup): void;
}

/** Something the agent filed for later, or said about a filed task. */
export interface AgentFiledTask {
  readonly title: string;
  readonly description?: string;
  readonly priority?: "high" | "medium" | "low";
  readonly tags?: readonly string[];
}

export type AgentFailureCode =
  | "agent-crashed"
  | "agent-timeout"
  | "agent-silent"
  | "agent-flooded"
  | "agent-cancelled"
  | "agent-refused"
  | "agent-protocol"
  | "agent-failed";

/** `claim` is the agent's word, not a fact: the tree and the tests decide. */
export interface AgentSuccess {
  readonly ok: true;
  readonly claim: "completed" | "partial";
  /** A few sentences, plain text, at most 4 000 characters. */
  readonly summary: string;
  /** The answer, for tasks whose answer is data (a plan, a review). */
  readonly result?: Json;
  readonly tasks?: readonly AgentFiledTask[];
  readonly usage?: AgentUsage;
}

export interface AgentFailure {
  readonly ok: false;
  readonly code: AgentFailureCode;
  /** One sentence. */
  readonly message: string;
  /** False when the same attempt would end the same way. */
  readonly retryable: boolean;
  /** The last lines it wrote, at most 20, plain text. */
  readonly lastLines: readonly string[];
  readonly usage?: AgentUsage;
}

export type AgentOutcome = AgentSuccess | AgentFailure;

/**
 * An untrusted worker. `run` never rejects: a failed agent is an outcome. When it resolves, no process it started
 * is left. It may be called any number of times at once, each call with a scratch directory of its own.
 */
export interface Agent {
  readonly name: string;
  run(task: AgentTask, context: AgentContext): Promise<AgentOutcome>;
}
