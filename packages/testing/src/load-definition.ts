import { readFile } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BuiltProgram, compile, type Problem, type ProcessBuilder } from "@tutti/definition";
import { AppError, type ProgramDocument } from "@tutti/kernel";

export interface LoadedDefinition {
  readonly programs: readonly ProgramDocument[];
  /** Errors keep the programs back, warnings do not. */
  readonly problems: readonly Problem[];
}

type Module = ProcessBuilder | BuiltProgram | ProgramDocument;

/**
 * Reads a definition by the ending of its file: a TypeScript or JavaScript module exports by default what the builder
 * gives (or a list of it) and is run to get it; everything else is compiled. Throws `definition-unreadable` when there is
 * no such thing; what is wrong with a definition is in `problems`.
 */
export async function loadDefinition(file: string): Promise<LoadedDefinition> {
  const content = await readFile(file).catch((cause: Error) => {
    throw new AppError("definition-unreadable", `Expected a readable file, but ${cause.message}`, { cause });
  });
  return /^\.[cm]?[jt]s$/.test(extname(file)) ? loadModule(file) : compile(content, { file });
}

/** The same, for tests: throws unless there are programs and no errors; the message has every error. */
export async function load(file: string | URL): Promise<readonly ProgramDocument[]> {
  const path = file instanceof URL ? fileURLToPath(file) : resolve(file);
  try {
    return runnable(await loadDefinition(path), path);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "definition-refused") throw error;
    throw new AppError(error.code, [error.message, ...[error.details["problems"]].flat()].join("\n"));
  }
}

/** The programs of a definition. Throws `definition-refused` when it has errors, or nothing that can be run. */
export function runnable({ programs, problems }: LoadedDefinition, file: string): readonly ProgramDocument[] {
  if (problems.some(({ severity }) => severity === "error"))
    throw refused("definition-refused", basename(file), problems);
  if (programs.length > 0) return programs;
  throw new AppError("definition-unreadable", `Expected a process in ${basename(file)}, but there is none`);
}

/** All errors of a file as one: its first words, and every one as a line of `details.problems`. */
export function refused(
  code: "definition-refused" | "answers-refused",
  file: string,
  problems: readonly Problem[],
): AppError {
  const errors = problems.filter(({ severity }) => severity === "error");
  const lines = errors.map(
    ({ position, code: each, message }) => `${position.file}:${position.line}:${position.column} ${each}: ${message}`,
  );
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  return new AppError(code, `Expected a file without errors, but ${file} has ${count}`, {
    details: { problems: lines },
  });
}

async function loadModule(file: string): Promise<LoadedDefinition> {
  const loaded = (await import(pathToFileURL(resolve(file)).href).catch((cause: Error) => {
    const message = `Expected a module that can be loaded, but ${cause.message}`;
    throw new AppError("definition-unreadable", message, { cause, place: file });
  })) as { readonly default?: unknown };
  const built = [loaded.default].flat().map((each) => fromModule(each, file));
  return {
    programs: built.flatMap(({ program }) => program ?? []),
    problems: built.flatMap(({ problems }) => problems),
  };
}

function fromModule(exported: unknown, file: string): BuiltProgram {
  if (typeof exported === "object" && exported !== null) {
    const module = exported as Module;
    if ("build" in module && typeof module.build === "function") return module.build();
    if ("problems" in module && Array.isArray(module.problems)) return module;
    if ("format" in module && module.format === 1) return { program: module, problems: [] };
  }
  const message = "Expected a process of the builder as default export, but found something else";
  throw new AppError("definition-unreadable", message, { place: file });
}
