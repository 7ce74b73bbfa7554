import { readFile, realpath } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { AppError, type Json } from "@tutti/kernel";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";

/** One edit or sign of life. Paths are relative to the workspace; they may lead out of it, to test who notices. */
export type ScriptStep =
  | { readonly write: ScriptWrite }
  /** `find` must occur exactly once, else the agent fails. */
  | { readonly replace: { readonly path: string; readonly find: string; readonly with: string } }
  | { readonly append: { readonly path: string; readonly content: string } }
  | { readonly delete: { readonly path: string } }
  | { readonly symlink: { readonly path: string; readonly target: string } }
  | { readonly say: string }
  | { readonly heartbeat: Record<string, never> }
  | { readonly delayMs: number };

/** `from` names a file beside the script; once read, its text is in `content`. */
export interface ScriptWrite {
  readonly path: string;
  readonly content?: string | undefined;
  readonly from?: string | undefined;
  readonly executable?: boolean | undefined;
}

export type ScriptOutcome =
  | {
      readonly claim: "completed" | "partial";
      readonly summary?: string | undefined;
      readonly result?: Json | undefined;
      readonly usage?:
        | { readonly inputTokens: number; readonly outputTokens: number; readonly costUsd?: number | undefined }
        | undefined;
    }
  | {
      readonly fail: {
        readonly code: "agent-failed" | "agent-refused";
        readonly message: string;
        readonly retryable: boolean;
      };
    };

/** What happens in one attempt, in this order: wait, steps, misbehaviour, outcome. */
export interface ScriptAttempt {
  readonly delayMs: number;
  readonly steps: readonly ScriptStep[];
  readonly outcome: ScriptOutcome;
  readonly misbehave?: "crash" | "hang" | "flood" | "leave-child" | "exit-nonzero" | "garbage-output" | undefined;
}

const path = z.string().min(1).max(1_000);
const step: z.ZodType<ScriptStep> = z.union(
  [
    z.strictObject({
      write: z.union([
        z.strictObject({ path, content: z.string(), executable: z.boolean().optional() }),
        z.strictObject({ path, from: path, executable: z.boolean().optional() }),
      ]),
    }),
    z.strictObject({ replace: z.strictObject({ path, find: z.string().min(1), with: z.string() }) }),
    z.strictObject({ append: z.strictObject({ path, content: z.string() }) }),
    z.strictObject({ delete: z.strictObject({ path }) }),
    z.strictObject({ symlink: z.strictObject({ path, target: z.string().min(1) }) }),
    z.strictObject({ say: z.string() }),
    z.strictObject({ heartbeat: z.record(z.string(), z.never()) }),
    z.strictObject({ delayMs: z.int().min(0).max(3_600_000) }),
  ],
  "expected one of write {path, content or from}, replace {path, find, with}, append {path, content}, delete {path}, symlink {path, target}, say, heartbeat, delayMs",
);

const outcome: z.ZodType<ScriptOutcome> = z.union([
  z.strictObject({
    claim: z.enum(["completed", "partial"]).default("completed"),
    summary: z.string().optional(),
    result: z.json().optional(),
    usage: z
      .strictObject({
        inputTokens: z.int().nonnegative(),
        outputTokens: z.int().nonnegative(),
        costUsd: z.number().nonnegative().optional(),
      })
      .optional(),
  }),
  z.strictObject({
    fail: z.strictObject({
      code: z.enum(["agent-failed", "agent-refused"]).default("agent-failed"),
      message: z.string().min(1),
      retryable: z.boolean().default(true),
    }),
  }),
]);

const attempt = z.strictObject({
  delayMs: z.int().min(0).max(3_600_000).default(0),
  steps: z.array(step).max(10_000).default([]),
  outcome: outcome.default({ claim: "completed" }),
  misbehave: z.enum(["crash", "hang", "flood", "leave-child", "exit-nonzero", "garbage-output"]).optional(),
});

const script = z.strictObject({
  format: z.literal("tutti-script/1"),
  description: z.string().optional(),
  tasks: z.record(z.string().min(1), z.array(attempt).min(1).max(100)),
});

/** A script that was read and checked. Task names are unit ids, `plan`, `resolve:<path>`, or `*` for all others. */
export interface AgentScript {
  /** The file it came from, or a name for messages. */
  readonly source: string;
  readonly tasks: ReadonlyMap<string, readonly ScriptAttempt[]>;
}

const sourceBytesMax = 4 * 1024 * 1024;

/** Reads a `tutti-script/1` file (YAML or JSON) and the files it names. Rejects with AppError `script-invalid`. */
export async function readAgentScript(file: string): Promise<AgentScript> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw invalid(`The agent script cannot be read: ${error instanceof Error ? error.message : error}`, file, error);
  });
  const parsed = parseAgentScript(text, file);
  const tasks = new Map<string, readonly ScriptAttempt[]>();
  for (const [name, attempts] of parsed.tasks) {
    tasks.set(name, await Promise.all(attempts.map((entry) => withContents(entry, file))));
  }
  return { source: file, tasks };
}

/** The same for text that is at hand; `from` is left for whoever has a folder to read it from. */
export function parseAgentScript(text: string, source: string): AgentScript {
  if (text.length > sourceBytesMax) throw invalid(`The agent script is longer than ${sourceBytesMax} bytes.`, source);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${source}:${line}:${col}`;
  };
  const broken = document.errors[0];
  if (broken !== undefined)
    throw invalid(`The agent script is not valid YAML: ${broken.message}`, place(broken.pos[0]));
  const parsed = script.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (parsed.success) return { source, tasks: new Map(Object.entries(parsed.data.tasks)) };
  const issue = deepest(parsed.error.issues);
  // The place of what is wrong, or of the nearest thing around it that exists.
  for (let depth = issue.path.length; depth >= 0; depth -= 1) {
    const node = document.getIn(issue.path.slice(0, depth), true) as { range?: readonly number[] } | undefined;
    if (node?.range?.[0] === undefined) continue;
    throw invalid(`${issue.path.join(".") || "script"}: ${issue.message}`, place(node.range[0]));
  }
  throw invalid(issue.message, source);
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Of a union's alternatives, the one that understood the input furthest tells best what is wrong. */
function deepest(issues: readonly z.core.$ZodIssue[]): Issue {
  const [first] = issues;
  if (first === undefined) return { path: [], message: "not valid" };
  if (first.code !== "invalid_union") return first;
  const alternatives = first.errors
    .filter((errors) => errors.length > 0 && !errors.every((error) => error.code === "unrecognized_keys"))
    .map((errors) => deepest(errors))
    .sort((a, b) => b.path.length - a.path.length);
  const best = alternatives[0];
  if (best === undefined || best.path.length < 2) return first;
  return { path: [...first.path, ...best.path], message: best.message };
}

async function withContents(entry: ScriptAttempt, file: string): Promise<ScriptAttempt> {
  return { ...entry, steps: await Promise.all(entry.steps.map((each) => withContent(each, file))) };
}

async function withContent(each: ScriptStep, file: string): Promise<ScriptStep> {
  if (!("write" in each) || each.write.from === undefined) return each;
  const { from, ...rest } = each.write;
  const unreadable = (error: unknown): never => {
    throw invalid(`The script's file '${from}' cannot be read.`, file, error);
  };
  const root = dirname(resolve(file));
  // Both as they are once links are followed: a link beside the script may lead anywhere.
  const source = resolve(root, from);
  const real = await realpath(source).catch(unreadable);
  const inside = source.startsWith(root + sep) && real.startsWith((await realpath(root)) + sep);
  if (!inside) throw invalid(`Expected '${from}' beside the script, but it is elsewhere.`, file);
  const content = await readFile(real, "utf8").catch(unreadable);
  return { write: { ...rest, content } };
}

function invalid(message: string, place: string, cause?: unknown): AppError {
  return new AppError("script-invalid", message, { place, cause });
}
