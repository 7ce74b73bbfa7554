import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError, type Json, type JsonObject } from "@tutti/kernel";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import type { ModelTier } from "../agent.ts";

/** What the worst thing is that a run may do: decides which approvals it needs. */
export type AgentRisk = "read-only" | "workspace" | "network" | "outside";

/** An agent as a file: front matter that says what it is, and a prompt below it. */
export interface AgentDefinition {
  readonly id: string;
  readonly version: string;
  readonly title: string;
  readonly capabilities: readonly string[];
  readonly persona: string | null;
  readonly tier: ModelTier;
  readonly tools: readonly string[];
  readonly risk: AgentRisk;
  /** JSON Schemas. */
  readonly input: JsonObject;
  readonly output: JsonObject | null;
  /** Text with `{{name}}` for inputs and `{{#name}}…{{/name}}` around what is only said when the input is there. */
  readonly prompt: string;
  /** The file it came from. */
  readonly source: string;
}

const schema = z.record(z.string(), z.json());
const frontMatter = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "expected lower case letters, digits and dashes"),
  version: z.string().regex(/^\d+\.\d+\.\d+$/, "expected a version such as 1.0.0"),
  title: z.string().min(1).max(100),
  capabilities: z.array(z.string().min(1)).min(1),
  persona: z.string().max(1_000).optional(),
  tier: z.enum(["mini", "standard", "thinking", "pro", "max"]).default("standard"),
  tools: z.array(z.string().min(1)).default([]),
  risk: z.enum(["read-only", "workspace", "network", "outside"]).default("workspace"),
  input: schema.default({}),
  output: schema.optional(),
});

const sourceCharactersMax = 256 * 1024;
const filesMax = 1_000;

/** Reads one agent file. Throws AppError `catalogue-invalid` with the place. */
export function parseAgentDefinition(text: string, source: string): AgentDefinition {
  if (text.length > sourceCharactersMax) throw invalid("The file is longer than 256 KiB.", source);
  const match = /^---\r?\n([\s\S]*?)^---[ \t]*\r?\n?([\s\S]*)$/m.exec(text);
  if (match === null || match.index !== 0)
    throw invalid("Expected front matter between two lines '---'.", `${source}:1:1`);
  const [, head = "", body = ""] = match;
  const lines = new LineCounter();
  const document = parseDocument(head, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    // The front matter begins in the second line of the file.
    return `${source}:${line + 1}:${col}`;
  };
  const broken = document.errors[0];
  if (broken !== undefined)
    throw invalid(`The front matter is not valid YAML: ${broken.message}`, place(broken.pos[0]));
  const parsed = frontMatter.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path ?? [];
    const node = document.getIn(path, true) as { range?: readonly number[] } | undefined;
    throw invalid(`${path.join(".") || "front matter"}: ${issue?.message}`, place(node?.range?.[0] ?? 0));
  }
  if (body.trim() === "") throw invalid("Expected a prompt below the front matter, but there is none.", source);
  const { persona, output, ...rest } = parsed.data;
  return {
    ...rest,
    input: rest.input as JsonObject,
    persona: persona ?? null,
    output: (output as JsonObject | undefined) ?? null,
    prompt: body.trim(),
    source,
  };
}

/** All agent files (`*.md`) of a folder, by id. Rejects with AppError `catalogue-invalid`, also when an id repeats. */
export async function loadCatalogue(folder: string): Promise<ReadonlyMap<string, AgentDefinition>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".md")).sort();
  if (names.length > filesMax) throw invalid(`Expected at most ${filesMax} agents, but found ${names.length}.`, folder);
  const agents = new Map<string, AgentDefinition>();
  for (const name of names) {
    const file = join(folder, name);
    const agent = parseAgentDefinition(await readFile(file, "utf8"), file);
    const other = agents.get(agent.id);
    if (other !== undefined) throw invalid(`The id '${agent.id}' is taken by ${other.source}.`, file);
    agents.set(agent.id, agent);
  }
  return agents;
}

/** The agents that come with Tutti: `planner`, `implementer`, `resolver`. */
export function bundledCatalogue(): Promise<ReadonlyMap<string, AgentDefinition>> {
  return loadCatalogue(fileURLToPath(new URL("../../catalogue", import.meta.url)));
}

/**
 * The prompt with its inputs filled in. Lists become bullets, objects readable JSON; inputs are put in once, so that
 * what looks like a placeholder inside of them stays text. Throws AppError `prompt-incomplete` when an input that
 * the schema requires is missing.
 */
export function renderPrompt(agent: AgentDefinition, input: JsonObject): string {
  const required = agent.input["required"];
  const missing = (Array.isArray(required) ? required : []).filter((name) => isEmpty(input[String(name)]));
  if (missing.length > 0) {
    throw new AppError("prompt-incomplete", `Agent '${agent.id}' needs ${missing.join(", ")}.`, {
      details: { agent: agent.id, missing },
    });
  }
  const chosen = agent.prompt.replace(/\{\{#(\w+)\}\}([\s\S]*?)\{\{\/\1\}\}/g, (_all, name: string, inner: string) =>
    isEmpty(input[name]) ? "" : inner,
  );
  const text = chosen
    // What was left out leaves blank lines behind; the inputs' own lines are not touched, they come after.
    .replace(/\n(?:[ \t]*\n){2,}/g, "\n\n")
    .replace(/\{\{(\w+)\}\}/g, (_all, name: string) => asText(input[name]));
  return agent.persona === null ? text : `${agent.persona}\n\n${text}`;
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

function asText(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
  return value.map((each: Json) => `- ${typeof each === "string" ? each : JSON.stringify(each)}`).join("\n");
}

function invalid(message: string, place: string): AppError {
  return new AppError("catalogue-invalid", message, { place });
}
