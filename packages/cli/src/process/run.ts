import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { openSqliteStore } from "@tutti/engine";
import { AppError, type ProgramDocument } from "@tutti/kernel";
import { type Answers, mainProcess, openTrial, readAnswers, refused, runnable, startsPlainly } from "@tutti/testing";
import type { Context } from "../command.ts";
import { readTextFile } from "../run/prepare.ts";
import { ensureFolder } from "../state.ts";
import { streamFindings } from "./findings.ts";
import { loadProcess } from "./load.ts";
import { objectOption } from "./object-option.ts";
import { Person } from "./prompt.ts";
import { report } from "./report.ts";
import { Story } from "./story.ts";

/** `tutti process run FILE`: a trial of the definition, told as it happens. */
export async function runProcess(context: Context): Promise<number> {
  const { input } = context;
  if (input.text("engine") === "temporal") {
    const message = "Expected a trial without --engine temporal: it has an embedded engine of its own";
    throw new AppError("option-invalid", `${message}. On Temporal a process is deployed and started`);
  }
  const file = input.argument(0) ?? "";
  const loaded = await loadProcess(context, file);
  const programs = runnable(loaded, file);
  const chosen = chosenProcess(context, programs);
  streamFindings(context.out, file, loaded.problems);
  const answers = await answersOf(context, programs);
  const variables = await objectOption(context, "vars");
  const clock = input.choice("clock", ["real", "virtual"]) ?? (answers === undefined ? "real" : "virtual");
  return withFolder(context, async (folder) => {
    const story = new Story(context.out, programs);
    const person = personAt(context);
    const trial = await openTrial({
      programs,
      answers: answers ?? {},
      realTime: clock === "real",
      openStore: async () => openSqliteStore(join(folder, "tutti.sqlite")),
      onEvent: (event) => story.event(event),
      onStep: (step) => story.step(step),
      signal: context.interrupt,
      ...(person === undefined ? {} : { ask: (question) => person.ask(question) }),
    });
    try {
      const start = input.text("start");
      if (start !== undefined) await trial.start({ variables, process: chosen.id, start });
      else if (startsPlainly(chosen)) await trial.start({ variables, process: chosen.id });
      else await trial.begin();
      const finish = await trial.finish();
      const instance = trial.instances.find(({ process }) => process === chosen.id);
      if (instance === undefined) throw neverStarted(chosen.id);
      return report(context.out, { trial, instance, finish, begunAt: story.begunAt ?? trial.now });
    } finally {
      person?.close();
      await trial.close();
    }
  });
}

function chosenProcess({ input }: Context, programs: readonly ProgramDocument[]): ProgramDocument {
  const id = input.text("process") ?? mainProcess(programs);
  const program = programs.find((each) => each.id === id);
  if (program !== undefined) return program;
  const known = programs.map((each) => each.id).join(", ");
  throw new AppError("option-invalid", `Expected --process to be one of ${known}, but got '${id}'`);
}

function neverStarted(process: string): AppError {
  const message = `Expected something to start '${process}', but nothing came that does: see \`publish\` of --answers`;
  return new AppError("input-needed", message);
}

async function answersOf(
  { input, cwd, out }: Context,
  programs: readonly ProgramDocument[],
): Promise<Answers | undefined> {
  const file = input.text("answers");
  if (file === undefined) return undefined;
  const { answers, problems } = readAnswers(await readTextFile(resolve(cwd, file)), { file, programs });
  if (answers === undefined) throw refused("answers-refused", basename(file), problems);
  streamFindings(out, file, problems);
  return answers;
}

/** A person is asked where there is one: at a terminal, unless nothing may be asked or somebody reads JSON. */
function personAt({ input, out, interrupt }: Context): Person | undefined {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY || out.json || input.flag("no-input")) return undefined;
  return new Person({ input: stdin, output: stderr, style: out.errorStyle, signal: interrupt });
}

/** The log lies in the folder that --state names, which must be new or empty, else in one that is removed again. */
async function withFolder(context: Context, work: (folder: string) => Promise<number>): Promise<number> {
  if (context.input.text("state") !== undefined) {
    const { path } = context.state;
    ensureFolder(path);
    if (readdirSync(path).length > 0) {
      throw new AppError("folder-not-empty", `Expected ${path} to be empty, but there are files in it`);
    }
    return work(path);
  }
  const folder = mkdtempSync(join(tmpdir(), "tutti-process-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
