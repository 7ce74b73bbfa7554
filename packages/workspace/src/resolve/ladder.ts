import { git } from "../git.ts";
import { type BlobReader, writeBlob } from "../objects.ts";
import type { Repository } from "../repository.ts";
import { hasNewMarkers, unaccountedLines } from "./accounted.ts";
import type { ConflictKind, FileConflict, FileSide } from "./file-conflict.ts";
import { mergeJson } from "./json.ts";
import { mergeLists } from "./list.ts";
import { findResolution, type Resolution, recordResolution } from "./recorded.ts";
import type { Rule } from "./rule.ts";

/** What the resolver agent is shown. Text is null where the file is not there. */
export interface ResolveRequest {
  readonly path: string;
  readonly kind: ConflictKind;
  readonly base: string | null;
  readonly ours: string | null;
  readonly theirs: string | null;
  /** What each side was meant to do; empty when unknown. */
  readonly oursIntent: string;
  readonly theirsIntent: string;
  /** Unified diffs from the base to each side, of this file. */
  readonly oursDiff: string;
  readonly theirsDiff: string;
  /** On the second try: what was wrong with the first answer. */
  readonly complaint?: string;
}

export type ResolveAnswer =
  /** `explanation` is needed when a line that a side added is not in the content. */
  | { readonly type: "content"; readonly content: string; readonly explanation?: string }
  | { readonly type: "delete"; readonly explanation: string }
  | { readonly type: "declined"; readonly reason: string };

/** Makes a generated file anew, such as a lockfile, in the tree that has every other conflict settled. */
export interface RegenerateRequest {
  readonly path: string;
  /** Tree with the file left out. */
  readonly tree: string;
}

/** The steps that need the outside. Without one of them its step declines. */
export interface Ladder {
  /** Paths that are generated besides the well-known lockfiles. */
  readonly isGenerated?: (path: string) => boolean;
  /** Undefined or a rejection declines; the next step is tried. */
  readonly regenerate?: (request: RegenerateRequest) => Promise<string | undefined>;
  /** Asked at most twice per file. A rejection counts as declined. */
  readonly resolveWithAgent?: (request: ResolveRequest) => Promise<ResolveAnswer>;
}

/** A path that waits for a person, and why no step before could settle it. */
export interface ParkedConflict {
  readonly conflict: FileConflict;
  readonly reasons: readonly { readonly step: string; readonly reason: string }[];
}

export interface LadderContext {
  readonly repository: Repository;
  readonly run: string;
  readonly reader: BlobReader;
  readonly ladder: Ladder;
  readonly oursIntent: string;
  readonly theirsIntent: string;
}

/** Lockfiles and the like: never edited by hand, so made anew where that is possible. */
export function isGenerated(path: string, ladder: Ladder): boolean {
  if (ladder.isGenerated?.(path)) return true;
  return /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|Cargo\.lock|poetry\.lock|uv\.lock|Pipfile\.lock|composer\.lock|Gemfile\.lock|go\.sum|flake\.lock)$|\.snap$/.test(
    path,
  );
}

const rules: readonly (readonly [step: string, rule: Rule])[] = [
  ["json", mergeJson],
  ["list", mergeLists],
];

type Outcome = { readonly resolution: Resolution } | { readonly parked: ParkedConflict };
type Reasons = { readonly step: string; readonly reason: string }[];

/**
 * Takes one conflicted path up the ladder: recorded, regenerate, rules, agent; what none of them settles is parked
 * for a person. No step ever takes one side as it is.
 */
export async function climb(
  context: LadderContext,
  conflict: FileConflict,
  treeWithout: (() => Promise<string>) | undefined,
): Promise<Outcome> {
  const { repository, run } = context;
  const before = await findResolution(repository, run, conflict);
  if (before !== undefined) return { resolution: before };
  const reasons: Reasons = [{ step: "recorded", reason: "these three versions have not met before" }];
  const remember = async (settled: {
    rule: string;
    content: string | null;
    note: string;
    leftOut: readonly string[];
  }): Promise<Outcome> => {
    const { content, ...rest } = settled;
    const blob = content === null ? null : await writeBlob(repository, content);
    return { resolution: await recordResolution(repository, run, { conflict, settled: { ...rest, blob } }) };
  };
  if (["link", "submodule", "structure"].includes(conflict.kind)) {
    return {
      parked: {
        conflict,
        reasons: [...reasons, { step: "rules", reason: `${conflict.kind} conflicts are not settled by rule` }],
      },
    };
  }
  // Before the texts are read: a lockfile may be larger than what a rule or an agent is shown.
  const made = await regenerate(context, { conflict, treeWithout, reasons });
  if (made !== undefined)
    return remember({ rule: "regenerate", content: made, note: "made anew from the merged tree", leftOut: [] });
  const texts = await readTexts(context.reader, conflict);
  if (texts === undefined) {
    const binary: FileConflict = { ...conflict, kind: "binary" };
    return {
      parked: {
        conflict: binary,
        reasons: [...reasons, { step: "rules", reason: "it is not text, or larger than 1 MiB" }],
      },
    };
  }
  const ruled = applyRules(conflict, texts, reasons);
  if (ruled !== undefined) return remember(ruled);
  const answered = await askAgent(context, { conflict, texts, reasons });
  if (answered !== undefined) return remember(answered);
  return { parked: { conflict, reasons } };
}

interface Texts {
  readonly base: string | null;
  readonly ours: string | null;
  readonly theirs: string | null;
}

const textBytesMax = 1024 * 1024;

/** Undefined unless every side is there as UTF-8 text, or not there at all. */
async function readTexts(reader: BlobReader, conflict: FileConflict): Promise<Texts | undefined> {
  const read = async (side: FileSide | null): Promise<string | null | undefined> => {
    if (side === null) return null;
    const bytes = await reader.read(side.blob, textBytesMax);
    if (bytes === undefined || bytes.includes(0)) return undefined;
    const text = bytes.toString("utf8");
    return Buffer.from(text).equals(bytes) ? text : undefined;
  };
  const [base, ours, theirs] = [await read(conflict.base), await read(conflict.ours), await read(conflict.theirs)];
  if (base === undefined || ours === undefined || theirs === undefined) return undefined;
  return { base, ours, theirs };
}

async function regenerate(
  context: LadderContext,
  step: { conflict: FileConflict; treeWithout: (() => Promise<string>) | undefined; reasons: Reasons },
): Promise<string | undefined> {
  const { conflict, treeWithout, reasons } = step;
  if (!isGenerated(conflict.path, context.ladder)) return undefined;
  if (context.ladder.regenerate === undefined || treeWithout === undefined) {
    reasons.push({ step: "regenerate", reason: "no command to make it anew was given" });
    return undefined;
  }
  try {
    const content = await context.ladder.regenerate({ path: conflict.path, tree: await treeWithout() });
    if (content !== undefined) return content;
    reasons.push({ step: "regenerate", reason: "the command did not make it" });
  } catch (cause) {
    reasons.push({ step: "regenerate", reason: messageOf(cause) });
  }
  return undefined;
}

interface SettledText {
  readonly rule: string;
  readonly content: string | null;
  readonly note: string;
  readonly leftOut: readonly string[];
}

function applyRules(conflict: FileConflict, texts: Texts, reasons: Reasons): SettledText | undefined {
  const { base, ours, theirs } = texts;
  if (ours === null || theirs === null) {
    reasons.push({
      step: "rules",
      reason: "one side changed what the other deleted; no rule can know which was meant",
    });
    return undefined;
  }
  for (const [step, rule] of rules) {
    const result = rule({ path: conflict.path, base: base ?? "", ours, theirs });
    if ("declined" in result) reasons.push({ step, reason: result.declined });
    else return { rule: result.rule, content: result.resolved, note: result.note, leftOut: [] };
  }
  return undefined;
}

const answersMax = 2;

async function askAgent(
  context: LadderContext,
  step: { conflict: FileConflict; texts: Texts; reasons: Reasons },
): Promise<SettledText | undefined> {
  const { conflict, texts, reasons } = step;
  const { resolveWithAgent } = context.ladder;
  if (resolveWithAgent === undefined) {
    reasons.push({ step: "agent", reason: "no resolver agent was given" });
    return undefined;
  }
  const request: ResolveRequest = {
    path: conflict.path,
    kind: conflict.kind,
    ...texts,
    oursIntent: context.oursIntent,
    theirsIntent: context.theirsIntent,
    oursDiff: await blobDiff(context.repository, conflict.base, conflict.ours),
    theirsDiff: await blobDiff(context.repository, conflict.base, conflict.theirs),
  };
  let complaint: string | undefined;
  for (let answers = 0; answers < answersMax; answers += 1) {
    const answer = await resolveWithAgent(complaint === undefined ? request : { ...request, complaint }).catch(
      (cause: unknown): ResolveAnswer => ({ type: "declined", reason: messageOf(cause) }),
    );
    if (answer.type === "declined") {
      reasons.push({ step: "agent", reason: answer.reason });
      return undefined;
    }
    const judged = judgeAnswer(texts, answer);
    if (typeof judged !== "string") return judged;
    complaint = judged;
    reasons.push({ step: "agent", reason: judged });
  }
  return undefined;
}

/** The answer if it can be taken, else what is wrong with it. */
function judgeAnswer(texts: Texts, answer: Exclude<ResolveAnswer, { type: "declined" }>): SettledText | string {
  const [base, ours, theirs] = [texts.base ?? "", texts.ours ?? "", texts.theirs ?? ""];
  const explanation = answer.explanation?.trim() ?? "";
  if (answer.type === "delete") {
    if (texts.ours !== null && texts.theirs !== null) return "Both sides still have the file, so it cannot be deleted";
    if (explanation === "") return "A deletion needs an explanation";
    const leftOut = unaccountedLines({ base, ours, theirs, result: "" });
    return { rule: "agent", content: null, note: explanation, leftOut };
  }
  const { content } = answer;
  if (hasNewMarkers({ ours, theirs, result: content })) return "The answer still has conflict markers";
  const leftOut = unaccountedLines({ base, ours, theirs, result: content });
  if (leftOut.length > 0 && explanation === "") {
    const shown = leftOut
      .slice(0, 5)
      .map((line) => `\`${line}\``)
      .join(", ");
    return `Lines that a side added are missing without an explanation: ${shown}`;
  }
  return { rule: "agent", content, note: explanation || "brought both together", leftOut };
}

async function blobDiff(repository: Repository, from: FileSide | null, to: FileSide | null): Promise<string> {
  if (from === null || to === null) return "";
  const args = ["diff", "--no-ext-diff", "--no-textconv", "--no-color", from.blob, to.blob];
  const { stdout } = await git(args, { gitDir: repository.gitDir, accept: [0, 1] });
  return stdout.toString("utf8");
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
