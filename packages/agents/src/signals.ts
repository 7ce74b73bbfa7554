import type { Json } from "@tutti/kernel";
import type { AgentFiledTask } from "./agent.ts";

/** What an agent said on the side, in the fixed phrases that coding agents are asked to use. */
export interface AgentSignals {
  readonly filed: readonly AgentFiledTask[];
  readonly updated: readonly { readonly id: string; readonly status: string; readonly reason: string | null }[];
  /** The unit it wants to see next, lower case with underscores; null when it did not say. */
  readonly nextUnit: string | null;
  /** It wrote `STATUS: COMPLETE` (true) or `STATUS: PARTIAL` (false); null when it said neither. */
  readonly complete: boolean | null;
}

const filedTask = /File\s+task:\s*"([^"\n]+)"(?:[ \t]+priority:\s*(high|medium|low))?(?:[ \t]+tags:\s*(\S+))?/gi;
const updatedTask =
  /Update\s+task:\s*(\S+)\s+status:\s*(done|in_progress|pending|abandoned)(?:\s+reason:\s*"([^"\n]+)")?/gi;
const nextUnit = /^[ \t]*NEXT_(?:UNIT|STEP):[ \t]*(\S.*)$/im;
const status = /^[ \t]*STATUS:[ \t]*(COMPLETE|PARTIAL)\b/gim;
const signalsMax = 100;
const parsedCharactersMax = 32 * 1024 * 1024;

export function signalsOf(text: string): AgentSignals {
  const filed = [...text.matchAll(filedTask)].slice(0, signalsMax).map(([, title = "", priority, tags]) => ({
    title,
    priority: (priority?.toLowerCase() ?? "medium") as "high" | "medium" | "low",
    ...(tags === undefined ? {} : { tags: tags.split(",").filter((tag) => tag !== "") }),
  }));
  const updated = [...text.matchAll(updatedTask)]
    .slice(0, signalsMax)
    .map(([, id = "", state = "", reason]) => ({ id, status: state.toLowerCase(), reason: reason ?? null }));
  const next = nextUnit.exec(text)?.[1]?.trim();
  const last = [...text.matchAll(status)].at(-1)?.[1]?.toUpperCase();
  return {
    filed,
    updated,
    nextUnit: next === undefined ? null : next.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_"),
    complete: last === undefined ? null : last === "COMPLETE",
  };
}

/** The answer that a model gave as JSON: its whole text, or the last fenced block that parses; else undefined. */
export function jsonIn(text: string): Json | undefined {
  const whole = parse(text);
  if (whole !== undefined) return whole;
  for (const block of fencedBlocks(text).reverse()) {
    const value = parse(block);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** What stands between lines of three backquotes. Line by line: a pattern over all of it would take time squared. */
function fencedBlocks(text: string): string[] {
  const blocks: string[] = [];
  let open: string[] | undefined;
  for (const line of text.split("\n")) {
    const fence = /^[ \t]*```([A-Za-z]*)[ \t\r]*$/.exec(line);
    if (fence === null) open?.push(line);
    else if (open === undefined) open = [];
    else if (fence[1] !== "") open = [];
    else {
      blocks.push(open.join("\n"));
      open = undefined;
    }
  }
  return blocks;
}

/**
 * The last JSON object a program printed: all of its output, or what begins with a line `{…` and ends with the
 * output, with its own line, or with a line `}`.
 */
export function lastJsonDocument(output: string): Json | undefined {
  const whole = parse(output);
  if (whole !== undefined) return whole;
  const triesMax = 200;
  const text = `\n${output}`;
  let at = text.length;
  // A hostile output has many beginnings far from its end; each of them would be read to the end.
  let charactersLeft = parsedCharactersMax;
  for (let tries = 0; tries < triesMax && at > 0; tries += 1) {
    at = text.lastIndexOf("\n{", at - 1);
    charactersLeft -= text.length - at;
    if (at < 0 || charactersLeft < 0) return undefined;
    const from = text.slice(at + 1);
    const value =
      parse(from) ?? parse(from.split("\n", 1)[0] ?? "") ?? parse(from.slice(0, from.lastIndexOf("\n}") + 2));
    if (value !== undefined) return value;
  }
  return undefined;
}

function parse(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
