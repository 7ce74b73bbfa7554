import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { compile, type Decision, linkDecisions, type Problem } from "@tutti/definition";
import { AppError, type ProgramDocument } from "@tutti/kernel";
import type { LoadedDefinition } from "./load-definition.ts";

/** DMN files that are looked into beside a definition. */
const filesMax = 100;

export interface DecidedDefinition extends LoadedDefinition {
  /** Which decision was taken from which file, in the order of their names. */
  readonly decisions: readonly { readonly id: string; readonly file: string }[];
}

/**
 * Puts decisions of DMN or YAML files into the tasks that ask for them: of the files that are named, else of the `.dmn` files in the
 * folder of the definition. A task whose decision is in none of them keeps its job. What is wrong with a file that was
 * named is an error; one that only lies there is passed over with a warning.
 */
export async function withDecisions(
  loaded: LoadedDefinition,
  options: { readonly file: string; readonly named?: readonly string[] },
): Promise<DecidedDefinition> {
  const { named = [] } = options;
  const wanted = new Set(loaded.programs.flatMap(askedBy));
  if (wanted.size === 0 && named.length === 0) return { ...loaded, decisions: [] };
  const files = named.length > 0 ? named : await beside(options.file);
  const found = new Map<string, { readonly decision: Decision; readonly file: string }>();
  const problems: Problem[] = [];
  for (const file of files) {
    const { decisions, problems: own } = compile(await content(file), { file });
    problems.push(...own.map((problem) => (named.length > 0 ? problem : { ...problem, severity: "warning" as const })));
    for (const decision of decisions.filter(({ id }) => wanted.has(id))) {
      const before = found.get(decision.id);
      if (before === undefined) found.set(decision.id, { decision, file });
      else problems.push(twice(decision.id, [before.file, file]));
    }
  }
  const decisions = [...found.values()].map(({ decision }) => decision);
  return {
    programs: loaded.programs.map((program) => linkDecisions(program, decisions)),
    problems: [...loaded.problems, ...problems],
    decisions: [...found].map(([id, { file }]) => ({ id, file })).sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function askedBy(program: ProgramDocument): readonly string[] {
  return program.elements.flatMap((element) => {
    const type = "job" in element ? (element.job?.type ?? "") : "";
    return type.startsWith("decision.") ? type.slice("decision.".length) : [];
  });
}

async function beside(file: string): Promise<readonly string[]> {
  const folder = dirname(file);
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith(".dmn"))
    .sort()
    .slice(0, filesMax)
    .map((name) => join(folder, name));
}

async function content(file: string): Promise<Uint8Array> {
  return readFile(file).catch((cause: Error) => {
    throw new AppError("definition-unreadable", `Expected a readable file, but ${cause.message}`, { cause });
  });
}

function twice(id: string, files: readonly [string, string]): Problem {
  const [first, second] = files;
  const message = `Expected every decision in one file, but ${id} is in ${basename(first)}, too`;
  return { code: "decision-duplicate", severity: "error", message, position: { file: second, line: 1, column: 1 } };
}
