import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type AgentOutcome, renderPrompt } from "@tutti/agents";
import type { JsonObject } from "@tutti/kernel";
import type { Ladder, ParkedConflict, ResolveAnswer, ResolveRequest } from "@tutti/workspace";
import { runAgent } from "./agent-run.ts";
import { conflictText } from "./conflict-text.ts";
import type { FeatureDeps } from "./deps.ts";
import { isInside } from "./inside.ts";
import { asJson, type Running } from "./job.ts";
import type { OpenConflict } from "./merge-step.ts";
import type { Plan, RunContext, Usage } from "./model.ts";
import { regenerateRung } from "./regenerate.ts";
import { type Bench, withWorkspace } from "./scratch-workspace.ts";
import { fileName, oneLine } from "./text.ts";
import { addUsage } from "./usage.ts";

/** Who stands behind one side of a conflict. */
export interface SideStory {
  readonly title: string;
  readonly intent: string;
}

export interface Resolving {
  readonly context: RunContext;
  /** The resolver works in this commit's tree, with the conflict written into it. */
  readonly commit: string;
  /** Absent: the intents of the merge itself are all there is. */
  readonly storyOf?: (path: string) => { readonly ours: SideStory; readonly theirs: SideStory };
  /** Commands of both sides, which the resolver may try. */
  readonly verify: readonly string[];
  readonly plan: Pick<Plan, "prepare" | "regenerate">;
  /** What a resolver used, whatever came of it. */
  onUsage(used: Usage): void;
}

const answerBytesMax = 1024 * 1024;

/** The rungs of the ladder that need the outside: the plan's commands, then the resolver agent, each in a workspace. */
export function resolverLadder(deps: FeatureDeps, at: Running, resolving: Resolving): Ladder {
  return {
    ...regenerateRung(deps, at, resolving),
    resolveWithAgent: (request) => resolve({ deps, at, resolving }, request),
  };
}

interface Scene {
  readonly deps: FeatureDeps;
  readonly at: Running;
  readonly resolving: Resolving;
}

async function resolve(scene: Scene, request: ResolveRequest): Promise<ResolveAnswer> {
  const { context, commit } = scene.resolving;
  const { gitDir } = context.repository;
  const attempt = request.complaint === undefined ? 1 : 2;
  const unit = `resolve:${request.path}`;
  const place = { repository: { gitDir }, run: context.run, unit, attempt, purpose: commit.slice(0, 12), commit };
  return withWorkspace({ deps: scene.deps, at: scene.at, request: place }, async (bench) => {
    const file = join(bench.tree, request.path);
    if (!isInside(bench.tree, request.path)) return { type: "declined", reason: "a folder on its way is a link" };
    mkdirSync(dirname(file), { recursive: true });
    rmSync(file, { recursive: true, force: true });
    writeFileSync(file, conflictText(request));
    const outcome = await ask(scene, { request, bench, attempt });
    if (!outcome.ok) return { type: "declined", reason: `the resolver failed (${outcome.code}): ${outcome.message}` };
    if (outcome.claim === "partial")
      return { type: "declined", reason: `the resolver gave it back: ${outcome.summary}` };
    return answerIn(bench.tree, request.path, outcome.summary);
  });
}

async function ask(
  { deps, at, resolving }: Scene,
  { request, bench, attempt }: { request: ResolveRequest; bench: Bench; attempt: number },
): Promise<AgentOutcome> {
  const { context, verify } = resolving;
  const persona = await deps.persona("resolver");
  const input = inputOf(resolving, request);
  const id = `resolve:${request.path}`;
  const { outcome, agentMs } = await runAgent(deps, at, {
    context,
    chosen: await deps.agentFor(context, null),
    task: {
      kind: "resolve",
      id,
      attempt,
      tier: persona.tier,
      prompt: renderPrompt(persona, { ...input, verify }),
      input,
      workspace: bench.tree,
    },
    scratch: bench.scratch,
    transcript: join(deps.stateDir, "transcripts", fileName(context.run), fileName(id), `${attempt}.jsonl`),
  });
  resolving.onUsage(addUsage(null, outcome.usage, agentMs));
  return outcome;
}

function inputOf({ storyOf }: Resolving, request: ResolveRequest): JsonObject {
  const story = storyOf?.(request.path) ?? {
    ours: { title: "", intent: request.oursIntent },
    theirs: { title: "", intent: request.theirsIntent },
  };
  return {
    path: request.path,
    ours: { ...story.ours, diff: request.oursDiff },
    theirs: { ...story.theirs, diff: request.theirsDiff },
    ...(request.complaint === undefined ? {} : { findings: request.complaint }),
  };
}

/** Only the one file is looked at: whatever else the resolver did stays behind. */
function answerIn(tree: string, path: string, summary: string): ResolveAnswer {
  if (!lstatSync(tree, { throwIfNoEntry: false })?.isDirectory() || !isInside(tree, path)) {
    return { type: "declined", reason: "the resolver left no tree behind" };
  }
  const file = join(tree, path);
  const entry = lstatSync(file, { throwIfNoEntry: false });
  const explanation = oneLine(summary, 500);
  if (entry === undefined) return { type: "delete", explanation };
  if (!entry.isFile()) return { type: "declined", reason: "the resolver left something that is no file" };
  if (entry.size > answerBytesMax) return { type: "declined", reason: "the resolver's file is larger than 1 MiB" };
  return { type: "content", content: readFileSync(file, "utf8"), explanation };
}

/** What a person reads about conflicts that nobody could settle. */
export function describeParked(conflicts: readonly ParkedConflict[]): {
  readonly message: string;
  readonly details: JsonObject;
} {
  const paths = conflicts.map(({ conflict }) => conflict.path);
  return {
    message: `${paths.length === 1 ? "A conflict waits" : `${paths.length} conflicts wait`} for a person: ${paths.join(", ")}`,
    details: { paths, conflicts: conflicts.map((each) => asJson(openConflict(each))) },
  };
}

export function openConflict({ conflict, reasons }: ParkedConflict): OpenConflict {
  return { ...conflict, reasons: reasons.map(({ step, reason }) => `${step}: ${oneLine(reason)}`) };
}
