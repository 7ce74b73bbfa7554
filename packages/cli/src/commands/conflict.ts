import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { openConflicts, type RunContext, readConflict, resolveConflict, type WaitingConflict } from "@tutti/feature";
import { AppError } from "@tutti/kernel";
import type { Command, Context } from "../command.ts";
import { type RunAccess, withRun } from "../run/access.ts";
import { wordsOf } from "../run/words.ts";
import { plural, quote } from "../terminal/text.ts";
import { runArgument } from "./arguments.ts";

export const conflict: Command = {
  name: "conflict",
  summary: "Lists the conflicts that wait for a person, shows one, or takes your version of the file.",
  about: "A resolution is recorded; `retry` then merges with it. Your own work tree is not touched.",
  options: {
    run: { value: "RUN", help: runArgument.help },
    file: { value: "FILE", help: "resolve: the file as it should be" },
    delete: { help: "resolve: the file should not be there" },
    note: { value: "TEXT", help: "resolve: how you decided; it stands in the report" },
  },
  arguments: [
    { name: "list|show|resolve", help: "what to do (default: list)" },
    { name: "PATH", help: "the file in conflict, for show and resolve" },
  ],
  examples: [
    "tutti conflict list",
    "tutti conflict show src/app.js > app.js",
    "tutti conflict resolve src/app.js --file app.js && tutti retry",
  ],
  run: (context) =>
    withRun(context, context.input.text("run"), async (access, run) => {
      const found = await waiting(access, run);
      const action = context.input.argument(0) ?? "list";
      if (action === "list") {
        refusePath(context.input.argument(1));
        return list(context, run, found.conflicts);
      }
      const chosen = choose(found.conflicts, context.input.argument(1));
      const place: Place = { ...found, run, chosen };
      if (action === "show") return show(context, place);
      if (action === "resolve") return settle(context, place);
      throw new AppError("option-invalid", `Expected list, show or resolve, but got '${action}'`);
    }),
};

interface Found {
  readonly repository: { readonly gitDir: string };
  readonly conflicts: readonly WaitingConflict[];
}

interface Place extends Found {
  readonly run: string;
  readonly chosen: WaitingConflict;
}

async function waiting(access: RunAccess, run: string): Promise<Found> {
  const [root, open] = await Promise.all([access.runs.root(run), access.runs.open(run)]);
  const { repository } = root.variables["context"] as unknown as RunContext;
  return { repository: { gitDir: repository.gitDir }, conflicts: openConflicts([root, ...open]) };
}

/** Taken for a run, it would show the conflicts of another one. */
function refusePath(given: string | undefined): void {
  if (given === undefined) return;
  throw new AppError("argument-unexpected", `'tutti conflict list' shows all of a run (--run RUN), but got '${given}'`);
}

function choose(conflicts: readonly WaitingConflict[], path: string | undefined): WaitingConflict {
  if (path === undefined) throw new AppError("input-needed", "Expected the path of a file in conflict, but got none");
  const chosen = conflicts.find((each) => each.path === path);
  if (chosen !== undefined) return chosen;
  const paths = conflicts.length === 0 ? "none waits" : conflicts.map((each) => each.path).join(", ");
  throw new AppError("conflict-unknown", `Expected a path that is in conflict (${paths}), but got '${path}'`);
}

function list(context: Context, run: string, conflicts: readonly WaitingConflict[]): number {
  const { out } = context;
  const { tutti } = wordsOf(context);
  out.document({ run, conflicts });
  if (conflicts.length === 0) {
    out.text(`No conflict of ${run} waits for a person.`);
    return 0;
  }
  out.text(`${plural(conflicts.length, "conflict")} of ${run}:`);
  for (const { path, unit, kind, reasons } of conflicts) {
    out.text(`  ${out.style.bold(path)} (${kind}), met when ${unit} was merged`);
    for (const reason of reasons) out.text(`      ${reason}`);
  }
  const [first] = conflicts;
  out.note(`→ ${tutti(`conflict show ${quote(first?.path ?? "")} --run ${run}`)}`);
  out.note(`→ ${tutti(`conflict resolve ${quote(first?.path ?? "")} --run ${run} --file FILE`)}`);
  out.note(`→ ${tutti(`retry ${run}`)}`);
  return 0;
}

async function show({ out }: Context, { repository, run, chosen }: Place): Promise<number> {
  const text = await readConflict(repository, chosen);
  out.document({ run, ...chosen, text });
  if (text === null) out.text(`${chosen.path} is no text: give the whole file with --file.`);
  else out.content(text);
  return 0;
}

async function settle(context: Context, { repository, run, chosen }: Place): Promise<number> {
  const { input, out, cwd } = context;
  const file = input.text("file");
  if ((file === undefined) === !input.flag("delete")) {
    throw new AppError("input-needed", "Expected --file FILE or --delete, and not both");
  }
  const content = file === undefined ? null : await readFile(resolve(cwd, file)).catch(unreadable);
  const note = input.text("note") ?? "a person decided";
  const { path } = chosen;
  await resolveConflict(repository, { run, conflict: chosen, content, note });
  out.text(`Recorded how ${path} is to be.`);
  out.document({ run, path, note });
  out.note(`→ ${wordsOf(context).tutti(`retry ${run}`)}`);
  return 0;
}

function unreadable(cause: Error): never {
  throw new AppError("file-unreadable", `Expected a readable file, but ${cause.message}`, { cause });
}
